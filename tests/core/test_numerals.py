"""Spoken numbers in digits: the right ones, with the time of all their words."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.assembly import Transcriber
from wortlaut.assembly.own import decoding_of
from wortlaut.audio import SpeechRegion, Window
from wortlaut.errors import ExtraMissing, InvalidOption
from wortlaut.numerals import LANGUAGES, PAUSE, in_digits, numeral_notices
from wortlaut.options import Decoding, Options
from wortlaut.pipeline import Pipeline
from wortlaut.settings import Settings
from wortlaut.testing import ScriptedAligner, ScriptedDecoder, ScriptedDetector, ScriptedRecognizer, silence
from wortlaut.transcript import Segment, Word


def segment(text: str, language: str = "en") -> Segment:
    """Each word lasts half a second and follows the one before."""
    words = text.split(" ")
    return Segment(
        tuple(Word(each if not i else f" {each}", i / 2, (i + 1) / 2, 0.9, "A") for i, each in enumerate(words)),
        language,
    )


def converted(text: str, language: str = "en") -> str:
    return next(in_digits([segment(text, language)])).text


@pytest.mark.parametrize(
    ("language", "spoken", "written"),
    [
        ("en", "Twenty three apples and forty-two pears.", "23 apples and 42 pears."),
        ("en", "two hundred and six point five percent", "206.5 percent"),
        ("en", "It was nineteen ninety-five, or twenty twenty six.", "It was 1995, or 2026."),
        ("en", "fifteen twenty", "15 20"),
        ("en", "The twenty-first of May", "The 21st of May"),
        ("en", '"Twelve", he said (twenty one).', '"12", he said (21).'),
        ("en", "one, two, three, four", "1, 2, 3, 4"),
        ("de", "dreiundzwanzig Leute am einundzwanzigsten Mai neunzehnhundertneunzig", "23 Leute am 21. Mai 1990"),
        ("de", "drei Komma fünf Prozent", "3,5 Prozent"),
        ("fr", "quatre-vingt dix-sept euros", "97 euros"),
        ("es", "treinta y dos personas", "32 personas"),
        ("it", "ventitré persone", "23 persone"),
        ("pt", "vinte e três", "23"),
        ("nl", "drieëntwintig", "23"),
        ("da", "treogtyve", "23"),
    ],
)
def test_numbers_are_written_in_digits(language, spoken, written):
    assert language in LANGUAGES
    assert converted(spoken, language) == written


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "No one has two."),
        ("en", "wait one second"),
        ("en", "hundreds of thousands"),
        ("en", "23 million"),
        ("en", "the third one"),
        ("en", "3.5 %, $5, 14:30 and the 1990s"),
        ("de", "Gib acht, eine Million"),
        ("fr", "un homme neuf"),
        ("it", "tu sei bello"),
        ("ja", "二十三"),
    ],
)
def test_what_is_no_number_stays(language, text):
    assert converted(text, language) == text


def test_the_number_spans_its_words_and_is_as_sure_as_the_least_sure():
    words = (
        Word("It", 0.0, 0.1, 0.9, "A"),
        Word(" costs", 0.1, 0.4, 0.9, "A"),
        Word(" twenty", 0.5, 0.8, 0.9, "A"),
        Word(" three,", 0.9, 1.3, 0.4, "A", "interpolated"),
        Word(" no?", 1.4, 1.6, None, "A"),
    )
    [after] = in_digits([Segment(words, "en", -0.3)])
    assert after.words == (*words[:2], Word(" 23,", 0.5, 1.3, 0.4, "A", "interpolated"), words[4])
    assert (after.language, after.avg_logprob) == ("en", -0.3)


def test_a_number_of_unknown_confidence_stays_unknown():
    [after] = in_digits([Segment((Word("twenty", 0, 1, None), Word(" three", 1, 2, 0.5)), "en")])
    assert after.words == (Word("23", 0, 2, None),)


def test_a_number_does_not_go_on_behind_a_pause():
    later = 1.0 + PAUSE + 0.1
    [after] = in_digits([Segment((Word("twenty", 0, 1.0), Word(" three", later, later + 1)), "en")])
    assert [word.text for word in after.words] == ["20", " 3"]


SPOKEN = [
    "twenty",
    "three",
    "hundred",
    "and",
    "point",
    "nineteen",
    "ninety-five",
    "no",
    "one,",
    "(second",
    "5",
    "%",
    "a.",
]


@given(
    st.lists(st.tuples(st.sampled_from(SPOKEN), st.floats(0.01, 1), st.floats(0, 1)), min_size=1),
    st.sampled_from([*sorted(LANGUAGES), "ja"]),
)
def test_words_stay_in_order_and_none_is_lost(script, language):
    words, now = [], 0.0
    for text, length, gap in script:
        words.append(Word(f" {text}", now, now + length, gap, "A"))
        now += length + gap
    before = Segment(tuple(words), language)
    [after] = in_digits([before])
    assert (after.start, after.end, after.speaker) == (before.start, before.end, "A")
    assert all(word.start < word.end for word in after.words)
    assert all(one.end <= other.start for one, other in pairwise(after.words))
    assert "".join(word.text for word in after.words).strip() == after.text
    assert {word.start for word in after.words} <= {word.start for word in words}
    assert {word.end for word in after.words} <= {word.end for word in words}
    kept = [word for word in after.words if word not in words]
    assert all(any(character.isdigit() for character in word.text) for word in kept)


def test_what_was_not_written_as_asked_is_said():
    german, japanese = segment("dreiundzwanzig", "de"), segment("二十三", "ja")
    left = segment("the 1990s")
    assert list(numeral_notices([german], "digits")) == []
    assert [notice.code for notice in numeral_notices([german, japanese], "digits")] == ["numerals-unsupported"]
    assert [notice.code for notice in numeral_notices([left], "words")] == ["numerals-left"]
    assert list(numeral_notices([german], "words")) == []
    assert list(numeral_notices([left, japanese], "as-is")) == []


def test_the_way_through_the_pipeline():
    region = SpeechRegion(1.0, 3.0)
    stages = Pipeline(
        ScriptedDecoder(silence(10.0)),
        ScriptedDetector((region,)),
        lambda audio, regions: [Window(each.start, each.end, (each,)) for each in regions],
        ScriptedRecognizer((" I have twenty three. And you?",)),
        ScriptedAligner(),
    )
    transcript = stages.transcribe(Path("a.wav"), Options(numerals="digits", language="en"))
    assert [each.text for each in transcript.segments] == ["I have 23.", "And you?"]
    transcript = stages.transcribe(Path("a.wav"), Options(numerals="digits", language="sw"))
    assert "twenty three" in transcript.text
    assert [notice.code for notice in transcript.warnings] == ["numerals-unsupported"]


def test_words_are_had_by_keeping_the_model_from_digits():
    assert decoding_of(Options(numerals="words")).suppress_numerals
    assert decoding_of(Options(numerals="digits")) == Decoding()
    with pytest.raises(InvalidOption):
        Options(numerals="roman")


def test_without_the_library_digits_are_refused_before_anything_runs(monkeypatch, tmp_path):
    monkeypatch.setattr("wortlaut.numerals.find_spec", lambda name: None)
    assert importlib.util.find_spec("text_to_num")
    with pytest.raises(ExtraMissing) as raised:
        Transcriber(Settings(models_dir=tmp_path, offline=True)).transcribe("a.wav", Options(numerals="digits"))
    assert "wortlaut[numerals]" in raised.value.hint


@pytest.mark.models
def test_numerals_and_signs_have_times_like_other_words(models_dir, sample_conversation):
    """Times that lie in order and inside, whatever is said: the text need not be the recording's."""
    with Transcriber(Settings(models_dir=models_dir, offline=True, threads=1)) as transcriber:
        words = transcriber.align(
            sample_conversation, "In the 1990s 3.5 % of $20 or 5 € were paid at 14:30 - 23.", "en"
        )
    assert [word.text.strip() for word in words][2:4] == ["1990s", "3.5"]
    assert all(word.start < word.end for word in words)
    assert all(one.end <= other.start + 1e-6 for one, other in pairwise(words))
