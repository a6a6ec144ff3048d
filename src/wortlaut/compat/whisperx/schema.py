"""The shapes of whisperX's results."""

from __future__ import annotations

from collections.abc import Callable
from typing import NotRequired, TypedDict

ProgressCallback = Callable[[float], None] | None
"""Called with percent, 0 to 100."""


class SingleWordSegment(TypedDict):
    word: str
    start: float
    end: float
    score: float
    speaker: NotRequired[str]


class SingleCharSegment(TypedDict):
    char: str
    start: NotRequired[float]
    end: NotRequired[float]
    score: NotRequired[float]


class SingleSegment(TypedDict):
    """What was recognized in one window."""

    start: float
    end: float
    text: str
    avg_logprob: NotRequired[float]
    speaker: NotRequired[str]


class SingleAlignedSegment(TypedDict):
    """A sentence with its words."""

    start: float
    end: float
    text: str
    avg_logprob: NotRequired[float]
    words: list[SingleWordSegment]
    chars: list[SingleCharSegment] | None
    speaker: NotRequired[str]


class TranscriptionResult(TypedDict):
    segments: list[SingleSegment]
    language: str


class AlignedTranscriptionResult(TypedDict):
    segments: list[SingleAlignedSegment]
    word_segments: list[SingleWordSegment]
