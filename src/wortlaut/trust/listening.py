"""The second look: each stretch listened to alone, so that nothing before it and no louder voice hides it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wortlaut.audio import SAMPLE_RATE, Audio, Samples, SpeechRegion
from wortlaut.stages import SpeechDetector
from wortlaut.transcript import Turn
from wortlaut.trust.spans import Span, union

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Listen = Callable[[Span], Sequence[SpeechRegion]]
"""Returns where somebody speaks within a stretch."""


@dataclass(frozen=True, slots=True)
class _Excerpt:
    """A part of other samples, without a copy."""

    whole: Samples
    first: int
    count_samples: int

    def __len__(self) -> int:
        return self.count_samples

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        return self.whole.read(self.first + start, self.first + stop)


def by_detector(audio: Audio, detector: SpeechDetector) -> Listen:
    """Listen with a detector that hears nothing but the stretch: at its own level, with nothing before it."""

    def listen(span: Span) -> list[SpeechRegion]:
        first = min(max(round(span.start * SAMPLE_RATE), 0), len(audio.samples))
        last = min(max(round(span.end * SAMPLE_RATE), first), len(audio.samples))
        found = detector.detect(Audio(_Excerpt(audio.samples, first, last - first)))
        shift = first / SAMPLE_RATE
        return [SpeechRegion(one.start + shift, one.end + shift) for one in found]

    return listen


def by_turns(turns: Sequence[Turn]) -> Listen:
    """Listen with the ears of the diarizer, whose model is another one than the speech detector's."""
    spoken = union(turns)

    def listen(span: Span) -> list[SpeechRegion]:
        inside = [one.within(span.start, span.end) for one in spoken]
        return [SpeechRegion(one.start, one.end) for one in inside if one.length > 0]

    return listen
