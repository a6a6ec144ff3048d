"""Which words of two transcripts differ, how far apart their times are, and whether they agree who speaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from statistics import median

from wortlaut.transcript import Transcript, Word


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch in which two engines wrote different words; one of the two may be empty."""

    first: tuple[Word, ...]
    second: tuple[Word, ...]

    @property
    def start(self) -> float:
        """Seconds: where the earlier of the two begins."""
        return min(word.start for word in (*self.first[:1], *self.second[:1]))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much two transcripts have in common.

    `apart` is the median distance of the starts of words that both have, in seconds. `same_speaker` is the share of
    those words that both give to the same person, whatever they call them; None where one names nobody.
    """

    words_in_common: int
    differences: tuple[Difference, ...]
    apart: float | None
    same_speaker: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A segment of the first transcript, and the words of the second that belong there; differing words are marked."""

    first: tuple[tuple[Word, bool], ...]
    second: tuple[tuple[Word, bool], ...]


def agreement(first: Transcript, second: Transcript) -> Agreement:
    """Compare two transcripts of one recording. Case and punctuation do not count."""
    ours, theirs = first.words, second.words
    matcher = _matcher(ours, theirs)
    pairs = [
        (ours[block.a + offset], theirs[block.b + offset])
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    ]
    differences = tuple(
        Difference(ours[a:b], theirs[c:d]) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"
    )
    apart = median(abs(one.start - other.start) for one, other in pairs) if pairs else None
    return Agreement(len(pairs), differences, apart, _same_speaker(pairs))


def side_by_side(first: Transcript, second: Transcript) -> list[Row]:
    """Return a row for each segment of the first transcript; all words of both are in one row each, in order."""
    ours, theirs = first.words, second.words
    row_of = [index for index, segment in enumerate(first.segments) for _ in segment.words]
    left: list[list[tuple[Word, bool]]] = [[] for _ in first.segments or [None]]
    right: list[list[tuple[Word, bool]]] = [[] for _ in left]
    for tag, a, b, c, d in _matcher(ours, theirs).get_opcodes():
        differs = tag != "equal"
        for position in range(a, b):
            left[row_of[position]].append((ours[position], differs))
        for position in range(c, d):
            # A word of the second goes to the row of the word that it stands beside.
            beside = min(a + position - c, max(b, a + 1) - 1, len(row_of) - 1)
            right[row_of[beside] if row_of else 0].append((theirs[position], differs))
    return [Row(tuple(one), tuple(other)) for one, other in zip(left, right, strict=True) if one or other]


def plain(word: Word) -> str:
    """Return the letters and digits of a word, in lower case; the word itself if it has none."""
    letters = "".join(character for character in word.text.casefold() if character.isalnum())
    return letters or word.text.strip()


def _matcher(first: Sequence[Word], second: Sequence[Word]) -> SequenceMatcher[str]:
    return SequenceMatcher(None, [plain(word) for word in first], [plain(word) for word in second], autojunk=False)


def _same_speaker(pairs: Sequence[tuple[Word, Word]]) -> float | None:
    named = [(one.speaker, other.speaker) for one, other in pairs if one.speaker and other.speaker]
    if not named:
        return None
    # Each name of the second stands for the name of the first with which it shares most words, one for one.
    meaning: dict[str, str] = {}
    for (one, other), _ in Counter(named).most_common():
        if other not in meaning and one not in meaning.values():
            meaning[other] = one
    return sum(meaning.get(other) == one for one, other in named) / len(named)
