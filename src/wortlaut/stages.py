"""The seams: one protocol a stage. Every implementation and every fake passes the same contract tests.

Stages that take long and answer at once report through `advance`; stages that yield are watched by whoever
consumes them. `advance` gets the seconds of the recording that are finished and may raise `Cancelled`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wortlaut.audio import Audio, SpeechRegion, Window
from wortlaut.options import Progress, Speakers
from wortlaut.transcript import Diarization, Passage, Word

Advance = Callable[[float], None]
Listener = Callable[[Progress], None]


def ignore(_: object, /) -> None:
    """Listen to nothing: the default for `advance` and listeners."""


class Decoder(Protocol):
    def decode(self, media: Path, /, *, advance: Advance = ignore) -> Audio:
        """Return the sound of any audio or video file.

        Raises `MediaNotFound`, `MediaUnreadable`, `MediaInvalid`, `NoAudioStream` or `DecodingFailed`.
        """
        ...

    def decode_channels(self, media: Path, /, *, advance: Advance = ignore) -> tuple[Audio, ...]:
        """Return the channels apart, all on the same clock and of the same length; a mono file has one."""
        ...


class SpeechDetector(Protocol):
    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        """Return where people speak: sorted, disjoint, inside the recording; empty if nobody does."""
        ...


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """The most probable language and how probable it is, [0, 1]."""

    language: str
    probability: float


class Recognizer(Protocol):
    def detect_language(self, audio: Audio, windows: Sequence[Window], /) -> LanguageGuess:
        """Listen to several windows and name the language of the recording."""
        ...

    def recognize(self, audio: Audio, windows: Sequence[Window], /, *, language: str) -> Iterator[Passage]:
        """Yield one passage a window, in the order of the windows; its text is empty if nobody speaks."""
        ...


class Aligner(Protocol):
    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:
        """Yield the words of each passage with times.

        Joined, the words are the passage's text. They are ordered, inside the passage, and each has
        start < end. A passage without text gives an empty list.
        """
        ...


class Diarizer(Protocol):
    def diarize(self, audio: Audio, /, *, speakers: Speakers, advance: Advance = ignore) -> Diarization:
        """Return who speaks when, named SPEAKER_00, SPEAKER_01 ... in order of appearance."""
        ...
