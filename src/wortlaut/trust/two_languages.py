"""A window in which people speak two languages is heard again in pieces, each in its own.

Whisper writes a window in one language: it translates the other, writes it as it sounds, or leaves it out. By the
sound, a second language is possible then. To know that costs nothing: each window is asked for its language anyway.
Pieces cost as much as windows, so they are asked for theirs before they are decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wortlaut.audio import Audio, Window
from wortlaut.transcript import Passage, Word
from wortlaut.trust.recutting import Heard, pieces

MIXED_SHARE = 0.08
"""Probability of another language from which on a window may hold two. Those that did, and were written in one, had
0.09 to 0.37; clean speech in one language up to 0.02, radio with music 0.06, some meetings as much as two languages."""
LONGEST_PIECE = 8.0
"""Seconds: about two sentences."""

IsInAnother = Callable[[Window], bool]
"""Whether a window is rather in another language than the recording: no other is written down in another."""
IN_ANOTHER = 0.5
"""Probability above which it is: less than a switch needs (`recognition.switching`), because the asking is brief."""


def language_pieces(audio: Audio, passage: Passage, is_in_another: IsInAnother) -> list[Window]:
    """Return the windows that a passage is heard again in; none if they would be written down in one language."""
    if not passage.text or passage.other_language_share < MIXED_SHARE:
        return []
    cut = pieces(audio, passage, (), LONGEST_PIECE)
    return cut if any(map(is_in_another, cut)) else []


def are_in_two_languages(heard: Heard, _passage: Passage, _words: Sequence[Word]) -> bool:
    """Whether pieces that nothing speaks against are in different languages."""
    return len({one.language for one, words in heard if words and not one.doubts}) > 1
