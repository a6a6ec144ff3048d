"""Where a recording is so quiet that the edges of the quiet are the edges of words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE
from wortlaut.speech.level import percentile

STEP = 0.01
"""Seconds from one level to the next."""

_STEP_SAMPLES = round(STEP * SAMPLE_RATE)
_WINDOW_SAMPLES = round(0.025 * SAMPLE_RATE)
_FLOOR_POWER = 1e-10  # -100 dB: digital silence

_QUIET_PERCENTILE = 5.0
_LOUD_PERCENTILE = 95.0
_LARGEST_RANGE_DB = 60.0  # digital silence between recordings must not hide the softer silence inside them
_SMALLEST_RANGE_DB = 30.0  # less between pauses and speech: noise fills the pauses, and its edges say nothing
_QUIET_SHARE = 0.4  # of the way from the quiet level to the loud one: quiet is below
SHORTEST_SILENCE = 0.1
"""Seconds. Shorter ones are as often the closure of a stop consonant as a pause."""


@dataclass(frozen=True, slots=True, order=True)
class Silence:
    """A stretch in which nobody speaks, [start, end) in seconds."""

    start: float
    end: float


def find_silences(samples: NDArray[np.float32], *, start: float = 0.0) -> list[Silence]:
    """Return the silences of a clip that begins at `start` seconds; none if noise fills its pauses.

    Quiet and loud are relative to the clip: percentiles of its level.
    """
    levels_db = _levels_db(samples)
    if not len(levels_db):
        return []
    loud_db = percentile(levels_db, _LOUD_PERCENTILE)
    quiet_db = max(percentile(levels_db, _QUIET_PERCENTILE), loud_db - _LARGEST_RANGE_DB)
    if loud_db - quiet_db < _SMALLEST_RANGE_DB:
        return []
    is_quiet = levels_db < quiet_db + _QUIET_SHARE * (loud_db - quiet_db)
    return [
        Silence(start + first * STEP, start + last * STEP)
        for first, last in _runs(is_quiet)
        if (last - first) * STEP >= SHORTEST_SILENCE
    ]


def _levels_db(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the level around each step, shape (n // step,)."""
    centred = np.pad(samples.astype(np.float64), (_WINDOW_SAMPLES // 2, _WINDOW_SAMPLES))
    energy = np.concatenate([[0.0], np.cumsum(np.square(centred))])
    first = np.arange(len(samples) // _STEP_SAMPLES) * _STEP_SAMPLES
    power = (energy[first + _WINDOW_SAMPLES] - energy[first]) / _WINDOW_SAMPLES
    return np.asarray(10.0 * np.log10(np.maximum(power, _FLOOR_POWER)))


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return [first, last) of each run of true flags."""
    steps = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))
