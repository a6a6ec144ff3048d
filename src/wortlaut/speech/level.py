"""How loud a recording is, frame by frame, and how a detector should hear it: without rumble, and not too quiet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio

QUIETEST_DB = -90.0
"""Levels end here, relative to full scale: a frame of 16-bit samples that are mostly 0 or ±1."""
LOUD_PERCENTILE, LOUD_DB = 95.0, -12.0
"""The loudest twentieth of the frames that are not silent, or of those that stand out, shall reach this level.

Silero VAD misses quiet speech: it finds practically all hand-labelled words as they were recorded, but a third are
lost when the recording is 40 dB quieter. At this level it missed 3 of 2407 words at -50 dB. Louder peaks are clipped,
which did it next to no harm (6 words of 2407), and nearly all words of a speaker 30 dB below the others are found.
"""
QUIET_PERCENTILE, QUIET_DB = 10.0, -30.0
"""The background shall not get louder than this: in long noise with little speech, loud frames are noise too."""
OUTSTANDING_DB, SPARSE_SHARE = 30.0, 0.25
"""Frames so far above the background are no noise. Where they are few, the loud ones are found among them: if people
speak for less than a twentieth of the time, the loudest twentieth of all frames is noise, and they would be clipped."""
SHORTEST_EVENT_SAMPLES = SAMPLE_RATE // 2
"""So long frames have to stand out in all: a knock is no measure for voices."""
RUMBLE_SAMPLES = SAMPLE_RATE // 100
"""Taking away the mean of the surrounding 10 ms takes away offsets, table knocks and wind, all below voices."""
BLOCK_FRAMES = 256
PAUSE_PERCENTILE, PAUSE_DB = 5.0, 30.0
"""So far below the loud frames are the pauses of speech where no noise fills them. The same guard lets silences move
the edges of words (`alignment.silences`)."""
PAUSE_FRAME_SAMPLES = SAMPLE_RATE // 40


def frame_levels(samples: NDArray[np.float32], frame_samples: int) -> NDArray[np.float32]:
    """Return the level of each frame in decibels relative to full scale, shape (n_frames,).

    The last frame is filled up with silence.
    """
    padded = np.concatenate((samples, np.zeros(-len(samples) % frame_samples, np.float32)))
    power: NDArray[np.float64] = np.mean(np.square(padded.reshape(-1, frame_samples), dtype=np.float64), axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 10 ** (QUIETEST_DB / 10)))
    return levels.astype(np.float32)


def percentile(values: NDArray[np.floating[Any]], percent: float) -> float:
    """Return what `np.percentile` does. That one loads NumPy's masked arrays, as slowly as a second is recognized."""
    place = percent / 100 * (len(values) - 1)
    return float(np.interp(place, np.arange(len(values)), np.sort(values)))


def blocks_without_rumble(audio: Audio, size_samples: int) -> Iterator[NDArray[np.float32]]:
    """Yield what `audio.blocks(size_samples)` does, high-passed."""
    reach = RUMBLE_SAMPLES // 2
    for start in range(0, len(audio.samples), size_samples):
        stop = min(start + size_samples, len(audio.samples))
        first, last = max(start - reach, 0), min(stop + reach, len(audio.samples))
        samples = audio.samples.read(first, last)
        edged = np.concatenate((np.zeros(reach - (start - first)), samples, np.zeros(reach - (last - stop))))
        sums = np.cumsum(np.concatenate(([0.0], edged)))
        means = (sums[RUMBLE_SAMPLES:] - sums[:-RUMBLE_SAMPLES])[: stop - start] / RUMBLE_SAMPLES
        yield (samples[start - first : stop - first] - means).astype(np.float32)


def sounding_levels(audio: Audio, frame_samples: int) -> NDArray[np.float32]:
    """Return the levels of those frames that are not silent, in decibels relative to full scale, without rumble."""
    levels = _levels(audio, frame_samples)
    return levels[levels > QUIETEST_DB]


def _levels(audio: Audio, frame_samples: int) -> NDArray[np.float32]:
    blocks = blocks_without_rumble(audio, BLOCK_FRAMES * frame_samples)
    return np.concatenate([np.zeros(0, np.float32), *(frame_levels(block, frame_samples) for block in blocks)])


def gain_to_hear(audio: Audio, frame_samples: int) -> float:
    """Return the factor, at least 1, that makes a quiet recording as loud as a detector wants it."""
    sounding = sounding_levels(audio, frame_samples)
    if not len(sounding):
        return 1.0
    quiet = percentile(sounding, QUIET_PERCENTILE)
    outstanding = sounding[sounding > quiet + OUTSTANDING_DB]
    is_sparse = SHORTEST_EVENT_SAMPLES / frame_samples <= len(outstanding) < SPARSE_SHARE * len(sounding)
    loud = percentile(outstanding if is_sparse else sounding, LOUD_PERCENTILE)
    gain_db = min(LOUD_DB - loud, QUIET_DB - quiet)
    return float(10 ** (max(gain_db, 0.0) / 20))


def noise_fills_pauses(audio: Audio) -> bool:
    """Whether the quietest frames of speech are not much quieter than the loud ones; False where all is silent."""
    levels = _levels(audio, PAUSE_FRAME_SAMPLES)
    if not (levels > QUIETEST_DB).any():
        return False
    return percentile(levels, LOUD_PERCENTILE) - percentile(levels, PAUSE_PERCENTILE) < PAUSE_DB
