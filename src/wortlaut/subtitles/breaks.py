"""How bad it is to break, for a new line or a new cue, between two words.

The principles are those of Netflix's line treatment and of the BBC's "break at natural points": after
punctuation, in pauses, before conjunctions and prepositions; not within names and numbers, and never where the
script forbids it (JIS X 4051 for Japanese).
"""

from __future__ import annotations

from enum import IntEnum

from wortlaut.subtitles.clinging_words import ABBREVIATED_TITLES, ABBREVIATIONS, CLINGING, TITLES
from wortlaut.subtitles.running_text import is_unspaced, is_wide
from wortlaut.transcript import Word


class Break(IntEnum):
    """The price of a break. The steps matter, not the unit: a layout is chosen by the least sum."""

    SENTENCE = 0
    CLAUSE = 2
    PAUSE = 3
    PLAIN = 6
    CLINGING = 12  # behind an article, a preposition, ...
    TORN = 60  # within a name or a number
    FORBIDDEN = 1000  # within a word, or before closing punctuation


PAUSE = 0.3
"""Seconds between words that listeners hear as a break."""

SENTENCE_ENDS = frozenset(".?!…。！？｡؟۔।॥")
CLAUSE_ENDS = frozenset(",;:–—、，；：､،؛")

# Quotation marks that open in one language close in another («, », “, ”) and are in neither of these.
_CLOSING = frozenset("、。，．・：；？！）〕］｝〉》」』】ー々ゝゞヽヾ｡､)]},;:!?%°،؛؟۔।॥")
_SMALL_KANA = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ")
_OPENING = frozenset("（〔［｛〈《「『【([{¿¡")
_QUOTES = "\"'“”‘’»«)]}」』）】"


def break_price(word: Word, following: Word, language: str) -> Break:
    """Return the price of a break between two neighbours."""
    text, next_text = word.text.strip(), following.text.strip()
    if not text or not next_text or _is_forbidden(text, next_text, has_space=_has_space(word, following)):
        return Break.FORBIDDEN
    clinging = CLINGING.get(language, frozenset())
    if _is_torn(text, next_text, is_clinging_next=next_text.casefold() in clinging):
        return Break.TORN
    if (punctuation := _punctuation(word)) is not None:
        return punctuation
    if following.start - word.end >= PAUSE:
        return Break.PAUSE
    return Break.CLINGING if text.casefold() in clinging else Break.PLAIN


def _punctuation(word: Word) -> Break | None:
    if ends_sentence(word):
        return Break.SENTENCE
    return Break.CLAUSE if word.text.strip().rstrip(_QUOTES)[-1:] in CLAUSE_ENDS else None


def ends_sentence(word: Word) -> bool:
    """Whether a sentence ends with this word: not for `Dr.` and the like."""
    text = word.text.strip()
    if text.casefold() in ABBREVIATIONS or (text.endswith(".") and text[:-1].casefold() in ABBREVIATED_TITLES):
        return False
    return text.rstrip(_QUOTES)[-1:] in SENTENCE_ENDS


def starts_badly(line: str) -> bool:
    """Whether a line starts with what must not stand there, such as closing punctuation."""
    return line[:1] in _CLOSING or line[:1] in _SMALL_KANA or line[:2] in (".", ". ")


def _has_space(word: Word, following: Word) -> bool:
    return word.text[-1:].isspace() or following.text[:1].isspace()


def _is_forbidden(text: str, next_text: str, *, has_space: bool) -> bool:
    if starts_badly(next_text) or text[-1] in _OPENING:
        return True
    return not has_space and not (is_unspaced(text[-1]) or is_unspaced(next_text[0]))


def _is_torn(text: str, next_text: str, *, is_clinging_next: bool) -> bool:
    """Whether the two belong together: a title and a name, a number and what it counts, two names."""
    if text.rstrip(".").casefold() in TITLES and next_text[:1].isupper():
        return True
    if text[-1].isdigit() and next_text[0].isalnum() and not is_wide(next_text[0]) and not is_clinging_next:
        return True
    return _is_name(text) and _is_name(next_text)


def _is_name(text: str) -> bool:
    """Whether the word looks like (a part of) a name: one capital at its start and no punctuation at its end."""
    letters = text.rstrip(_QUOTES)
    is_initial = len(letters) == 2 and letters[0].isupper() and letters[1] == "."  # noqa: PLR2004 - as in J. Smith
    has_end = letters[-1:] in SENTENCE_ENDS | CLAUSE_ENDS
    return is_initial or (len(letters) > 1 and letters[0].isupper() and not letters.isupper() and not has_end)
