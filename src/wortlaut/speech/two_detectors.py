"""Two detectors, because what one of them does not hear the other may.

Silero VAD is quick and precise where it is quiet. Behind music or noise it loses voices that are softer than those
before them; a network that has learned to tell speakers apart does not, but takes longer. So that one listens where
the first hears nobody although it is not quiet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.speech.level import LOUD_PERCENTILE, percentile, sounding_levels
from wortlaut.stages import Advance, SpeechDetector, ignore

SHORTEST_GAP = 1.0
"""Seconds without speech from which on the second detector listens: shorter ones are pauses, and inside a window."""
SHORTEST_SPEECH = 0.5
"""Seconds that it has to hear in a gap: less is the edge of what the first one heard."""
QUIET_DB = 30.0
"""So far below the loudest frames of the recording it is quiet: there the first detector misses nobody (`level`)."""
ROOM_DB = -60.0
"""Relative to full scale, below this it is quiet in any case: the noise of a room, or of a line on which nobody is."""
FRAME_SAMPLES = SAMPLE_RATE // 50


@dataclass(frozen=True, slots=True)
class TwoDetectors:
    """Where `first` hears speech, or `second` does in what `first` leaves free and what is not quiet."""

    first: SpeechDetector
    second: SpeechDetector

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        heard = self.first.detect(audio, advance=advance)
        gaps = [gap for gap in _gaps(heard, audio.duration) if gap.end - gap.start >= SHORTEST_GAP]
        if not gaps:
            return heard
        quiet_db = max(_loud(audio) - QUIET_DB, ROOM_DB)
        noisy = [gap for gap in gaps if _loud(audio.excerpt(gap.start, gap.end)) > quiet_db]
        return united([*heard, *(region for gap in noisy for region in self._heard_in(audio, gap))])

    def _heard_in(self, audio: Audio, gap: SpeechRegion) -> Iterator[SpeechRegion]:
        for one in self.second.detect(audio.excerpt(gap.start, gap.end)):
            if one.end - one.start >= SHORTEST_SPEECH:
                yield SpeechRegion(gap.start + one.start, gap.start + one.end)


@dataclass(frozen=True, slots=True)
class AnyDetector:
    """Where at least one of several detectors hears speech."""

    detectors: tuple[SpeechDetector, ...]

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        return united(region for one in self.detectors for region in one.detect(audio, advance=advance))


def united(regions: Iterable[SpeechRegion]) -> list[SpeechRegion]:
    """Return disjoint regions in order that cover what the given ones do."""
    merged: list[SpeechRegion] = []
    for region in sorted(regions):
        if merged and region.start <= merged[-1].end:
            merged[-1] = SpeechRegion(merged[-1].start, max(merged[-1].end, region.end))
        else:
            merged.append(region)
    return merged


def _gaps(regions: Sequence[SpeechRegion], duration: float) -> Iterator[SpeechRegion]:
    edges = [0.0, *(edge for region in regions for edge in (region.start, region.end)), duration]
    for start, end in list(pairwise(edges))[::2]:
        yield SpeechRegion(start, end)


def _loud(audio: Audio) -> float:
    """Return the level of the loudest frames in decibels; minus infinity where all is silent."""
    levels = sounding_levels(audio, FRAME_SAMPLES)
    return percentile(levels, LOUD_PERCENTILE) if len(levels) else -np.inf
