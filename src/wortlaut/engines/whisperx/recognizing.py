"""whisperX's detector, its way of cutting at pauses and its batched Whisper, each behind its seam."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion, Window
from wortlaut.engines.whisperx.loading import FAILURES, WhisperxModel
from wortlaut.errors import ModelError, OutOfMemory
from wortlaut.notice import Notice
from wortlaut.options import Task
from wortlaut.stages import Advance, LanguageGuess, ignore
from wortlaut.transcript import Passage

BATCH_SIZE = 8
"""Windows recognized at once: whisperX's own default."""

LISTENED_SECONDS = 30.0
"""whisperX takes the language from the start of a recording."""


@dataclass(frozen=True, slots=True)
class WhisperxDetector:
    """Where people speak, by whisperX's detector. The whole recording is held in memory, as whisperX does."""

    model: WhisperxModel

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        """Return the regions, none longer than a window. Raises `ModelError`."""
        if not len(audio.samples):
            return []
        detector, limits = self.model.detector, self.model.limits
        try:
            sound = detector.preprocess_audio(audio.samples.read(0, len(audio.samples)).copy())
            with self.model.turn:
                scores = detector({"waveform": sound, "sample_rate": SAMPLE_RATE})
                chunks = detector.merge_chunks(
                    scores, limits["chunk_size"], onset=limits["vad_onset"], offset=limits["vad_offset"]
                )
        except FAILURES as error:
            raise _failure(error) from error
        advance(audio.duration)
        found = (
            SpeechRegion(max(start, 0.0), min(end, audio.duration)) for c in chunks for start, end in c["segments"]
        )
        return [region for region in found if region.start < region.end]


@dataclass(frozen=True, slots=True)
class WhisperxPacker:
    """Joins regions into windows in whisperX's way."""

    model: WhisperxModel

    def __call__(self, audio: Audio, regions: Sequence[SpeechRegion]) -> list[Window]:  # noqa: ARG002 a `Packer` gets it
        """Return windows of at most `chunk_size` seconds, each from its first region to its last."""
        if not regions:
            return []
        limits = self.model.limits
        vad = importlib.import_module("whisperx.vads.vad").Vad
        turns = [SimpleNamespace(start=region.start, end=region.end, speaker="UNKNOWN") for region in regions]
        chunks = vad.merge_chunks(turns, limits["chunk_size"], limits["vad_onset"], limits["vad_offset"])
        return [
            Window(chunk["start"], chunk["end"], tuple(SpeechRegion(*pair) for pair in chunk["segments"]))
            for chunk in chunks
        ]


@dataclass(frozen=True, slots=True)
class WhisperxRecognizer:
    """whisperX's batched Whisper. `said` returns what is to be said of a transcript in a language, with its text."""

    model: WhisperxModel
    task: Task = "transcribe"
    batch_size: int = BATCH_SIZE
    said: Callable[[str], Sequence[Notice]] = lambda _: ()

    def detect_language(self, audio: Audio, _: Sequence[Window], /) -> LanguageGuess:
        """Listen to the first 30 s. whisperX keeps the probability to itself, so none is doubted here."""
        try:
            with self.model.turn:
                language: str = self.model.pipeline.detect_language(audio.clip(0.0, LISTENED_SECONDS))
        except FAILURES as error:
            raise _failure(error) from error
        return LanguageGuess(language, 1.0)

    def recognize(self, audio: Audio, windows: Sequence[Window], /, *, language: str) -> Iterator[Passage]:
        """Yield one passage a window. The notices of `said` travel with the first. Raises `ModelError`."""
        notices = tuple(self.said(language))
        for first in range(0, len(windows), self.batch_size):
            batch = windows[first : first + self.batch_size]
            for window, segment in zip(batch, self._segments(audio, batch, language), strict=True):
                yield Passage(
                    window.start,
                    window.end,
                    segment["text"],
                    language,
                    window.regions,
                    avg_logprob=float(segment.get("avg_logprob") or 0.0),
                    notices=notices,
                )
                notices = ()

    def _segments(self, audio: Audio, windows: Sequence[Window], language: str) -> list[dict[str, Any]]:
        """Have whisperX recognize the windows, which stand in for what its detector would find."""
        start, end = windows[0].start, windows[-1].end
        chunks = [
            {"start": w.start - start, "end": w.end - start, "segments": [(w.start - start, w.end - start)]}
            for w in windows
        ]
        pipeline = self.model.pipeline
        try:
            with self.model.turn:
                pipeline.vad_model = _told(chunks)
                result = pipeline.transcribe(
                    audio.clip(start, end), batch_size=self.batch_size, language=language, task=self.task
                )
        except FAILURES as error:
            raise _failure(error) from error
        segments: list[dict[str, Any]] = result["segments"]
        if len(segments) != len(windows):
            raise ModelError(f"whisperX answered {len(windows)} windows with {len(segments)} texts.")
        return segments


def _told(chunks: list[dict[str, Any]]) -> object:
    """Return a detector, to whisperX's liking, that answers with what it was told."""
    vad = importlib.import_module("whisperx.vads.vad").Vad
    methods = {
        "__init__": lambda _: None,
        "__call__": lambda _self, _audio, **_: chunks,
        "preprocess_audio": staticmethod(lambda audio: audio),
        "merge_chunks": staticmethod(lambda segments, *_, **__: segments),
    }
    return type("Told", (vad,), methods)()


def _failure(error: Exception) -> ModelError | OutOfMemory:
    if type(error).__name__ == "OutOfMemoryError":  # torch's; CTranslate2 says it in words
        return OutOfMemory("The memory is too small for whisperX.")
    return ModelError(f"whisperX failed: {error}.", hint="Try --engine wortlaut.")
