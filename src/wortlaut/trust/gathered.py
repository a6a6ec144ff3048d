"""Gathered windows are heard at once, and each by itself where there is any doubt about what was heard.

Whisper now and then leaves out a sentence between others without a sign of doubt. A window that is a stretch of the
recording is cut anew then (`recutting`); gathered windows are let go again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from wortlaut.audio import Audio, Window
from wortlaut.recognition.candidate import SPARSE_CHARACTERS_PER_SECOND, spoken_length
from wortlaut.speech.gathering import gather
from wortlaut.stages import Advance, ignore
from wortlaut.transcript import Passage, Word
from wortlaut.trust.coverage import REACH, SHORTEST_GAP, SHORTEST_SPEECH
from wortlaut.trust.judging import UNHEARD_CONFIDENCE, mean_confidence
from wortlaut.trust.spans import free, union
from wortlaut.trust.two_languages import MIXED_SHARE

Timed = list[tuple[Passage, list[Word]]]
Hear = Callable[[Audio, Sequence[Window]], Iterable[tuple[Passage, list[Word]]]]
"""Recognizes and aligns windows of a sound."""


def heard_together(
    audio: Audio, groups: Sequence[Sequence[Window]], hear: Hear, *, advance: Advance = ignore
) -> tuple[Timed, list[Window]]:
    """Return what is beyond doubt, in the time of the recording, and the windows that are to be heard by themselves."""
    sound, gatherings = gather(audio, groups)
    heard = hear(sound, [one.window for one in gatherings]) if gatherings else ()
    timed: Timed = []
    alone: list[Window] = []
    for group, gathering, (passage, words) in zip(groups, gatherings, heard, strict=True):
        parts = gathering.restored(passage, words)
        advance(group[-1].end)
        if may_stay(parts):
            timed += parts
        else:
            alone += group
    return timed, alone


def may_stay(parts: Timed) -> bool:
    """Whether nothing speaks against a text that was heard in several windows at once."""
    return all(
        words and not passage.doubts and passage.other_language_share < MIXED_SHARE and _is_all_there(passage, words)
        for passage, words in parts
    )


def _is_all_there(passage: Passage, words: Sequence[Word]) -> bool:
    """Whether the words fit the sound, are as many as the speech is long, and leave none of it out."""
    confidence = mean_confidence(words)
    if confidence is not None and confidence < UNHEARD_CONFIDENCE:
        return False
    seconds = sum(region.end - region.start for region in passage.regions)
    if seconds >= SHORTEST_GAP and spoken_length(passage.text) < SPARSE_CHARACTERS_PER_SECOND * seconds:
        return False
    near = union(words, reach=REACH)
    gaps = (gap for region in passage.regions for gap in free(near, region.start, region.end))
    return all(gap.length < SHORTEST_SPEECH for gap in gaps)
