"""One segment a window, which is what whisperX gives without alignment, and a look at windows as they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from operator import attrgetter

from wortlaut.audio import Audio
from wortlaut.stages import Aligner, ignore
from wortlaut.transcript import Passage, Segment, Transcript, Word


@dataclass(frozen=True, slots=True)
class ChunkKeeper:
    """An `Aligner` that keeps which passage has how many words, for one recording, and shows each passage."""

    aligner: Aligner
    show: Callable[[Passage], None] = ignore
    chunks: list[tuple[Passage, int]] = field(default_factory=list)

    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:
        """Yield the words of each passage as the aligner does."""
        heard: list[Passage] = []
        for words in self.aligner.align(audio, self._shown(passages, heard)):
            self.chunks.append((heard[len(self.chunks)], len(words)))
            yield words

    def _shown(self, passages: Iterable[Passage], heard: list[Passage]) -> Iterator[Passage]:
        for passage in passages:
            heard.append(passage)
            self.show(passage)
            yield passage

    def by_chunk(self, transcript: Transcript) -> Transcript:
        """Return the transcript with one segment a passage, or more where the speaker changes within."""
        words = iter(transcript.words)
        segments = [
            Segment(tuple(run), passage.language, passage.avg_logprob)
            for passage, count in self.chunks
            for _, run in groupby(islice(words, count), key=attrgetter("speaker"))
        ]
        return replace(transcript, segments=tuple(segments))
