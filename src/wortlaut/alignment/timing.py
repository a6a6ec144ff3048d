"""From tracks to words: edges, limits, what fills the holes, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import exp, log

from wortlaut.alignment.attention import WordTrack
from wortlaut.alignment.boundaries import find_edges
from wortlaut.alignment.interpolation import fill, in_order, spread
from wortlaut.alignment.silences import find_silences
from wortlaut.alignment.spelling import speaking_weight
from wortlaut.audio import Audio, SpeechRegion
from wortlaut.transcript import Passage, Word

_LONGEST_BASE = 0.6
_LONGEST_PER_LETTER = 0.15
"""Seconds a word takes at most: 0.6 + 0.15 a letter, twice what slow reading takes. More is a pause swallowed."""

_SHORTEST_MEASURED = 0.01  # seconds; a word on which the path spends less has been passed over

_VAD_MARGIN = 0.15  # seconds that a voice may be heard outside a speech region: the detector is that coarse
_SMALLEST_PROBABILITY = 1e-6
_EVEN_PROBABILITY = 1e-3  # of a character, where a word is as likely wrong as right


def timed(words: Sequence[str], tracks: Sequence[WordTrack], audio: Audio, passage: Passage) -> list[Word]:
    """Return words with times from their tracks; those that were not measured lie between their neighbours."""
    window = heard_stretch(audio, passage)
    silences = find_silences(audio.clip(window.start, window.end), start=window.start)
    measured = [position for position, track in enumerate(tracks) if track.is_measured]
    edges = find_edges(
        [tracks[position].shifted(passage.start) for position in measured], silences, window.start, window.end
    )
    aligned: list[Word | None] = [None] * len(words)
    for position, edge in zip(measured, edges, strict=True):
        if edge.end - edge.start >= _SHORTEST_MEASURED:
            word = Word(words[position], edge.start, edge.end, confidence(tracks[position]))
            aligned[position] = _within_speech(_limited(word, tracks[position]), passage.regions)
    if not any(aligned):
        return interpolated(words, audio, passage)
    return in_order(fill(words, aligned, window), window.start, window.end)


def interpolated(words: Sequence[str], audio: Audio, passage: Passage) -> list[Word]:
    """Return words spread over the speech of a passage, all marked as interpolated."""
    window = heard_stretch(audio, passage)
    return in_order(spread(words, passage.regions or (window,)), window.start, window.end)


def heard_stretch(audio: Audio, passage: Passage) -> SpeechRegion:
    """Return the stretch of a passage that the recording holds."""
    end = min(passage.end, audio.duration)
    return SpeechRegion(passage.start, end if end > passage.start else passage.end)


def confidence(track: WordTrack) -> float:
    """Return how far the model agrees that these characters were said, [0, 1].

    The geometric mean p of the characters' probabilities, each given all before it, as p / (p + 0.001). The decoder
    was not trained to spell, so p is about 0.01 for right words and 0.001 for wrong ones: the odds are what
    p is worth. It says whether a word fits the sound, hardly how exact its edges are.
    """
    logs = [log(min(max(probability, _SMALLEST_PROBABILITY), 1.0)) for probability in track.probabilities]
    mean = exp(sum(logs) / len(logs)) if logs else 0.0
    return mean / (mean + _EVEN_PROBABILITY)


def longest_duration(word: str) -> float:
    """Return how many seconds somebody may take to say a word."""
    return _LONGEST_BASE + _LONGEST_PER_LETTER * speaking_weight(word)


def _limited(word: Word, track: WordTrack) -> Word:
    """Cut a word that lasts too long at the end where the attention stood still."""
    longest = longest_duration(word.text)
    if word.end - word.start <= longest:
        return word
    stays = [after - before for before, after in pairwise(track.onsets)]
    stands_at_start = stays.index(max(stays)) < len(stays) / 2
    return replace(word, start=word.end - longest) if stands_at_start else replace(word, end=word.start + longest)


def _within_speech(word: Word, regions: Sequence[SpeechRegion]) -> Word:
    """Cut what reaches out of the speech region in which a word mostly lies; a word outside all stays as it is."""
    overlaps = [(min(word.end, region.end) - max(word.start, region.start), region) for region in regions]
    overlap, region = max(overlaps, key=lambda pair: pair[0], default=(0.0, None))
    if region is None or overlap < (word.end - word.start) / 4:
        return word
    start = max(word.start, region.start - _VAD_MARGIN)
    return replace(word, start=start, end=max(min(word.end, region.end + _VAD_MARGIN), start))
