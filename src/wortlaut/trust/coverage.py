"""Speech that no word covers, and words where nobody speaks."""

from __future__ import annotations

from collections.abc import Sequence

from wortlaut.audio import SpeechRegion, Window
from wortlaut.notice import Notice
from wortlaut.transcript import Word
from wortlaut.trust.listening import Listen
from wortlaut.trust.spans import Span, free, shared, union

REACH = 0.5
"""Seconds around a word that count as covered: detectors hear breaths and the echo of a room, words end before them."""
SHORTEST_GAP = 1.5
"""Seconds without a word from which on somebody looks again: shorter ones are pauses."""
SHORTEST_SPEECH = 0.8
"""Seconds of speech in a gap that are worth it: a word and not a cough."""
PADDING = 0.5
"""Seconds of surroundings that speech is decoded again with, as far as no word is there."""
FEWEST_WORDS = 2
"""A single word outside all speech is a matter of its times."""


def uncovered(words: Sequence[Word], duration: float, listen: Listen) -> list[SpeechRegion]:
    """Return the speech in which no word lies, by a second look at all longer stretches without words."""
    gaps = free(union(words, reach=REACH), 0.0, duration)
    found = [region for gap in gaps if gap.length >= SHORTEST_GAP for region in listen(gap)]
    return [region for region in found if region.end - region.start >= SHORTEST_SPEECH]


def padded(window: Window, words: Sequence[Word], duration: float) -> Window:
    """Return a window with more of its surroundings, but not into words."""
    gaps = free(union(words), 0.0, duration)
    around = next((gap for gap in gaps if gap.start <= window.start and window.end <= gap.end), None)
    if around is None:
        return window
    wider = Span(window.start - PADDING, window.end + PADDING).within(around.start, around.end)
    return Window(wider.start, wider.end, window.regions)


def words_without_speech(words: Sequence[Word], speech: Sequence[Span]) -> list[Notice]:
    """Report each run of words that lie outside all speech."""
    notices = []
    run: list[Word] = []
    for word in [*words, None]:
        if word and not shared(Span(word.start - REACH, word.end + REACH), speech):
            run.append(word)
            continue
        if len(run) >= FEWEST_WORDS:
            notices.append(_without_speech(run))
        run = []
    return notices


def _without_speech(run: Sequence[Word]) -> Notice:
    text = "".join(word.text for word in run).strip()
    message = f"These words lie where nobody seems to speak: {text}"
    return Notice("words-without-speech", message, run[0].start, run[-1].end)


def uncovered_notice(region: SpeechRegion) -> Notice:
    """Report speech that is still without words."""
    message = "Somebody seems to speak here, but no words could be understood."
    return Notice("uncovered-speech", message, region.start, region.end)
