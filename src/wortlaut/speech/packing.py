"""Pack speech regions into windows of at most 30 s, each of which is recognized at once.

Whisper was trained on 30 s and takes the same time for 3 s of speech as for 30, so windows should be full; and text
is best where a window begins and ends in a long pause. Both are weighed for the whole recording at once, by dynamic
programming over the places where a cut is possible: between regions, and, inside a region that is itself too long,
at its quietest moments.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion, Window

MAXIMUM = 30.0
"""Seconds that Whisper's encoder sees."""
MARGIN = 0.2
"""Seconds of surroundings that a window shows on each side, where there are any: no word begins at a hard edge."""
LONGEST_PAUSE = 4.0
"""A longer pause always ends a window: silence inside invites Whisper to invent something."""

CUT_COST = 0.5
"""What a cut without any pause costs, in windows: as much as half a run of the encoder."""
GOOD_PAUSE = 1.0
"""A pause as long as this costs nothing to cut at."""
LOUD_CUT_COST = 1.0
"""What a cut costs inside a region, on top, at a moment as loud as the stretch around it; quieter ones cost less."""
SHORT_COST = 0.5
"""What a window with next to no speech costs on top: Whisper guesses where it has little context."""
SHORT = 8.0
"""Seconds from which on a window is not short."""

SHORTEST_ATOM, LONGEST_ATOM = 3.0, 8.0
"""A region that is too long is divided into atoms of this many seconds, each ending at the quietest moment."""
DIP_SAMPLES = SAMPLE_RATE * 3 // 10
"""A quiet moment lasts 0.3 s: longer than the closure before a plosive, no longer than the pause between phrases."""
HOP_SAMPLES = SAMPLE_RATE // 100


@dataclass(frozen=True, slots=True)
class _Atom:
    """Speech that is not cut any further: region number `region` or a piece of it.

    `cut_cost` is what a cut before it costs.
    """

    start: float
    end: float
    region: int
    cut_cost: float


def pack(audio: Audio, regions: Sequence[SpeechRegion], *, maximum: float = MAXIMUM) -> list[Window]:
    """Return windows of at most `maximum` seconds that hold all regions.

    `regions` are sorted, disjoint and inside the recording; so are the windows. Each region is in exactly one
    window, or, if it is longer than `maximum`, in consecutive ones that meet in a cut. Windows begin and end with
    speech, widened by up to `MARGIN`, but not into another window.
    """
    atoms = list(_atoms(audio, regions, maximum))
    groups = [group for part in _parted(atoms) for group in _grouped(part, maximum)]
    return _framed(groups, regions, audio.duration, maximum)


def _atoms(audio: Audio, regions: Sequence[SpeechRegion], maximum: float) -> Iterator[_Atom]:
    scale = min(1.0, maximum / MAXIMUM)
    previous_end = -math.inf
    for number, region in enumerate(regions):
        start = region.start
        cost = CUT_COST * max(0.0, 1.0 - (start - previous_end) / GOOD_PAUSE)
        while region.end - region.start > maximum and region.end - start > LONGEST_ATOM * scale:
            cut, loudness = _quietest(audio, start + SHORTEST_ATOM * scale, start + LONGEST_ATOM * scale)
            yield _Atom(start, cut, number, cost)
            start, cost = cut, CUT_COST + LOUD_CUT_COST * loudness
        yield _Atom(start, region.end, number, cost)
        previous_end = region.end


def _quietest(audio: Audio, earliest: float, latest: float) -> tuple[float, float]:
    """Find the best cut between two times.

    Return the middle of the quietest DIP_SAMPLES, and their level as a share of the level of all: [0, 1].
    """
    samples = audio.clip(earliest, latest).astype(np.float64)
    if len(samples) <= DIP_SAMPLES:
        return (earliest + latest) / 2, 1.0
    sums = np.concatenate(([0.0], np.cumsum(samples * samples)))
    energies = (sums[DIP_SAMPLES:] - sums[:-DIP_SAMPLES])[::HOP_SAMPLES] / DIP_SAMPLES
    quietest = int(np.argmin(energies))
    cut = earliest + (quietest * HOP_SAMPLES + DIP_SAMPLES / 2) / SAMPLE_RATE
    mean = float(sums[-1]) / len(samples)
    return cut, math.sqrt(min(float(energies[quietest]) / mean, 1.0)) if mean else 0.0


def _parted(atoms: Sequence[_Atom]) -> list[list[_Atom]]:
    """Part the atoms at every pause that no window may span."""
    parts: list[list[_Atom]] = []
    for atom in atoms:
        if parts and atom.start - parts[-1][-1].end <= LONGEST_PAUSE:
            parts[-1].append(atom)
        else:
            parts.append([atom])
    return parts


def _grouped(atoms: Sequence[_Atom], maximum: float) -> list[Sequence[_Atom]]:
    """Return the cheapest grouping of consecutive atoms in which no group spans more than `maximum`.

    costs[n] is the least that the first n atoms can cost, firsts[n] where the last group of that solution begins.
    """
    costs, firsts = [0.0], [0]
    for last, atom in enumerate(atoms):
        costs.append(math.inf)
        firsts.append(last)
        for first in range(last, -1, -1):
            length = atom.end - atoms[first].start
            if length > maximum and first < last:
                break
            cost = costs[first] + _window_cost(length) + (atoms[first].cut_cost if first else 0.0)
            if cost < costs[-1]:
                costs[-1], firsts[-1] = cost, first
    groups: list[Sequence[_Atom]] = []
    stop = len(atoms)
    while stop:
        groups.append(atoms[firsts[stop] : stop])
        stop = firsts[stop]
    return groups[::-1]


def _window_cost(length: float) -> float:
    return 1.0 + SHORT_COST * max(0.0, 1.0 - length / SHORT)


def _framed(
    groups: Sequence[Sequence[_Atom]], regions: Sequence[SpeechRegion], duration: float, maximum: float
) -> list[Window]:
    """Make windows of groups: widen each by a margin, up to the middle of the pause to its neighbours."""
    middles = [(before[-1].end + after[0].start) / 2 for before, after in pairwise(groups)]
    windows = []
    for group, (floor, ceiling) in zip(groups, pairwise([0.0, *middles, duration]), strict=False):
        first, last = group[0].start, group[-1].end
        margin = min(MARGIN, max(maximum - (last - first), 0.0) / 2)
        inside = regions[group[0].region : group[-1].region + 1]
        clipped = tuple(SpeechRegion(max(region.start, first), min(region.end, last)) for region in inside)
        windows.append(Window(max(first - margin, floor), min(last + margin, ceiling), clipped))
    return windows
