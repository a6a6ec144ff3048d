from __future__ import annotations

import pytest

from wortlaut.evaluation.normalization import counts_characters, tokens, word_key


@pytest.mark.parametrize(
    ("spoken", "normal"),
    [
        # the behaviour that Whisper's paper describes, appendix C
        ("Mr. Park visited Assoc. Prof. Kim Jr.", "mister park visited associate professor kim junior"),
        ("Let's go, he's been like that", "let us go he has been like that"),
        ("I can't, I won't, they don't", "i can not i will not they do not"),
        ("Uh, the colour of the, um, aluminium", "the color of the aluminum"),
        ("(coughs) the end [music]", "the end"),
        ("two hundred million dollars", "$200000000"),
        ("forty-three thousand two hundred and sixty", "43260"),
        ("nineteen ninety nine", "1999"),
        ("twenty sixth of August", "26th of august"),
        ("seventy six per cent", "76%"),
        ("double oh seven", "007"),
        ("1,000 people", "1000 people"),
        ("the naïve café", "the naive cafe"),
    ],
)
def test_english_is_normalised_as_published_figures_are(spoken: str, normal: str) -> None:
    assert " ".join(tokens(spoken, "en")) == normal


def test_numbers_written_and_spoken_are_the_same_in_english_and_not_in_german() -> None:
    assert tokens("twenty one", "en") == tokens("21", "en")
    assert tokens("einundzwanzig", "de") != tokens("21", "de")


@pytest.mark.parametrize(
    ("spoken", "language", "normal"),
    [
        ("Schöne Grüße, Herr Müller!", "de", "schöne grüße herr müller"),
        ("¿Qué tal?  Muy bien.", "es", "qué tal muy bien"),
        ("l'été — déjà", "fr", "l été déjà"),
        ("Don't colour", None, "don t colour"),
        ("हिन्दी भाषा", "hi", "हिन्दी भाषा"),
    ],
)
def test_other_languages_lose_case_and_punctuation_only(spoken: str, language: str | None, normal: str) -> None:
    assert " ".join(tokens(spoken, language)) == normal


def test_japanese_is_counted_in_characters() -> None:
    assert tokens("今日は、 晴れ。", "ja") == list("今日は晴れ")
    assert counts_characters("ja")
    assert counts_characters("zh")
    assert not counts_characters("ko")
    assert not counts_characters(None)


def test_word_keys_keep_words_whole() -> None:
    assert word_key(" Don't,") == "dont"
    assert word_key("ＡＢＣ1") == "abc1"
    assert word_key("—") == ""
