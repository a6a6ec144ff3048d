"""Stages that take the results of an earlier attempt, or job, where there are any, and keep their own.

Each stands before a stage of the pipeline, behind the same seam: the pipeline does not know that work is reused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from wortlaut.audio import Audio, Samples, SpeechRegion, Window
from wortlaut.diarization.resuming import Found, Resumable, RowsFrom
from wortlaut.jobs.packed_arrays import PackedArray, packed, unpacked
from wortlaut.jobs.stage_results import StageResults
from wortlaut.notice import Notice
from wortlaut.options import Options, Speakers
from wortlaut.pipeline import Pipeline
from wortlaut.stages import Advance, Aligner, Decoder, Diarizer, LanguageGuess, Recognizer, SpeechDetector, ignore
from wortlaut.transcript import Diarization, Passage, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def reusing(pipeline: Pipeline, options: Options, results: StageResults) -> Pipeline:
    """Return the pipeline with stages that reuse and keep results.

    Channels that are worked on one by one keep nothing: a stage does not know which of them it is given.
    """
    if options.channels == "split":
        return pipeline
    made_by = pipeline.provenance
    recognizing = (
        *(options.engine, options.decoding, options.task, options.numerals),
        *(options.languages, options.follows_switches, options.language),
    )
    aligning = (options.engine, options.words, options.aligner, options.align_model)

    def depends_on(*roles: str, also: object = ()) -> Mapping[str, object]:
        models = {role: made_by.models.get(role) for role in roles}
        return {"versions": made_by.versions, "models": models, "devices": made_by.devices, "also": also}

    return replace(
        pipeline,
        decoder=ReusingDecoder(pipeline.decoder, results, depends_on()),
        detector=ReusingDetector(pipeline.detector, results, depends_on("detection", "segmentation")),
        recognizer=ReusingRecognizer(pipeline.recognizer, results, depends_on("recognition", also=recognizing)),
        second_hearing=pipeline.second_hearing
        and ReusingRecognizer(pipeline.second_hearing, results, depends_on("recognition", also=("again", recognizing))),
        aligner=ReusingAligner(pipeline.aligner, results, depends_on("alignment", also=aligning)),
        diarizer=pipeline.diarizer
        and ReusingDiarizer(pipeline.diarizer, results, depends_on("segmentation", "embedding", also=options.diarizer)),
    )


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """What is kept of the decoded sound. The samples are not: decoding again is quicker than fetching them."""

    length_samples: int
    notices: tuple[Notice, ...]


_FACTS = TypeAdapter(SoundFacts)
_REGIONS = TypeAdapter(list[SpeechRegion])
_GUESS = TypeAdapter(LanguageGuess)
_PASSAGE = TypeAdapter(Passage)
_DIARIZATION = TypeAdapter(Diarization)
_PACKED = TypeAdapter(list[PackedArray])


@dataclass(slots=True)
class DecodedLater:
    """Samples that are decoded when somebody listens to them, which may be never."""

    length_samples: int
    decode: Callable[[], Samples]
    _samples: Samples | None = None
    _decoding: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return self.length_samples

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        with self._decoding:
            if self._samples is None:
                self._samples = self.decode()
        return self._samples.read(start, stop)


@dataclass(frozen=True, slots=True)
class ReusingDecoder:
    """Decodes at once what is new, and what is known only for a stage that has to listen."""

    inner: Decoder
    results: StageResults
    depends_on: Mapping[str, object]

    def decode(self, media: Path, /, *, advance: Advance = ignore) -> Audio:
        shelf = self.results.shelf("decode", self.depends_on, _FACTS)
        for facts in shelf.load():
            self.results.count("decode", reused=1)
            return Audio(DecodedLater(facts.length_samples, lambda: self._again(media).samples), facts.notices)
        audio = self.inner.decode(media, advance=advance)
        list(shelf.filled([SoundFacts(len(audio.samples), audio.notices)], 0))
        return audio

    def decode_channels(self, media: Path, /, *, advance: Advance = ignore) -> tuple[Audio, ...]:
        return self.inner.decode_channels(media, advance=advance)

    def _again(self, media: Path) -> Audio:
        self.results.count("decode", reused=-1, made=1)
        return self.inner.decode(media)


@dataclass(frozen=True, slots=True)
class ReusingDetector:
    inner: SpeechDetector
    results: StageResults
    depends_on: Mapping[str, object]

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        return self.results.once("detect", self.depends_on, _REGIONS, lambda: self.inner.detect(audio, advance=advance))


@dataclass(frozen=True, slots=True)
class ReusingRecognizer:
    """Goes on with the first window that has no passage yet."""

    inner: Recognizer
    results: StageResults
    depends_on: Mapping[str, object]

    def detect_language(self, audio: Audio, windows: Sequence[Window], /) -> LanguageGuess:
        return self.results.once(
            "language", [self.depends_on, windows], _GUESS, lambda: self.inner.detect_language(audio, windows)
        )

    def recognize(self, audio: Audio, windows: Sequence[Window], /, *, language: str) -> Iterator[Passage]:
        shelf = self.results.shelf("recognize", [self.depends_on, windows, language], _PASSAGE)
        known = shelf.load()[: len(windows)]
        self.results.count("recognize", reused=len(known))
        if len(known) == len(windows):
            return iter(known)
        rest = self.inner.recognize(audio, windows[len(known) :], language=language)
        return chain(known, shelf.filled(rest, len(known)))


@dataclass(frozen=True, slots=True)
class AlignedPassage:
    """The words of a passage, and of which: they are of use for exactly this text."""

    start: float
    text: str
    words: list[Word]

    def is_of(self, passage: Passage) -> bool:
        return (self.start, self.text) == (passage.start, passage.text)


_ALIGNED = TypeAdapter(AlignedPassage)


@dataclass(frozen=True, slots=True)
class ReusingAligner:
    """Goes on with the first passage whose words are not known."""

    inner: Aligner
    results: StageResults
    depends_on: Mapping[str, object]

    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:
        waiting = iter(passages)
        unknown = next(waiting, None)
        if unknown is None:
            return
        shelf = self.results.shelf("align", [self.depends_on, unknown], _ALIGNED)
        known = 0
        for row in shelf.load():
            if unknown is None or not row.is_of(unknown):
                break
            self.results.count("align", reused=1)
            yield row.words
            known, unknown = known + 1, next(waiting, None)
        if unknown is not None:
            rest = self._aligned(audio, chain([unknown], waiting))
            yield from (row.words for row in shelf.filled(rest, known))

    def _aligned(self, audio: Audio, passages: Iterable[Passage]) -> Iterator[AlignedPassage]:
        begun: list[Passage] = []

        def noted() -> Iterator[Passage]:
            for passage in passages:
                begun.append(passage)
                yield passage

        for index, words in enumerate(self.inner.align(audio, noted())):
            yield AlignedPassage(begun[index].start, begun[index].text, words)


@dataclass(frozen=True, slots=True)
class ReusingDiarizer:
    """Keeps the turns, and what they are made of: that is the same whatever number of speakers is asked for."""

    inner: Diarizer
    results: StageResults
    depends_on: Mapping[str, object]

    def diarize(self, audio: Audio, /, *, speakers: Speakers, advance: Advance = ignore) -> Diarization:
        inner = self.inner.resumed(self._resume) if isinstance(self.inner, Resumable) else self.inner
        return self.results.once(
            "diarize",
            [self.depends_on, speakers],
            _DIARIZATION,
            lambda: inner.diarize(audio, speakers=speakers, advance=advance),
        )

    def _resume(self, step: str, rows_from: RowsFrom) -> Iterator[Found]:
        shelf = self.results.shelf(step, self.depends_on, _PACKED)
        known = shelf.load()
        self.results.count(step, reused=len(known))
        rest = (packed(found) for found in rows_from(len(known)))
        return (unpacked(row) for row in chain(known, shelf.filled(rest, len(known))))
