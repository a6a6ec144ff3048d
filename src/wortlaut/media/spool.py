"""Decoded samples on disk, of which the stages read any stretch."""

from __future__ import annotations

import os
import threading
import weakref

import numpy as np
from numpy.typing import NDArray

BYTES_PER_SAMPLE = 2
FULL_SCALE = 32_768
"""Signed 16-bit samples divided by this lie in [-1, 1)."""


class SpooledSamples:
    """One channel of s16le samples in a file without a name any more, so that losing the last reference frees the disk.

    `channel` is one of `channels`, whose samples lie interleaved.

    `descriptor` stays the caller's, who may close it. Reads do not share a position: threads and forked processes
    may read at once. There is no memory map, because mapped pages count as resident memory and a long recording
    would look like a leak.
    """

    def __init__(self, descriptor: int, channel: int = 0, channels: int = 1) -> None:
        self._channel = channel
        self._channels = channels
        self._descriptor = os.dup(descriptor)
        self._closing = weakref.finalize(self, os.close, self._descriptor)
        self._seeking = threading.Lock()
        self._length_samples = os.fstat(self._descriptor).st_size // (BYTES_PER_SAMPLE * channels)

    def __len__(self) -> int:
        return self._length_samples

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        sample_bytes = BYTES_PER_SAMPLE * self._channels
        data = self._bytes(start * sample_bytes, (stop - start) * sample_bytes)
        samples = np.frombuffer(data, "<i2")[self._channel :: self._channels]
        return samples.astype(np.float32) / np.float32(FULL_SCALE)

    def close(self) -> None:
        """Give the disk space back; nothing can be read afterwards. Closing twice is harmless."""
        self._closing()

    def _bytes(self, offset_bytes: int, size_bytes: int) -> bytes:
        """Read that many bytes: one call to the system may return fewer."""
        pieces = []
        while size_bytes > 0 and (piece := self._some_bytes(offset_bytes, size_bytes)):
            pieces.append(piece)
            offset_bytes += len(piece)
            size_bytes -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _some_bytes(self, offset_bytes: int, size_bytes: int) -> bytes:
        if not self._closing.alive:
            raise ValueError("read from closed samples")  # the number may be another file's by now
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, size_bytes, offset_bytes)
        with self._seeking:  # Windows has no pread
            os.lseek(self._descriptor, offset_bytes, os.SEEK_SET)
            return os.read(self._descriptor, size_bytes)
