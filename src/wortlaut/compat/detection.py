"""Speech cut into windows as the caller wants it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.compat.request import Listening
from wortlaut.pipeline import Pipeline
from wortlaut.speech.packing import MAXIMUM, pack
from wortlaut.speech.regions import Thresholds, find_regions
from wortlaut.speech.silero import FRAME_SAMPLES, SileroDetector
from wortlaut.speech.two_detectors import TwoDetectors
from wortlaut.stages import Advance, SpeechDetector, ignore


@dataclass(frozen=True, slots=True)
class ThresholdDetector:
    """The scores of a Silero detector, judged by other thresholds; any other detector judges by itself.

    Of two detectors the first is asked alone: who sets thresholds wants what they say, and no second opinion.
    """

    detector: SpeechDetector
    thresholds: Thresholds

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        """Return where people speak."""
        detector = self.detector.first if isinstance(self.detector, TwoDetectors) else self.detector
        if not isinstance(detector, SileroDetector):
            return detector.detect(audio, advance=advance)
        scores = detector.probabilities(audio, advance=advance)
        return find_regions(scores, FRAME_SAMPLES / SAMPLE_RATE, audio.duration, self.thresholds)


def tuned_to(pipeline: Pipeline, listening: Listening) -> Pipeline:
    """Return the pipeline with other windows and thresholds, where they were asked for."""
    if listening.longest_window != MAXIMUM:
        pipeline = replace(pipeline, pack=partial(pack, maximum=listening.longest_window))
    if listening.thresholds is not None:
        pipeline = replace(pipeline, detector=ThresholdDetector(pipeline.detector, listening.thresholds))
    return pipeline


def detector_for(folder: Path, listening: Listening) -> SileroDetector:
    """Return the built-in detector, loaded from a model's folder."""
    return SileroDetector(folder / "silero_vad_16k_sequence.onnx", thresholds=listening.thresholds)
