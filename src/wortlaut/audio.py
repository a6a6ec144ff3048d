"""Sound as every stage sees it: mono, 16 kHz, float32, readable in pieces.

Ten hours of samples do not fit into a modest machine's memory, so an `Audio` does not hold an array but
something that can read any stretch of it: an array for short clips, a spool file for recordings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wortlaut.notice import Notice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples a second: what Whisper, Silero VAD, segmentation-3.0 and CAM++ were all trained on."""


class Samples(Protocol):
    """Where the samples lie. Implementations are safe to read from several threads."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        """Return samples [start, stop), shape (stop - start,), for 0 <= start <= stop <= len(self)."""
        ...


@dataclass(frozen=True, slots=True)
class ArraySamples:
    """Samples in memory: float32, shape (n,), nominally within [-1, 1]."""

    array: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.array)

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        return self.array[start:stop]


@dataclass(frozen=True, slots=True)
class ExcerptSamples:
    """A part of other samples, without a copy: `length_samples` of them from `first` on."""

    whole: Samples
    first: int
    length_samples: int

    def __len__(self) -> int:
        return self.length_samples

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        return self.whole.read(self.first + start, self.first + stop)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Audio:
    """A recording on a sample-exact clock: sample i sounds at i / SAMPLE_RATE seconds.

    Two `Audio` are equal only if they are the same object, so it can serve as a key.
    `notices` say what was found while decoding, such as a file that ends early.
    """

    samples: Samples
    notices: tuple[Notice, ...] = ()

    @classmethod
    def from_array(cls, array: NDArray[np.float32]) -> Audio:
        """Wrap mono 16 kHz float32 samples of shape (n,)."""
        return cls(ArraySamples(array))

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE

    def clip(self, start: float, end: float) -> NDArray[np.float32]:
        """Return the samples of [start, end) seconds, cut to what the recording holds."""
        return self.samples.read(*self._span_samples(start, end))

    def excerpt(self, start: float, end: float) -> Audio:
        """Return [start, end) seconds, cut to what the recording holds, as a recording of its own."""
        first, last = self._span_samples(start, end)
        return Audio(ExcerptSamples(self.samples, first, last - first))

    def _span_samples(self, start: float, end: float) -> tuple[int, int]:
        first = min(max(round(start * SAMPLE_RATE), 0), len(self.samples))
        return first, min(max(round(end * SAMPLE_RATE), first), len(self.samples))

    def blocks(self, size_samples: int) -> Iterator[NDArray[np.float32]]:
        """Yield the recording from start to end in pieces of `size_samples`; the last may be shorter."""
        for start in range(0, len(self.samples), size_samples):
            yield self.samples.read(start, min(start + size_samples, len(self.samples)))


@dataclass(frozen=True, slots=True, order=True)
class SpeechRegion:
    """A stretch in which somebody speaks, [start, end) in seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of at most 30 s that is recognized at once: Whisper's context.

    `regions` are the speech regions inside it, in order. A window starts and ends with speech plus a margin.
    """

    start: float
    end: float
    regions: tuple[SpeechRegion, ...]
