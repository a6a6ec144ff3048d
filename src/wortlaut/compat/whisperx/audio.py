"""Sound as whisperX has it: an array of float32 at 16 kHz; and the constants of Whisper's spectrogram."""

from __future__ import annotations

import os
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from wortlaut.audio import Audio
from wortlaut.errors import InvalidOption

SAMPLE_RATE = 16000
N_FFT = 400
HOP_LENGTH = 160
CHUNK_LENGTH = 30
N_SAMPLES = CHUNK_LENGTH * SAMPLE_RATE
N_FRAMES = N_SAMPLES // HOP_LENGTH
N_SAMPLES_PER_TOKEN = HOP_LENGTH * 2
FRAMES_PER_SECOND = SAMPLE_RATE // HOP_LENGTH
TOKENS_PER_SECOND = SAMPLE_RATE // N_SAMPLES_PER_TOKEN

Sound = str | os.PathLike[str] | NDArray[np.float32]
"""What whisperX's functions take: a file, or samples at 16 kHz, shape (n,)."""


def load_audio(file: str | os.PathLike[str], sr: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Return the sound of a file as mono float32, shape (n,), at `sr` samples a second.

    The whole recording is held in memory, 230 MB an hour; a path given to `transcribe`, `align` or
    `DiarizationPipeline` is not.
    """
    decoded = open_sound(file)
    samples = np.array(decoded.samples.read(0, len(decoded.samples)), dtype=np.float32)  # ours, and writable
    if sr == SAMPLE_RATE:
        return samples
    shared = gcd(sr, SAMPLE_RATE)
    resampled: NDArray[np.float32] = resample_poly(samples, sr // shared, SAMPLE_RATE // shared).astype(np.float32)
    return resampled


def open_sound(sound: Sound) -> Audio:
    """Return a recording. Tensors and integers are taken too; stereo arrays are not. Raises `InvalidOption`."""
    if isinstance(sound, str | os.PathLike):
        from wortlaut.assembly import Transcriber  # noqa: PLC0415 an array needs no decoder

        return Transcriber().decode(sound)
    array: NDArray[Any] = np.asarray(sound)
    array = array[0] if array.ndim > 1 and len(array) == 1 else array  # one channel, as torchaudio has it
    if array.ndim != 1:
        raise InvalidOption(f"Mono samples have one dimension, not the shape {np.shape(sound)}.")
    scale = np.iinfo(array.dtype).max + 1 if np.issubdtype(array.dtype, np.integer) else 1
    return Audio.from_array(np.ascontiguousarray(array, dtype=np.float32) / np.float32(scale))


def pad_or_trim(array: NDArray[np.float32], length: int = N_SAMPLES, *, axis: int = -1) -> NDArray[np.float32]:
    """Return the array with exactly `length` entries along the axis, cut or filled up with zeros."""
    kept = np.arange(min(array.shape[axis], length))
    cut: NDArray[np.float32] = np.take(array, kept, axis=axis)
    missing = [(0, 0)] * array.ndim
    missing[axis] = (0, length - cut.shape[axis])
    return np.pad(cut, missing)
