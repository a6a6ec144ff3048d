"""From words to the characters that a CTC network knows.

A character is looked up as it is, in the other case, and without its accents. What is said and still unknown (a
digit, a sign, another script) becomes a wildcard, which any sound matches; what is not said takes no part.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wortlaut.alignment.spelling import is_spoken

NO_WORD = -1
"""The word that a separator belongs to."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The columns of a CTC network: `columns` by character, the blank, and the separator of words if it has one.

    The wildcard is one column more, which `with_wildcard` adds.
    """

    columns: Mapping[str, int]
    blank: int
    size: int
    separator: int | None = None

    @property
    def wildcard(self) -> int:
        """The column of the wildcard."""
        return self.size

    def spell(self, words: Sequence[str]) -> SpelledText:
        """Return the columns of a text; a run of unknown characters is one wildcard."""
        pairs: list[tuple[int, int]] = []
        for index, word in enumerate(words):
            if self.separator is not None and index and word[:1].isspace() and pairs and pairs[-1][1] != NO_WORD:
                pairs.append((self.separator, NO_WORD))
            for column in self._columns_of(word):
                if not (column == self.wildcard and pairs and pairs[-1] == (column, index)):
                    pairs.append((column, index))
        if pairs and pairs[-1][1] == NO_WORD:
            pairs.pop()
        columns, owners = zip(*pairs, strict=True) if pairs else ((), ())
        return SpelledText(np.array(columns, dtype=np.int64), np.array(owners, dtype=np.int64))

    def with_wildcard(self, log_probs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add the wildcard's column: as probable as the most probable of all others, the blank among them.

        The blank, because a number is several words, with blanks between their sounds.
        """
        return np.concatenate([log_probs, log_probs.max(axis=1, keepdims=True)], axis=1)

    def _columns_of(self, word: str) -> Iterator[int]:
        for character in unicodedata.normalize("NFC", word):
            known = next((found for found in map(self._look_up, _readings(character)) if found), None)
            if known:
                yield from known
            elif is_spoken(character):
                yield self.wildcard

    def _look_up(self, reading: str) -> list[int]:
        """Return the columns of all characters of a reading, none if one is unknown."""
        found = [self.columns.get(character) for character in reading]
        return [column for column in found if column is not None] if None not in found else []


@dataclass(frozen=True, slots=True)
class SpelledText:
    """Columns and the index of the word that each belongs to (`NO_WORD` for separators), both of shape (tokens,)."""

    columns: NDArray[np.int64]
    owners: NDArray[np.int64]


def _readings(character: str) -> Iterator[str]:
    """Yield what a character may be written as in a vocabulary, the nearest first."""
    yield character
    yield character.lower()
    yield character.upper()
    yield character.casefold()
    base = "".join(each for each in unicodedata.normalize("NFKD", character) if unicodedata.category(each) != "Mn")
    yield base.lower()
    yield base.upper()
