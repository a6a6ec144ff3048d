"""The whole pipeline, with real models, where nobody speaks and where people repeat themselves."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from wortlaut.assembly import Transcriber
from wortlaut.audio import SAMPLE_RATE
from wortlaut.options import Options
from wortlaut.settings import Settings
from wortlaut.transcript import Transcript

from .conftest import NOBODY, at_level, coloured

pytestmark = pytest.mark.models

SENTENCE = (13.8, 17.4)
"""Seconds of the sample conversation in which one person says a sentence of her own."""


def plain_words(transcript: Transcript) -> list[str]:
    return re.findall(r"[a-z]+", transcript.text.lower())


@pytest.mark.parametrize("kind", NOBODY)
def test_where_nobody_speaks_there_are_no_words(transcribe, rng, kind):
    transcript = transcribe(NOBODY[kind](rng), language=None)
    assert transcript.words == ()
    assert transcript.language == "und"


@pytest.mark.parametrize("name", ["noise_30s.flac", "wt_empty.wav", "wt_empty_mp3.mp3", "ina_silence2sec.wav"])
def test_recorded_silence_and_noise_have_no_words(models_dir, eval_dir, name):
    with Transcriber(Settings(models_dir=models_dir)) as transcriber:
        assert transcriber.transcribe(eval_dir / "hard-media" / name, Options(speakers=None)).words == ()


@pytest.mark.parametrize(
    "name", [pytest.param("wt_laugh1.mp3", marks=pytest.mark.slow), "wt_laugh2.mp3", "header_lies.wav"]
)
def test_what_is_kept_of_laughter_is_marked(models_dir, eval_dir, name):
    with Transcriber(Settings(models_dir=models_dir)) as transcriber:
        transcript = transcriber.transcribe(eval_dir / "hard-media" / name, Options(speakers=None))
    codes = {notice.code for notice in transcript.warnings}
    assert codes & ({"low-confidence"} if transcript.words else {"window-without-speech"})


def test_speech_in_noise_is_found_and_the_noise_around_it_says_nothing(transcribe, conversation, rng):
    speech = conversation[7 * SAMPLE_RATE : 29 * SAMPLE_RATE]
    noise = at_level(coloured(rng, 1), -45)
    whole = np.concatenate([noise, speech, noise])
    transcript = transcribe(whole)
    assert len(transcript.words) > 40
    assert transcript.words[0].start > 19.5
    assert transcript.words[-1].end < 43.0  # the recording is cut inside a word, which noise then goes on with


@pytest.mark.parametrize("times", [4, pytest.param(6, marks=pytest.mark.slow)])
def test_a_sentence_said_again_and_again_is_written_as_often_as_it_was_said(transcribe, conversation, times):
    start, end = (round(moment * SAMPLE_RATE) for moment in SENTENCE)
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    said = Counter(plain_words(transcribe(np.concatenate([conversation[start:end], pause]))))
    rarest = min(said, key=lambda word: (said[word], word))
    repeated = Counter(plain_words(transcribe(np.tile(np.concatenate([conversation[start:end], pause]), times))))
    assert repeated[rarest] <= times * said[rarest]
    assert sum(repeated.values()) <= 1.1 * times * sum(said.values())
    assert sum(repeated.values()) >= 0.6 * times * sum(said.values())


def test_repeated_syllables_make_no_loop(transcribe, conversation):
    syllable = conversation[round(14.0 * SAMPLE_RATE) : round(14.25 * SAMPLE_RATE)]
    transcript = transcribe(np.tile(np.concatenate([syllable, np.zeros(800, np.float32)]), 60))
    assert len(transcript.words) <= 60
