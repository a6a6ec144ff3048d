"""Words as running text: where a space stands between two of them, and where scripts have none."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from wortlaut.transcript import Segment, Word

_UNSPACED_SCRIPTS = ("THAI", "LAO", "KHMER", "MYANMAR")


def is_wide(character: str) -> bool:
    """Whether the character is as wide as a Chinese one (Unicode Standard Annex 11)."""
    return unicodedata.east_asian_width(character) in ("W", "F")


def is_unspaced(character: str) -> bool:
    """Whether the character's script writes words without spaces between them. Korean does not, though wide."""
    name = unicodedata.name(character, "")
    return name.startswith(_UNSPACED_SCRIPTS) or (is_wide(character) and not name.startswith("HANGUL"))


def running_words(segments: Iterable[Segment]) -> list[Word]:
    """Return the words of all segments such that, joined, they are one text.

    The first word of a segment may lack the space that separates it from the segment before: it gets one, unless
    the script has none.
    """
    words: list[Word] = []
    for segment in segments:
        first, *others = segment.words
        words.append(_spaced(first, words[-1].text) if words else first)
        words.extend(others)
    return words


def _spaced(word: Word, before: str) -> Word:
    is_separate = not before or not word.text or before[-1:].isspace() or word.text[:1].isspace()
    if is_separate or is_unspaced(before[-1]) or is_unspaced(word.text[0]):
        return word
    return replace(word, text=f" {word.text}")
