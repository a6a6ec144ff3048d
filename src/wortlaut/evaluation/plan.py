"""What is asked of the subject for each recording of a set."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wortlaut.evaluation.observing import Task
from wortlaut.evaluation.sets import EvaluationSet, Item
from wortlaut.options import Options, Speakers

WORTH_WARMING_UP = 2.0
"""Seconds: a recording this long has enough in it that every model is loaded for it."""

LONGEST_TO_ALIGN = 30.0
"""Seconds: a known text is aligned in one of Whisper's windows."""


class Languages(StrEnum):
    """Where the language comes from: the manifest, as published word error rates have it, or the subject's ears."""

    given = "given"
    detect = "detect"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to measure.

    `speakers` is `where-known` (diarize sets with true turns, and only those), `given` (the same, and tell the
    subject how many), or what `Speakers.parse` reads: auto, off, 2, 2-4.
    """

    model: str = "base"
    languages: Languages = Languages.given
    speakers: str = "where-known"
    aligns_true_text: bool = True

    def options(self, item: Item) -> Options:
        """Return what is asked for this recording. Words are always asked for: it is the whole way that costs."""
        language = item.language if self.languages is Languages.given else None
        return Options(model=self.model, language=language, speakers=self._speakers(item))

    def task(self, item: Item) -> Task:
        """Return what to observe; the true text is aligned where its words' true times are known."""
        is_known = bool(item.words and item.text and item.language)
        is_aligned = self.aligns_true_text and is_known and item.duration <= LONGEST_TO_ALIGN
        return Task(item.media, self.options(item), item.text if is_aligned else None, item.language)

    def _speakers(self, item: Item) -> Speakers | None:
        if self.speakers not in ("where-known", "given"):
            return Speakers.parse(self.speakers)
        if not item.turns:
            return None
        return Speakers(item.speaker_count, item.speaker_count) if self.speakers == "given" else Speakers()


def warm_up(evaluation_set: EvaluationSet) -> int:
    """Return the number of the item that loads the models at least expense: the shortest with speech in it."""
    items = evaluation_set.items

    def unfitness(index: int) -> tuple[bool, bool, bool, float]:
        item = items[index]
        return item.is_broken, item.is_speechless, item.duration < WORTH_WARMING_UP, item.duration

    return min(range(len(items)), key=unfitness)
