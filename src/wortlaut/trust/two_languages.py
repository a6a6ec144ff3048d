"""A window in which people speak two languages is heard again in pieces, each in its own.

Whisper writes a window in one language: it translates the other, writes it as it sounds, or leaves it out. The sound of
such a window is of no language for sure, which costs nothing to know: each window is asked for its language anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

from wortlaut.audio import Audio, Window
from wortlaut.transcript import Passage, Word
from wortlaut.trust.recutting import Heard, pieces

MIXED_SHARE = 0.8
"""Below this probability of its language, a window may hold two: clean windows of one had 0.91 and more, meetings often
less, windows of two 0.58 to 0.76."""
LONGEST_PIECE = 8.0
"""Seconds: about two sentences."""


def language_pieces(audio: Audio, passage: Passage) -> list[Window]:
    """Return the windows that a passage is heard again in; none if it is surely in one language."""
    if not passage.text or passage.language_share >= MIXED_SHARE:
        return []
    return pieces(audio, passage, (), LONGEST_PIECE)


def are_in_two_languages(heard: Heard, _passage: Passage, _words: Sequence[Word]) -> bool:
    """Whether pieces that nothing speaks against are in different languages."""
    return len({one.language for one, words in heard if words and not one.doubts}) > 1
