"""A window that leaves out some of its speech is heard again in shorter pieces.

Where voices of different strength share a window, Whisper writes down the strong ones and skips the others without a
sign of doubt, and the aligner then spreads the words over what was skipped. So the gap alone does not say what is
missing: the whole window is cut anew, and its pieces are believed if they say what it said, and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wortlaut.audio import Audio, SpeechRegion, Window
from wortlaut.recognition.candidate import says_the_same
from wortlaut.speech.packing import pack
from wortlaut.transcript import Passage, Word
from wortlaut.trust.coverage import REACH
from wortlaut.trust.spans import Span, shared, union

LONGEST_PIECES = (8.0, 4.0)
"""Seconds: about two sentences; and what still leaves something out then, sentence by sentence."""
MORE_SPEECH = 0.8
"""Seconds of speech that the pieces have to cover beyond what the window did: a word and not a cough."""

Heard = Sequence[tuple[Passage, list[Word]]]


def lying_in(regions: Sequence[SpeechRegion], passage: Passage) -> list[SpeechRegion]:
    """Return the regions of which at least half lies in a passage."""
    window = [Span(passage.start, passage.end)]
    return [one for one in regions if 2 * shared(Span(one.start, one.end), window) >= one.end - one.start]


def pieces(audio: Audio, passage: Passage, left_out: Sequence[SpeechRegion], longest: float) -> list[Window]:
    """Return windows of at most `longest` seconds for all speech of a passage; none if it cannot be cut."""
    speech = [SpeechRegion(one.start, one.end) for one in union([*passage.regions, *left_out])]
    windows = pack(audio, speech, maximum=longest)
    inside = [replace(one, start=max(one.start, passage.start), end=min(one.end, passage.end)) for one in windows]
    kept = [one for one in inside if one.start < one.end]
    return kept if len(kept) > 1 else []


def say_more(heard: Heard, passage: Passage, words: Sequence[Word]) -> bool:
    """Whether the pieces of a passage say what it said, and cover more of its speech."""
    found = [word for _, part in heard for word in part]
    speech = [Span(region.start, region.end) for one, _ in heard for region in one.regions]
    more = _covered(speech, found) - _covered(speech, words)
    return more >= MORE_SPEECH and says_the_same(passage.text, "".join(word.text for word in found))


def _covered(speech: Sequence[Span], words: Sequence[Word]) -> float:
    near = union(words, reach=REACH)
    return sum(shared(span, near) for span in speech)
