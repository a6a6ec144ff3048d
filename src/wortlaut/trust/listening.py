"""The second look: each stretch listened to alone, so that nothing before it and no louder voice hides it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wortlaut.audio import Audio, SpeechRegion
from wortlaut.stages import SpeechDetector
from wortlaut.transcript import Turn
from wortlaut.trust.spans import Span, union

Listen = Callable[[Span], Sequence[SpeechRegion]]
"""Returns where somebody speaks within a stretch."""


def by_detector(audio: Audio, detector: SpeechDetector) -> Listen:
    """Listen with a detector that hears nothing but the stretch: at its own level, with nothing before it."""

    def listen(span: Span) -> list[SpeechRegion]:
        shift = min(max(span.start, 0.0), audio.duration)
        found = detector.detect(audio.excerpt(span.start, span.end))
        return [SpeechRegion(one.start + shift, one.end + shift) for one in found]

    return listen


def by_turns(turns: Sequence[Turn]) -> Listen:
    """Listen with the ears of the diarizer, whose model is another one than the speech detector's."""
    spoken = union(turns)

    def listen(span: Span) -> list[SpeechRegion]:
        inside = [one.within(span.start, span.end) for one in spoken]
        return [SpeechRegion(one.start, one.end) for one in inside if one.length > 0]

    return listen
