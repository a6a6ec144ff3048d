from __future__ import annotations

import numpy as np

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.transcript import Turn
from wortlaut.trust.listening import by_detector, by_turns
from wortlaut.trust.spans import Span


class LoudDetector:
    """Hears speech in every sample above a half."""

    def detect(self, audio, /, **_):
        loud = np.flatnonzero(audio.clip(0.0, audio.duration) > 0.5)
        self.heard_samples = len(audio.samples)
        return [SpeechRegion(loud[0] / SAMPLE_RATE, (loud[-1] + 1) / SAMPLE_RATE)] if len(loud) else []


def test_a_detector_hears_the_stretch_alone_and_answers_on_the_clock_of_the_recording():
    array = np.zeros(10 * SAMPLE_RATE, np.float32)
    array[: 2 * SAMPLE_RATE] = 1.0
    array[5 * SAMPLE_RATE : 6 * SAMPLE_RATE] = 1.0
    detector = LoudDetector()
    listen = by_detector(Audio.from_array(array), detector)
    assert listen(Span(4.0, 8.0)) == [SpeechRegion(5.0, 6.0)]
    assert detector.heard_samples == 4 * SAMPLE_RATE
    assert listen(Span(7.0, 99.0)) == []
    assert listen(Span(20.0, 30.0)) == []


def test_turns_answer_for_a_stretch_whoever_speaks():
    listen = by_turns([Turn(1.0, 3.0, "A"), Turn(2.0, 4.0, "B"), Turn(6.0, 7.0, "A")])
    assert listen(Span(0.0, 10.0)) == [SpeechRegion(1.0, 4.0), SpeechRegion(6.0, 7.0)]
    assert listen(Span(3.5, 6.5)) == [SpeechRegion(3.5, 4.0), SpeechRegion(6.0, 6.5)]
    assert listen(Span(4.0, 6.0)) == []
