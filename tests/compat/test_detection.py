"""Windows and thresholds as the caller wants them."""

from __future__ import annotations

import numpy as np
import pytest

from wortlaut.audio import SpeechRegion
from wortlaut.compat.detection import ThresholdDetector, tuned_to
from wortlaut.compat.request import Listening
from wortlaut.pipeline import Pipeline
from wortlaut.speech.packing import pack
from wortlaut.speech.regions import Thresholds
from wortlaut.speech.silero import SileroDetector
from wortlaut.speech.two_detectors import TwoDetectors
from wortlaut.stages import ignore
from wortlaut.testing import ScriptedDetector, silence

FRAME = 512 / 16000


class Scored(SileroDetector):
    """Silero with scores of the test's: half a second doubtful, half a second sure, then nothing."""

    def __init__(self):
        pass

    def probabilities(self, audio, *, advance=ignore):
        scores = np.zeros(round(audio.duration / FRAME), np.float32)
        scores[10:26], scores[26:42] = 0.3, 0.9
        return scores


def test_a_lower_onset_hears_more():
    bare = {"padding": 0.0, "min_silence": 0.1}
    sure = ThresholdDetector(Scored(), Thresholds(onset=0.5, offset=0.4, **bare)).detect(silence(3.2))
    doubtful = ThresholdDetector(Scored(), Thresholds(onset=0.2, offset=0.1, **bare)).detect(silence(3.2))
    assert [(each.start, each.end) for each in sure] == [pytest.approx((26 * FRAME, 42 * FRAME))]
    assert [(each.start, each.end) for each in doubtful] == [pytest.approx((10 * FRAME, 42 * FRAME))]


def test_another_detector_judges_by_itself():
    regions = (SpeechRegion(1.0, 2.0),)
    assert ThresholdDetector(ScriptedDetector(regions), Thresholds(onset=0.9)).detect(silence(3.0)) == [*regions]


def test_of_two_detectors_the_first_alone_has_other_thresholds():
    two = TwoDetectors(Scored(), ScriptedDetector((SpeechRegion(2.0, 3.0),)))
    thresholds = Thresholds(onset=0.5, offset=0.4)
    found = ThresholdDetector(two, thresholds).detect(silence(3.2))
    assert found == ThresholdDetector(two.first, thresholds).detect(silence(3.2))


def test_a_pipeline_is_left_alone_unless_something_was_asked_for():
    pipeline = Pipeline(None, ScriptedDetector(()), pack, None, None)
    assert tuned_to(pipeline, Listening()) is pipeline
    tuned = tuned_to(pipeline, Listening(10.0, Thresholds()))
    assert isinstance(tuned.detector, ThresholdDetector)
    [first, second] = tuned.pack(silence(30.0), [SpeechRegion(1.0, 8.0), SpeechRegion(9.0, 16.0)])
    assert (first.regions, second.regions) == ((SpeechRegion(1.0, 8.0),), (SpeechRegion(9.0, 16.0),))
