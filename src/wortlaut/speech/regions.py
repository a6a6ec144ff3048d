"""From one score a frame to speech regions, as every detector needs it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SpeechRegion


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When speech begins and ends.

    Speech begins where a frame's score reaches `onset` and lasts until it stays below `offset` for `min_silence`:
    two thresholds keep weak syllables inside. A run is kept if its score reaches `onset` for at least `min_speech`
    in all, and is then widened by `padding` on both sides, because scores rise late on plosives and fall early on
    fading vowels. Seconds, except for the two scores, whose unit is the detector's.
    """

    onset: float = 0.4
    offset: float = 0.2
    min_speech: float = 0.1
    min_silence: float = 0.3
    padding: float = 0.2


SECOND_LOOK = Thresholds(onset=0.5, offset=0.35, min_speech=0.25, min_silence=0.3, padding=0.1)
"""For a look at a stretch that is in doubt: the first look shall miss nothing, this one shall not be taken in."""


def find_regions(
    scores: NDArray[np.float32], frame_duration: float, duration: float, thresholds: Thresholds
) -> list[SpeechRegion]:
    """Return the speech regions of a recording of `duration` seconds.

    `scores` has shape (n_frames,); frame i covers [i, i + 1) * frame_duration. Where the padding of two
    regions would meet, both end in the middle of the pause between them.
    """
    runs = _runs(scores, thresholds, round(thresholds.min_silence / frame_duration))
    onset_frames = np.concatenate(([0], np.cumsum(scores >= thresholds.onset)))
    spoken = [
        (first * frame_duration, min(last * frame_duration, duration))
        for first, last in runs
        if (onset_frames[last] - onset_frames[first]) * frame_duration >= thresholds.min_speech
    ]
    return _padded(spoken, duration, thresholds.padding)


def _runs(scores: NDArray[np.float32], thresholds: Thresholds, min_silence_frames: int) -> list[tuple[int, int]]:
    """Return [first, last) frames of speech: from an onset to where min_silence_frames below the offset begin."""
    above_offset = np.flatnonzero(scores >= thresholds.offset)
    if not len(above_offset):
        return []
    breaks = np.flatnonzero(np.diff(above_offset) > max(min_silence_frames, 1))
    firsts = above_offset[np.concatenate(([0], breaks + 1))]
    lasts = above_offset[np.concatenate((breaks, [-1]))] + 1
    onsets = np.flatnonzero(scores >= thresholds.onset)
    after = np.searchsorted(onsets, firsts)
    return [
        (int(onsets[i]), int(last))
        for i, last in zip(after, lasts, strict=True)
        if i < len(onsets) and onsets[i] < last
    ]


def _padded(runs: list[tuple[float, float]], duration: float, padding: float) -> list[SpeechRegion]:
    """Widen each run, but no further than to the middle of the pause before and after it."""
    middles = [(end + start) / 2 for (_, end), (start, _) in pairwise(runs)]
    bounds = pairwise([0.0, *middles, duration])
    return [
        SpeechRegion(max(start - padding, floor), min(end + padding, ceiling))
        for (start, end), (floor, ceiling) in zip(runs, bounds, strict=False)  # no runs: one bound too many
    ]
