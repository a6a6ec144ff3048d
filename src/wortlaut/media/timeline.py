"""Where decoded frames lie on the recording's clock.

Nothing here knows FFmpeg: timestamps come in as exact fractions of a second and leave as sample positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

OUTPUT_RATE = 16_000
"""Samples a second of what is written: `wortlaut.audio.SAMPLE_RATE`, which this process does not import."""

JITTER = Fraction(40, 1000)
"""Timestamps may be this far from the sum of the samples before they are believed.

Containers round to milliseconds and recorders stamp frames late by up to a frame or two; following each stamp
would cut or pad audio all the time. What is beyond is a gap, an overlap or a clock that drifts.
"""
ROUNDING = Fraction(2, 1000)
"""The same right after lost data, where a gap is expected and timestamps are the only witness."""
LONGEST_OVERLAP = Fraction(10)
"""A step back by more than this is a clock that began anew (files joined end to end), not sound sent twice."""
LONGEST_GAP = Fraction(600)
"""A step forward by more than this is believed only if the container says that it lasts so long."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What to do before a frame: nothing (`position_samples` None), or start a new run at that position.

    The position may lie before what was already written (sound sent twice: drop it) or behind it (a gap).
    """

    position_samples: int | None = None
    clock_jumped: bool = False


class Timeline:
    """Follow the timestamps of one stream. `end` is when the container says that it ends, if it does."""

    def __init__(self, end: Fraction | None = None) -> None:
        self._end = end
        self._shift = Fraction(0)
        self._next = Fraction(0)
        self._tolerance = Fraction(1, 2 * OUTPUT_RATE)  # the first frame is placed to the sample

    def lost(self) -> None:
        """Expect a gap: a packet could not be decoded."""
        self._tolerance = min(self._tolerance, ROUNDING)

    def place(self, start: Fraction | None, duration: Fraction) -> Placement:
        """Say where a frame belongs that lasts `duration`; `start` is None where it has no timestamp."""
        time = self._next if start is None else start + self._shift
        step = time - self._next
        jumped = not self._believes(step, time)
        if jumped:
            self._shift -= step
        moved = not jumped and abs(step) > self._tolerance
        begin = time if moved else self._next
        self._next = begin + duration
        self._tolerance = JITTER
        return Placement(round(begin * OUTPUT_RATE) if moved else None, clock_jumped=jumped)

    def _believes(self, step: Fraction, time: Fraction) -> bool:
        within_end = self._end is not None and time <= self._end
        return -LONGEST_OVERLAP <= step <= LONGEST_GAP or (step > 0 and within_end)
