"""Where people speak, by the network that otherwise tells speakers apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.diarization.frames import FRAME_STEP
from wortlaut.diarization.segmentation import WINDOW, SegmentationNetwork, segment
from wortlaut.speech.regions import SECOND_LOOK, Thresholds, find_regions
from wortlaut.stages import Advance, ignore


class SegmentationDetector:
    """pyannote/segmentation-3.0 as a `SpeechDetector`: somebody speaks where at least one of its speakers does.

    In noise and music it hears soft voices that Silero VAD does not, and nobody in either alone; it takes five times as
    long. Raises `ModelMissing` or `ModelCorrupt`.
    """

    def __init__(self, model: Path, *, threads: int = 1, thresholds: Thresholds = SECOND_LOOK) -> None:
        self._network = SegmentationNetwork(model)
        self._threads = threads
        self._thresholds = thresholds

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        if not len(audio.samples):
            return []
        heard = segment(_filling_a_window(audio), self._network, threads=self._threads).speech
        advance(audio.duration)
        regions = find_regions(heard, FRAME_STEP, max(audio.duration, WINDOW), self._thresholds)
        inside = (SpeechRegion(region.start, min(region.end, audio.duration)) for region in regions)
        return [region for region in inside if region.start < region.end]


def _filling_a_window(audio: Audio) -> Audio:
    """Say a short recording again and again: filled up with silence the network hears speech where there is none."""
    length = round(WINDOW * SAMPLE_RATE)
    if len(audio.samples) >= length:
        return audio
    return Audio.from_array(np.resize(audio.samples.read(0, len(audio.samples)), length))
