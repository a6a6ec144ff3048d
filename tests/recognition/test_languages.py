from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.errors import UnknownLanguage
from wortlaut.recognition.languages import ALIASES, LANGUAGES, parse_language


def test_whisper_has_a_hundred_languages():
    assert len(LANGUAGES) == 100
    assert len(set(LANGUAGES.values())) == 100
    assert list(LANGUAGES)[:4] == ["en", "zh", "de", "es"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_is_known_by_code_and_name(code):
    assert (
        parse_language(code) == parse_language(LANGUAGES[code].title()) == parse_language(f" {code.upper()} ") == code
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[("mandarin", "zh"), ("Castilian", "es"), ("flemish", "nl"), ("de-AT", "de"), ("pt_BR", "pt")],
        *[("haitian creole", "ht"), ("zh-Hans-CN", "zh"), ("nb", "no"), ("jv", "jw"), ("burmese", "my")],
    ],
)
def test_other_names_are_known(text, code):
    assert parse_language(text) == code


def test_aliases_lead_to_languages():
    assert set(ALIASES.values()) <= set(LANGUAGES)
    assert not set(ALIASES) & set(LANGUAGES)


def test_a_slip_of_the_pen_is_answered_with_what_was_meant():
    with pytest.raises(UnknownLanguage) as raised:
        parse_language("germn")
    assert "german" in raised.value.hint


@pytest.mark.parametrize("text", ["", "   ", "klingon", "--", "12345678"])
def test_what_nobody_speaks_is_unknown(text):
    with pytest.raises(UnknownLanguage) as raised:
        parse_language(text)
    assert raised.value.hint


@given(st.text())
def test_the_answer_is_a_language_or_an_error(text):
    with suppress(UnknownLanguage):
        assert parse_language(text) in LANGUAGES
