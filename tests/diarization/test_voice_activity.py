from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from wortlaut.assembly import Transcriber
from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.voice_activity import SegmentationDetector
from wortlaut.errors import ModelMissing
from wortlaut.settings import Settings
from wortlaut.testing import silence

pytestmark = pytest.mark.models

SENTENCE = (13.8, 17.4)


@pytest.fixture(scope="module")
def detector(models_dir):
    return SegmentationDetector(models_dir / "segmentation-3.0-int8" / "segmentation.onnx")


@pytest.fixture(scope="module")
def conversation(models_dir, sample_conversation) -> Audio:
    with Transcriber(Settings(models_dir=models_dir)) as transcriber:
        return transcriber.decode(sample_conversation)


def test_speech_is_heard_where_it_is(detector, conversation):
    told: list[float] = []
    regions = detector.detect(conversation, advance=told.append)
    assert regions[0].start == pytest.approx(6.7, abs=0.4)  # nobody speaks before
    assert sum(one.end - one.start for one in regions) > 18
    assert all(before.end < after.start for before, after in pairwise(regions))
    assert regions[-1].end <= conversation.duration
    assert told[-1] == pytest.approx(conversation.duration)


def test_a_sentence_alone_is_heard_even_in_louder_noise(detector, conversation):
    sentence = conversation.clip(*SENTENCE)
    rng = np.random.default_rng(2)
    hiss = rng.normal(size=len(sentence)) * np.sqrt(np.mean(np.square(sentence))) * 1.2
    regions = detector.detect(Audio.from_array((sentence + hiss).astype(np.float32)))
    assert sum(one.end - one.start for one in regions) > 2.5
    assert regions[-1].end <= len(sentence) / SAMPLE_RATE


@pytest.mark.parametrize("seconds", [0.05, 1.6, 12.0])
def test_noise_alone_and_silence_say_nothing(detector, seconds):
    noise = np.random.default_rng(3).normal(size=round(seconds * SAMPLE_RATE)) * 0.1
    assert detector.detect(Audio.from_array(noise.astype(np.float32))) == []
    assert detector.detect(silence(seconds)) == []
    assert detector.detect(silence(0.0)) == []


def test_without_the_model_it_says_which(tmp_path):
    with pytest.raises(ModelMissing):
        SegmentationDetector(tmp_path / "segmentation.onnx")
