"""Stages that follow a script, for tests of programs that build on Wortlaut; each passes the seam's contract tests.

`Scripted...` answers with what it was given, cut to the recording; `Broken...` fails in the way it was told to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wortlaut.audio import Audio, SpeechRegion, Window
from wortlaut.options import Speakers
from wortlaut.stages import Advance, LanguageGuess, ignore
from wortlaut.transcript import Diarization, Passage, Turn, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SilentSamples:
    """Digital silence of any length, without the memory."""

    count_samples: int

    def __len__(self) -> int:
        return self.count_samples

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        import numpy as np  # noqa: PLC0415 this module is importable without numpy

        return np.zeros(stop - start, np.float32)


def silence(duration: float) -> Audio:
    """Return a recording of `duration` seconds in which nothing sounds."""
    return Audio(SilentSamples(round(duration * 16_000)))


@dataclass(frozen=True, slots=True)
class ScriptedDecoder:
    """Gives the same audio for every file; `channels` are what it is mixed of, none: it is mono."""

    audio: Audio
    channels: tuple[Audio, ...] = ()

    def decode(self, media: Path, /, *, advance: Advance = ignore) -> Audio:
        advance(self.audio.duration)
        return self.audio

    def decode_channels(self, media: Path, /, *, advance: Advance = ignore) -> tuple[Audio, ...]:
        advance(self.audio.duration)
        return self.channels or (self.audio,)


@dataclass(frozen=True, slots=True)
class ScriptedDetector:
    """Hears speech where the script says so."""

    regions: tuple[SpeechRegion, ...]

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        advance(audio.duration)
        inside = (SpeechRegion(region.start, min(region.end, audio.duration)) for region in self.regions)
        return [region for region in inside if region.start < region.end]


@dataclass(frozen=True, slots=True)
class ScriptedRecognizer:
    """Says one text after the other, a window each; an empty text once the script is over."""

    texts: tuple[str, ...]
    language: str = "en"

    def detect_language(self, audio: Audio, windows: Sequence[Window], /) -> LanguageGuess:
        return LanguageGuess(self.language, 1.0)

    def recognize(self, audio: Audio, windows: Sequence[Window], /, *, language: str) -> Iterator[Passage]:
        for index, window in enumerate(windows):
            text = self.texts[index] if index < len(self.texts) else ""
            yield Passage(window.start, window.end, text, language, window.regions)


@dataclass(frozen=True, slots=True)
class ScriptedAligner:
    """Spreads the words of a passage evenly, as nobody speaks."""

    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:
        for passage in passages:
            yield _spread(passage)


def _spread(passage: Passage) -> list[Word]:
    texts = [f" {part}" for part in passage.text.split()]
    if texts and not passage.text.startswith(" "):
        texts[0] = texts[0].lstrip()
    step = (passage.end - passage.start) / max(len(texts), 1)
    starts = [passage.start + step * index for index in range(len(texts))]
    return [Word(text, start, start + step, 1.0) for text, start in zip(texts, starts, strict=True)]


@dataclass(frozen=True, slots=True)
class ScriptedDiarizer:
    """Finds the turns of the script, cut to the recording."""

    turns: tuple[Turn, ...]
    asked: list[Speakers] = field(default_factory=list)

    def diarize(self, audio: Audio, /, *, speakers: Speakers, advance: Advance = ignore) -> Diarization:
        self.asked.append(speakers)
        advance(audio.duration)
        cut = (replace(turn, end=min(turn.end, audio.duration)) for turn in self.turns)
        turns = tuple(turn for turn in cut if turn.start < turn.end)
        return Diarization(turns, turns)


@dataclass(frozen=True, slots=True)
class BrokenStage:
    """Every stage at once, and each raises `error` when it is used."""

    error: Exception

    def decode(self, media: Path, /, *, advance: Advance = ignore) -> Audio:
        raise self.error

    def decode_channels(self, media: Path, /, *, advance: Advance = ignore) -> tuple[Audio, ...]:
        raise self.error

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        raise self.error

    def detect_language(self, audio: Audio, windows: Sequence[Window], /) -> LanguageGuess:
        raise self.error

    def recognize(self, audio: Audio, windows: Sequence[Window], /, *, language: str) -> Iterator[Passage]:
        raise self.error

    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:
        raise self.error

    def diarize(self, audio: Audio, /, *, speakers: Speakers, advance: Advance = ignore) -> Diarization:
        raise self.error
