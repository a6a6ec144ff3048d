"""Where it is louder than the background: a detector without a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.speech.level import blocks_without_rumble, frame_levels
from wortlaut.speech.regions import Thresholds, find_regions
from wortlaut.stages import Advance, ignore

FRAME_SAMPLES = SAMPLE_RATE // 50
"""20 ms: short enough for a syllable, long enough for a period of the lowest voice."""
SPAN_FRAMES = 250
"""5 s, of which the quietest tenth is taken for background: any talk pauses for half a second in that time."""
BACKGROUND_PERCENTILE = 10.0
ABOVE_BACKGROUND_DB = Thresholds(onset=9.0, offset=5.0)
"""Speech in quiet surroundings stands 20 to 40 dB above them; noise wavers by about 1 dB in frames of 20 ms."""


class EnergyDetector:
    """Where the level stands out from the background of the surrounding 15 s.

    Cannot tell speech from other sounds. `thresholds` are in decibels above the background.
    """

    def __init__(self, *, thresholds: Thresholds = ABOVE_BACKGROUND_DB) -> None:
        self._thresholds = thresholds

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        levels = [np.zeros(0, np.float32)]
        done_samples = 0
        for block in blocks_without_rumble(audio, FRAME_SAMPLES * SPAN_FRAMES):
            levels.append(frame_levels(block, FRAME_SAMPLES))
            done_samples += len(block)
            advance(done_samples / SAMPLE_RATE)
        above = np.concatenate(levels) - _background(levels[1:])
        return find_regions(above, FRAME_SAMPLES / SAMPLE_RATE, audio.duration, self._thresholds)


def _background(spans: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the background level of each frame: the quietest of its span and the two beside it."""
    if not spans:
        return np.zeros(0, np.float32)
    quiet = np.array([np.percentile(span, BACKGROUND_PERCENTILE) for span in spans], np.float32)
    edged = np.concatenate((quiet[:1], quiet, quiet[-1:]))
    floors = np.minimum(np.minimum(edged[:-2], edged[1:-1]), edged[2:])
    return np.repeat(floors, [len(span) for span in spans])
