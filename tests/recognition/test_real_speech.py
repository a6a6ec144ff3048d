"""Real models on real speech from the evaluation audio beside the checkout."""

from __future__ import annotations

import json
import re
from pathlib import Path

import av
import ctranslate2
import jiwer
import numpy as np
import pytest

from wortlaut.audio import Audio, SpeechRegion, Window
from wortlaut.options import Decoding
from wortlaut.recognition.model import WhisperModel
from wortlaut.recognition.recognizer import WhisperRecognizer
from wortlaut.recognition.search import stacked

pytestmark = pytest.mark.models


def items(folder: Path, *, longest: float = 20.0) -> list[dict]:
    lines = (folder / "manifest.jsonl").read_text("utf-8").splitlines()
    return [item for item in map(json.loads, lines) if item["duration"] <= longest]


def decoded(file: Path) -> Audio:
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(file)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return Audio.from_array(np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32) / 32768)


def whole(audio: Audio) -> Window:
    return Window(0.0, audio.duration, (SpeechRegion(0.0, audio.duration),))


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


@pytest.fixture(scope="module")
def base(models_dir):
    return WhisperModel.load(models_dir / "whisper-base", workers=1, threads=1)


def recognizer(model, **decoding) -> WhisperRecognizer:
    return WhisperRecognizer(model, decoding=Decoding(**decoding), task="transcribe")


def test_german_is_heard_as_german(base, eval_dir):
    folder = eval_dir / "de-kerstin"
    item = items(folder)[0]
    audio = decoded(folder / item["audio"])
    guess = recognizer(base).detect_language(audio, [whole(audio)])
    assert guess.language == "de"
    assert guess.probability > 0.5
    [passage] = recognizer(base).recognize(audio, [whole(audio)], language="de")
    assert jiwer.wer(words((folder / item["ref"]).read_text("utf-8")), words(passage.text)) < 0.5
    assert base.tokenizer.decode(passage.tokens) == passage.text


def test_the_english_only_model_understands_english(models_dir, eval_dir):
    model = WhisperModel.load(models_dir / "whisper-tiny.en", workers=2, threads=1)
    folder = eval_dir / "librispeech-test-other"
    chosen = items(folder)[:2]
    for item in chosen:
        audio = decoded(folder / item["audio"])
        [passage] = recognizer(model).recognize(audio, [whole(audio)], language="en")
        assert jiwer.wer(words((folder / item["ref"]).read_text("utf-8")), words(passage.text)) < 0.5
        assert passage.avg_logprob > -1
        assert passage.notices == ()


def test_batches_features_and_encoder_outputs_give_the_same_text(models_dir, eval_dir):
    model = WhisperModel.load(models_dir / "whisper-tiny.en", workers=1, threads=1)
    folder = eval_dir / "librispeech-test-other"
    recordings = [decoded(folder / item["audio"]) for item in items(folder)[2:4]]
    outputs = [model.encode(audio, 0.0, audio.duration) for audio in recordings]
    features = [model._features(audio.clip(0.0, audio.duration), is_padded=True) for audio in recordings]
    prompt = [model.tokenizer.sot, model.tokenizer.no_timestamps]

    def texts(inputs, count):
        return [result.sequences_ids[0] for result in model.engine.generate(inputs, [prompt] * count, beam_size=1)]

    alone = [texts(output, 1)[0] for output in outputs]
    assert all(len(tokens) > 5 for tokens in alone)
    assert texts(stacked(outputs), 2) == alone
    assert texts(ctranslate2.StorageView.from_array(np.concatenate(features)), 2) == alone


def test_without_numerals_numbers_are_words(models_dir, eval_dir):
    model = WhisperModel.load(models_dir / "whisper-tiny.en", workers=1, threads=1)
    folder = eval_dir / "librispeech-test-other"
    audio = decoded(folder / items(folder)[0]["audio"])
    [passage] = recognizer(model, suppress_numerals=True, beam_size=1).recognize(audio, [whole(audio)], language="en")
    assert passage.text
    assert not re.search(r"[0-9%$£€]", passage.text)
