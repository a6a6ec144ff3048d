"""From text to words, and from words to character tokens.

The words of a text are its stretches between spaces. Scripts that are written without spaces have one word
a character, with the marks that belong to it. Joined, the words are the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_CHUNK = re.compile(r"\s*\S+")

# Ranges of scripts written without spaces between words, by code point.
_DENSE_SCRIPTS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark and zero
    (0x3041, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han
    (0xFF66, 0xFF9F),  # half-width Katakana
    (0x20000, 0x3FFFF),  # Han
)
# Sounds that only exist together with the character before: small kana, the long-vowel sign, Thai and Lao
# vowels and signs that Unicode counts as letters.
_BOUND_TO_PREVIOUS = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮー々ゝゞヽヾｧｨｩｪｫｬｭｮｯｰะาำๅๆฯະາຳຽໆຯ")
_BOUND_TO_NEXT = frozenset("เแโใไເແໂໃໄ")  # Thai and Lao vowels written before their consonant
_VIRAMAS = frozenset("\u1039\u17d2")  # they stack the next consonant under this one
_OPENING_CATEGORIES = frozenset({"Ps", "Pi"})
_OPENING_SIGNS = frozenset("¿¡$€£¥#@")
_SPOKEN_SIGNS = frozenset("%&@#§°")
_SPOKEN_CATEGORIES = frozenset({"L", "N", "Sc", "Sm"})


@dataclass(frozen=True, slots=True)
class SpelledWord:
    """A word and its tokens, which start with the separator (if any) and the signs that nobody speaks.

    Token `spoken_start` begins the first spoken character, token `spoken_end` follows the last. Both are
    offsets in `tokens`.
    """

    text: str
    tokens: tuple[int, ...]
    spoken_start: int
    spoken_end: int


def split_words(text: str) -> list[str]:
    """Return the words of a text; joined, they are the text. White space alone has no words.

    Signs that nobody speaks never stand alone: they belong to the word before, or at the start to the next.
    """
    units = [unit for chunk in _CHUNK.findall(text) for unit in _units(chunk)]
    if not units:
        return []
    words = _attach_signs(units)
    spent = sum(map(len, words))
    return [*words[:-1], words[-1] + text[spent:]]


def spell(words: Sequence[str], encode: Callable[[str], list[int]]) -> list[SpelledWord]:
    """Return each word as tokens: every character encoded alone, a space before where a word is separate.

    The first word gets a space too: Whisper's texts start with one, and it takes up the silence before.
    """
    codes = {character: tuple(encode(character)) for character in {" ", *"".join(words)}}
    return [_spell_word(word, codes, is_first=not position) for position, word in enumerate(words)]


def speaking_weight(word: str) -> float:
    """Return how long a word takes to say, in letters of an alphabet.

    A digit is a word ("seven"), a sign too ("percent"), an ideograph a syllable.
    """
    return max(sum(map(_character_weight, word)), 1.0)


def _units(chunk: str) -> list[str]:
    """Split a chunk (leading space, then none) before the characters of dense scripts, and after them."""
    units = [""]
    for character in chunk:
        if _starts_unit(units[-1], character):
            units.append(character)
        else:
            units[-1] += character
    return units


def _starts_unit(unit: str, character: str) -> bool:
    if not any(map(is_spoken, unit)):
        return False
    if unit[-1] in _VIRAMAS or unit[-1] in _BOUND_TO_NEXT:
        return False
    if character in _BOUND_TO_PREVIOUS or unicodedata.category(character).startswith("M"):
        return False
    if _is_opening(character):
        return any(map(_is_dense, unit))
    return is_spoken(character) and (_is_dense(character) or any(map(_is_dense, unit)))


def _attach_signs(units: Sequence[str]) -> list[str]:
    words: list[str] = []
    pending = ""
    for unit in units:
        if any(map(is_spoken, unit)):
            words.append(pending + unit)
            pending = ""
        elif words and not _is_opening(unit.strip()[0]):
            words[-1] += unit
        else:
            pending += unit
    if not pending:
        return words
    return [*words[:-1], words[-1] + pending] if words else [pending]


def _spell_word(word: str, codes: dict[str, tuple[int, ...]], *, is_first: bool) -> SpelledWord:
    body = word.strip()
    tokens = list(codes[" "]) if is_first or word[0].isspace() else []
    starts = []
    for character in body:
        starts.append(len(tokens))
        tokens.extend(codes[" " if character.isspace() else character])
    starts.append(len(tokens))
    spoken = [position for position, character in enumerate(body) if is_spoken(character)] or [0, len(body) - 1]
    last = spoken[-1] + 1
    while last < len(body) and unicodedata.category(body[last])[0] == "M":
        last += 1
    return SpelledWord(word, tuple(tokens), starts[spoken[0]], starts[last])


def _is_dense(character: str) -> bool:
    point = ord(character)
    return any(first <= point <= last for first, last in _DENSE_SCRIPTS)


def is_spoken(character: str) -> bool:
    """Return whether the character stands for something that is said: a letter, a number, some signs."""
    category = unicodedata.category(character)
    return category[0] in _SPOKEN_CATEGORIES or category in _SPOKEN_CATEGORIES or character in _SPOKEN_SIGNS


def _is_opening(character: str) -> bool:
    return unicodedata.category(character) in _OPENING_CATEGORIES or character in _OPENING_SIGNS


def _character_weight(character: str) -> float:
    if character.isdigit():
        return 5.0
    if character.isalpha():
        return 3.0 if _is_dense(character) else 1.0
    return 7.0 if is_spoken(character) else 0.0
