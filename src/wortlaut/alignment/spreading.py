"""Word times without listening: for those who want text and speakers, and are in a hurry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wortlaut.alignment.interpolation import in_order, spread
from wortlaut.alignment.spelling import split_words
from wortlaut.audio import Audio, SpeechRegion
from wortlaut.transcript import Passage, Word


class SpreadingAligner:
    """An `Aligner` that spreads the words of a passage over its speech; all of them say `interpolated`."""

    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:  # noqa: ARG002 the seam's
        """Yield the words of each passage, in order."""
        for passage in passages:
            regions = passage.regions or (SpeechRegion(passage.start, passage.end),)
            yield in_order(spread(split_words(passage.text), regions), passage.start, passage.end)
