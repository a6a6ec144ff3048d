"""The whole pipeline, with real models, where nobody speaks and where people repeat themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

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


@pytest.mark.parametrize(
    "name",
    ["noise_30s.flac", "silence_180s.flac", "wt_empty.wav", "wt_empty_mp3.mp3", "ina_silence2sec.wav", "c2_david4.wav"],
)
def test_recorded_silence_noise_and_tones_have_no_words(models_dir, eval_dir, name):
    with Transcriber(Settings(models_dir=models_dir)) as transcriber:
        assert transcriber.transcribe(eval_dir / "hard-media" / name, Options(speakers=None)).words == ()


@pytest.mark.parametrize(
    "name", [pytest.param("wt_laugh1.mp3", marks=pytest.mark.slow), "wt_laugh2.mp3", "header_lies.wav", "wt_gloria.mp3"]
)
def test_what_is_kept_of_laughter_and_of_voices_under_music_is_marked(models_dir, eval_dir, name):
    with Transcriber(Settings(models_dir=models_dir)) as transcriber:
        transcript = transcriber.transcribe(eval_dir / "hard-media" / name, Options(speakers=None))
    codes = {notice.code for notice in transcript.warnings}
    assert codes & ({"low-confidence"} if transcript.words else {"window-without-speech"})


def test_the_language_of_a_single_word_is_uncertain(models_dir, eval_dir):
    with Transcriber(Settings(models_dir=models_dir)) as transcriber:
        transcript = transcriber.transcribe(eval_dir / "hard-media" / "wt_bonjour.wav", Options(speakers=None))
    assert "language-uncertain" in {notice.code for notice in transcript.warnings}


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
    assert all(repeated[word] <= times * said[word] for word in said)
    assert sum(repeated.values()) <= 1.1 * times * sum(said.values())
    assert sum(repeated.values()) >= 0.6 * times * sum(said.values())


def longest_row(words: Sequence[str]) -> int:
    """Return how often a phrase of up to eight words stands in a row, at most."""
    most = min(len(words), 1)
    for size in range(1, 9):
        row = size
        for before, word in zip(words, words[size:], strict=False):
            row = row + 1 if before == word else size
            most = max(most, row // size)
    return most


@pytest.mark.parametrize(
    ("text", "expected"), [("", 0), ("a b c", 1), ("a a a b", 3), ("x a b a b y", 2), ("a b c a b c a b", 2)]
)
def test_a_row_is_a_phrase_again_and_again(text, expected):
    assert longest_row(text.split()) == expected


@pytest.mark.slow
def test_a_list_read_three_times_makes_no_loop(transcribe, conversation):
    """Twelve pieces of speech with a pause after each, as somebody counts; nothing is said twice in a row."""
    starts = [7.2 + 1.7 * number for number in range(12)]
    pause = np.zeros(SAMPLE_RATE * 3 // 10, np.float32)
    pieces = [conversation[round(at * SAMPLE_RATE) : round((at + 0.6) * SAMPLE_RATE)] for at in starts]
    counted = np.concatenate([sound for piece in pieces for sound in (piece, pause)])
    once, thrice = (plain_words(transcribe(np.tile(counted, times))) for times in (1, 3))
    assert once
    assert longest_row(thrice) < 4
    assert len(thrice) <= 1.3 * 3 * len(once)


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "language"), [("de-kerstin", "de"), ("librispeech-test-other", "en")])
def test_sentences_of_other_speakers_in_a_row_make_no_loop(transcribe, eval_dir, folder, language):
    with Transcriber(Settings()) as transcriber:
        for file in sorted((eval_dir / folder).glob("*.flac"))[::60]:
            audio = transcriber.decode(file)
            sentence = np.concatenate([audio.clip(0.0, audio.duration), np.zeros(SAMPLE_RATE // 2, np.float32)])
            said = plain_words(transcribe(sentence, language=language))
            again = plain_words(transcribe(np.tile(sentence, 5), language=language))
            assert longest_row(again) <= 5 * max(1, longest_row(said))
            assert len(again) <= 1.15 * 5 * len(said)


def test_repeated_syllables_make_no_loop(transcribe, conversation):
    syllable = conversation[round(14.0 * SAMPLE_RATE) : round(14.25 * SAMPLE_RATE)]
    transcript = transcribe(np.tile(np.concatenate([syllable, np.zeros(800, np.float32)]), 60))
    assert len(transcript.words) <= 60
