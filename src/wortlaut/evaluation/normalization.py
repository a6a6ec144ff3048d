"""Texts as comparable tokens: the normalisation behind published Whisper error rates.

Whisper's paper (Radford et al. 2022, appendix C) compares texts after normalising them: for English, numbers as
digits, contractions written out, American spelling, no fillers; for every other language, case and punctuation
alone. `whisper-normalizer` carries that code and its spelling table under its own name. It differs from the
original in four informal words (kinda, sorta, dunno, cause), on both sides of the comparison.

So in German "zwölf" and "12" are different words, as in the published figures: a set whose references spell numbers
out looks worse than it sounds.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

LANGUAGES_WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Where Whisper's paper counts characters instead of words."""


def counts_characters(language: str | None) -> bool:
    """Whether errors are counted in characters (CER) and not in words (WER)."""
    return language in LANGUAGES_WITHOUT_SPACES


def tokens(text: str, language: str | None) -> list[str]:
    """Return the tokens that errors are counted in: characters for languages without spaces, else words.

    Vowel signs are kept (Whisper's code replaces them by spaces, which breaks Indic words apart).
    """
    if language == "en":
        return str(_english()(text)).split()
    if counts_characters(language):
        return list("".join(str(_basic()(text)).split()))
    return str(_basic()(text)).split()


def word_key(text: str) -> str:
    """Return what two words are compared by where they must stay single words: letters and digits, case folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum() or unicodedata.category(char).startswith("M"))


@cache
def _english() -> EnglishTextNormalizer:
    return EnglishTextNormalizer()


@cache
def _basic() -> BasicTextNormalizer:
    return BasicTextNormalizer(preserve_marks=True)
