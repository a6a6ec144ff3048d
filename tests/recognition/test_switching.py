"""Recordings in more than one language."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from wortlaut.options import Decoding
from wortlaut.recognition.recognizer import WhisperRecognizer
from wortlaut.recognition.switching import SURE_FROM_LITTLE, SURE_OF_ANOTHER, allowed, other_language

from .conftest import Said, window


def test_only_allowed_languages_share_the_probability():
    heard = {"de": 0.2, "nl": 0.7, "en": 0.1}
    assert allowed(heard, ()) == pytest.approx(heard)
    assert allowed(heard, ("de", "en")) == pytest.approx({"de": 2 / 3, "en": 1 / 3})
    assert allowed(heard, ("fr",)) == {"fr": 0.0}


@pytest.mark.parametrize(
    ("probability", "speech", "expected"),
    [
        (SURE_OF_ANOTHER, 9.0, "de"),
        (SURE_OF_ANOTHER - 0.01, 9.0, None),
        (SURE_OF_ANOTHER, 3.0, None),
        (SURE_FROM_LITTLE, 3.0, "de"),
    ],
)
def test_a_window_must_be_sure_and_surer_if_it_is_short(probability, speech, expected):
    assert other_language({"de": probability, "en": 1 - probability}, "en", window(0.0, speech=speech)) == expected
    assert other_language({"de": probability, "en": 1 - probability}, "de", window(0.0, speech=speech)) is None


@pytest.fixture
def bilingual(scripted, tokenizer):
    """Return a function to a model that hears German from 10 s on and writes what a script says for a language."""

    def build(script):
        model = scripted({})

        def generate(encoded, prompts, **_settings):
            starts = [int(value) for value in np.asarray(encoded)[:, 0, 0]]
            return [_answer(script, start, prompt) for start, prompt in zip(starts, prompts, strict=True)]

        def _answer(script, start, prompt):
            code = "de" if tokenizer.language_token("de") in prompt else "en"
            said = script[start // 10 * 10][code]  # a piece says what its window says
            tokens = tokenizer.encode(said.text)
            score = said.logprob * (len(tokens) + 1) / len(tokens)
            return SimpleNamespace(sequences_ids=[tokens], scores=[score], no_speech_prob=0.0)

        def detect_language(encoded):
            is_german = np.asarray(encoded)[0, 0, 0] >= 10
            return [[("<|de|>", 0.95 if is_german else 0.02), ("<|en|>", 0.03 if is_german else 0.97)]]

        model.engine.generate, model.engine.detect_language = generate, detect_language
        return model

    return build


SCRIPT = {
    0: {"en": Said(" Good evening.", -0.2), "de": Said(" Guten Abend auch.", -0.9)},
    10: {"en": Said(" And now in English.", -0.8), "de": Said(" Und jetzt auf Deutsch.", -0.2)},
}


def heard(model, audio, **more):
    recognizer = WhisperRecognizer(model, decoding=Decoding(), task=more.pop("task", "transcribe"), **more)
    windows = [window(0.0, speech=7.5), window(10.0, speech=7.5)]
    return [(one.language, one.text) for one in recognizer.recognize(audio, windows, language="en")]


def test_a_window_in_another_language_is_written_in_that(bilingual, audio):
    assert heard(bilingual(SCRIPT), audio, follows_switches=True) == [
        ("en", " Good evening."),
        ("de", " Und jetzt auf Deutsch."),
    ]


def test_a_less_probable_text_changes_nothing(bilingual, audio):
    accent = {0: SCRIPT[0], 10: {"en": Said(" With an accent.", -0.3), "de": Said(" Wiss än Äxent.", -0.8)}}
    assert heard(bilingual(accent), audio, follows_switches=True)[1] == ("en", " With an accent.")


@pytest.mark.parametrize(
    "more",
    [
        {"follows_switches": False},
        {"follows_switches": True, "languages": ["en"]},
        {"follows_switches": True, "task": "translate"},
    ],
)
def test_windows_stay_in_one_language_where_that_is_wanted(bilingual, audio, more):
    assert [code for code, _ in heard(bilingual(SCRIPT), audio, **more)] == ["en", "en"]


def test_a_language_that_is_not_allowed_is_not_detected(bilingual, audio):
    recognizer = WhisperRecognizer(bilingual(SCRIPT), decoding=Decoding(), task="transcribe", languages=["en", "fr"])
    guess = recognizer.detect_language(audio, [window(10.0)])
    assert (guess.language, guess.probability) == ("en", 1.0)


@pytest.mark.parametrize("asks_briefly", [False, True])
def test_a_window_is_filled_up_unless_it_is_asked_briefly(bilingual, audio, monkeypatch, asks_briefly):
    model, padded = bilingual(SCRIPT), []
    encode = model.encode

    def watched(audio, start, end, *, is_padded=True):
        padded.append(is_padded)
        return encode(audio, start, end, is_padded=is_padded)

    monkeypatch.setattr(model, "encode", watched)
    recognizer = WhisperRecognizer(model, decoding=Decoding(), task="transcribe", asks_briefly=asks_briefly)
    assert recognizer.detect_language(audio, [window(10.0)]).language == "de"
    assert padded == [not asks_briefly]


def test_a_passage_tells_how_probable_another_language_is_by_the_sound(bilingual, audio):
    def shares(**more):
        recognizer = WhisperRecognizer(bilingual(SCRIPT), decoding=Decoding(), task="transcribe", **more)
        windows = [window(0.0, speech=7.5), window(10.0, speech=7.5)]
        return [one.other_language_share for one in recognizer.recognize(audio, windows, language="en")]

    assert shares(follows_switches=True) == pytest.approx([0.02 / 0.99, 0.03 / 0.98])
    assert shares(follows_switches=False) == [0.0, 0.0]
