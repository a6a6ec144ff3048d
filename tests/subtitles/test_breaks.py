"""The price of a break between two words."""

from __future__ import annotations

import pytest

from wortlaut.subtitles.breaks import Break, break_price, ends_sentence
from wortlaut.transcript import Word


def price(text, *, language="en", pause=0.0):
    """Price the break at the bar."""
    before, after = text.split("|")
    return break_price(Word(before, 0.0, 1.0), Word(after, 1.0 + pause, 2.0 + pause), language)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("end.| next", "en", Break.SENTENCE),
        ("end!»| next", "fr", Break.SENTENCE),
        ("well,| next", "en", Break.CLAUSE),
        ("word| next", "en", Break.PLAIN),
        ("the| next", "en", Break.CLINGING),
        ("The| next", "en", Break.CLINGING),
        ("die| Frau", "de", Break.CLINGING),
        ("die| slowly", "en", Break.PLAIN),
        ("the| next", "fi", Break.PLAIN),
        ("Herr| Müller", "de", Break.TORN),
        ("Dr.| Smith", "en", Break.TORN),
        ("Angela| Merkel", "de", Break.TORN),
        ("J.| Smith", "en", Break.TORN),
        ("3| million", "en", Break.TORN),
        ("1990| and", "en", Break.PLAIN),
        ("Berlin.| Paris", "en", Break.SENTENCE),
        ("USA| Today", "en", Break.PLAIN),
        ("don|'t", "en", Break.FORBIDDEN),
        ("wait| )", "en", Break.FORBIDDEN),
        ("(| wait", "en", Break.FORBIDDEN),
        ("日|本", "ja", Break.PLAIN),
        ("日|。", "ja", Break.FORBIDDEN),
        ("「|日", "ja", Break.FORBIDDEN),
        ("ち|ょ", "ja", Break.FORBIDDEN),
        ("。|日", "ja", Break.SENTENCE),
        ("、|日", "ja", Break.CLAUSE),
        ("สวัสดี|ครับ", "th", Break.PLAIN),
        ("؟| نعم", "ar", Break.SENTENCE),
        (" | x", "en", Break.FORBIDDEN),
    ],
)
def test_price(text, language, expected):
    assert price(text, language=language) == expected


def test_a_pause_makes_a_break_cheaper():
    assert price("word| next", pause=0.3) == Break.PAUSE
    assert price("word| next", pause=0.29) == Break.PLAIN


@pytest.mark.parametrize("text", ["yes.", " no?", "„Ja!“", "好。", "president."])
def test_sentence_ends(text):
    assert ends_sentence(Word(text, 0, 1))


@pytest.mark.parametrize("text", ["Dr.", " z.B.", "well,", "Mrs.", "e.g."])
def test_what_ends_no_sentence(text):
    assert not ends_sentence(Word(text, 0, 1))
