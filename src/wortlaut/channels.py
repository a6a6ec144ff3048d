"""Channels as speakers: which are copies of each other, and which words one has picked up from another.

On telephone and interview recordings each person has a channel, so that nobody's voice has to be told from another's.
But channels leak: a faint copy of what one person says can be understood in the other's channel too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.errors import InvalidOption
from wortlaut.notice import Notice
from wortlaut.transcript import Passage, Turn, Word

Timed = list[tuple[Passage, list[Word]]]

MUCH_SOFTER_DB = 8.0
"""What leaks from one headset or line into the other is softer by 10 dB and more, some words of it by less."""
COPY_DB = -30.0
"""What is left of a channel without what it shares with another, by which it is a copy: coding noise."""
SOFTER_DB = 3.0
"""What each word of a much softer phrase differs by at least: short words drown in the channel's own noise."""
SIMILAR = 0.6
"""Share of letters in order that two texts have in common, from which on they are the same speech, heard twice."""
PHRASE_PAUSE = 0.5
"""Seconds between words from which on they are judged apart."""
SLACK = 0.15
"""Seconds by which the time of a word may differ between channels: a line's delay, and what alignment is off by."""
BLOCK_SAMPLES = 60 * SAMPLE_RATE
_SILENT = 1e-10


@dataclass(frozen=True, slots=True)
class Voice:
    """A channel, who speaks on it, and what was said."""

    audio: Audio
    speaker: str
    timed: Timed

    @property
    def words(self) -> list[Word]:
        return [word for _, words in self.timed for word in words]


IDENTICAL = Notice(
    "channels-identical", "All channels carry the same sound; the voices are told apart by how they sound instead."
)


def speaker_names(labels: Sequence[str], count: int) -> list[str]:
    """Return the speaker of each channel. Raises `InvalidOption` if the labels do not go with `count` channels."""
    if len(labels) > count:
        raise InvalidOption(f"The recording has {count} channels, and {len(labels)} labels were given.")
    names = [*labels, *(f"SPEAKER_{number:02d}" for number in range(len(labels), count))]
    if len(set(names)) < count:
        raise InvalidOption("A label is the name of a channel that has no label.", hint="Give every channel a label.")
    return names


def distinct(channels: Sequence[Audio]) -> list[int]:
    """Return the numbers of the channels that are not copies of an earlier one, of about the same loudness."""
    kept: list[int] = []
    for number, audio in enumerate(channels):
        if not any(_is_copy(channels[other], audio) for other in kept):
            kept.append(number)
    return kept


def copy_notices(kept: Sequence[int], count: int) -> Iterator[Notice]:
    """Say which channels were left out as copies; they are counted from 1 for people."""
    copies = sorted(set(range(count)) - set(kept))
    if copies:
        numbers = ", ".join(str(number + 1) for number in copies)
        yield Notice(
            "channels-identical", f"Channels that carry the same sound as an earlier one were left out: {numbers}."
        )


def voice_turns(voice: Voice) -> Iterator[Turn]:
    """Yield where somebody speaks on a channel: the regions of speech that have words."""
    for passage, words in voice.timed:
        regions = [each for each in passage.regions if any(_overlap(each, word) for word in words)]
        outside = [word for word in words if not any(_overlap(each, word) for each in regions)]
        spans = [(each.start, each.end) for each in regions] + [(word.start, word.end) for word in outside]
        yield from (Turn(start, end, voice.speaker) for start, end in spans)


def _overlap(region: SpeechRegion, word: Word) -> bool:
    return region.start < word.end and word.start < region.end


def _is_copy(one: Audio, other: Audio) -> bool:
    """Compare block by block; two silent channels are no copies, there is only nothing to say about them."""
    own = others = shared = 0.0
    for mine, its in zip(one.blocks(BLOCK_SAMPLES), other.blocks(BLOCK_SAMPLES), strict=True):
        a, b = mine.astype(np.float64), its.astype(np.float64)
        own, others, shared = own + float(a @ a), others + float(b @ b), shared + float(a @ b)
    if min(own, others) < _SILENT:
        return False
    rest = 1 - shared * abs(shared) / (own * others)
    return rest < 10 ** (COPY_DB / 10) and abs(10 * math.log10(own / others)) < MUCH_SOFTER_DB


def without_crosstalk(voices: Sequence[Voice]) -> tuple[list[Voice], list[Notice]]:
    """Drop what a channel has only picked up from another: the same words at the same time, much softer.

    What somebody says softly while another speaks stays, because the words differ.
    """
    kept, notices = [], []
    for voice in voices:
        leaked = [word for other in voices if other is not voice for word in _picked_up(voice, other)]
        kept.append(_without(voice, leaked))
        if leaked:
            notices.append(_crosstalk(voice, leaked))
    return kept, notices


def _picked_up(voice: Voice, other: Voice) -> Iterator[Word]:
    others = other.words
    for phrase in _softer_phrases(voice, other.audio):
        start, end = phrase[0].start - SLACK, phrase[-1].end + SLACK
        heard = [word for word in others if start <= (word.start + word.end) / 2 <= end]
        if _likeness(phrase, heard) >= SIMILAR:
            yield from phrase


def _softer_phrases(voice: Voice, than: Audio) -> Iterator[list[Word]]:
    """Yield words in a row that are all softer than another channel, and much softer on the whole."""
    phrase: list[tuple[Word, float]] = []
    for word in voice.words:
        softer_db = _level_db(than, word) - _level_db(voice.audio, word)
        if phrase and (softer_db < SOFTER_DB or word.start - phrase[-1][0].end >= PHRASE_PAUSE):
            yield from _if_much_softer(phrase)
            phrase = []
        if softer_db >= SOFTER_DB:
            phrase.append((word, softer_db))
    yield from _if_much_softer(phrase)


def _if_much_softer(phrase: Sequence[tuple[Word, float]]) -> Iterator[list[Word]]:
    seconds = sum(word.end - word.start for word, _ in phrase)
    if sum((word.end - word.start) * softer_db for word, softer_db in phrase) >= seconds * MUCH_SOFTER_DB > 0:
        yield [word for word, _ in phrase]


def _level_db(audio: Audio, word: Word) -> float:
    samples = audio.clip(word.start, word.end).astype(np.float64)
    return 10 * math.log10(max(float(np.mean(samples * samples)), _SILENT)) if len(samples) else -math.inf


def _likeness(words: Sequence[Word], others: Sequence[Word]) -> float:
    one, other = ("".join(filter(str.isalnum, _text(each).casefold())) for each in (words, others))
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _text(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words)


def _without(voice: Voice, leaked: Sequence[Word]) -> Voice:
    gone = frozenset(leaked)
    return replace(voice, timed=[_spared(passage, words, gone) for passage, words in voice.timed])


def _spared(passage: Passage, words: list[Word], gone: frozenset[Word]) -> tuple[Passage, list[Word]]:
    """Leave out words; what was said of a passage of which nothing is left is of no interest."""
    left = [word for word in words if word not in gone]
    return (replace(passage, notices=()) if words and not left else passage), left


def _crosstalk(voice: Voice, leaked: Sequence[Word]) -> Notice:
    text = _text(sorted(leaked, key=lambda word: word.start)).strip()
    message = f"The channel of {voice.speaker} picked up words from another channel; they were dropped: {text}"
    start, end = min(word.start for word in leaked), max(word.end for word in leaked)
    return Notice("cross-talk", message, start, end)
