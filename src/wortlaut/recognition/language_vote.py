"""Which language a recording is in, by the votes of several of its windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from wortlaut.audio import Window
from wortlaut.stages import LanguageGuess

VOTING_WINDOWS = 5
"""More change little; each costs one pass through the encoder."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one window says: language code to probability."""

    probabilities: Mapping[str, float]
    speech_seconds: float


def voters(windows: Sequence[Window]) -> list[Window]:
    """Return windows spread over the recording: of each fifth the one with most speech; most speech first."""
    count = min(VOTING_WINDOWS, len(windows))
    edges = [len(windows) * part // count for part in range(count + 1)] if count else [0]
    parts = [windows[first:last] for first, last in pairwise(edges)]
    return sorted((max(part, key=speech_seconds) for part in parts), key=speech_seconds, reverse=True)


def speech_seconds(window: Window) -> float:
    """Return how long somebody speaks in a window; all of it, if nothing is known about its regions."""
    regions = window.regions
    return sum(region.end - region.start for region in regions) if regions else window.end - window.start


def elect(votes: Sequence[Vote]) -> LanguageGuess:
    """Average the votes, weighted by how long somebody speaks and how sure the window is.

    Without votes nothing is known: English with probability 0.
    """
    shares: defaultdict[str, float] = defaultdict(float)
    total_weight = sum(_weight(vote) for vote in votes)
    for vote in votes:
        for language, probability in vote.probabilities.items():
            shares[language] += probability * _weight(vote) / total_weight
    if not shares:
        return LanguageGuess("en", 0.0)
    best = max(shares, key=lambda language: shares[language])
    return LanguageGuess(best, min(shares[best], 1.0))


def _weight(vote: Vote) -> float:
    return vote.speech_seconds * max(vote.probabilities.values(), default=0.0)
