"""Short windows that lie far apart are heard at once, without the silence between them.

A sentence alone in a window is heard worse than one in company, and costs as much as half a minute of speech. So
windows that are short and follow each other after long pauses are gathered: their sounds, margins included, are put
one after the other, and what is heard in them is brought back to where it was said.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio, Samples, SpeechRegion, Window
from wortlaut.speech.packing import LONGEST_PAUSE, MAXIMUM
from wortlaut.transcript import Passage, Word

SHORT = 15.0
"""Seconds up to which a window is short: longer ones have context of their own, and two of them fill what is heard at
once."""


@dataclass(frozen=True, slots=True)
class Part:
    """A window on two clocks: samples [first, last) of the recording are those from `offset` on in what is heard."""

    window: Window
    first: int
    last: int
    offset: int

    @property
    def shift(self) -> float:
        """Seconds from the time of the gathered sound to that of the recording."""
        return (self.first - self.offset) / SAMPLE_RATE

    @property
    def end_offset(self) -> int:
        return self.offset + self.last - self.first


@dataclass(frozen=True, slots=True)
class Gathering:
    """Windows that are heard at once. `window` is all of them, in the time of the gathered sound."""

    parts: tuple[Part, ...]

    @property
    def window(self) -> Window:
        regions = tuple(_moved(region, -part.shift) for part in self.parts for region in part.window.regions)
        return Window(self.parts[0].offset / SAMPLE_RATE, self.parts[-1].end_offset / SAMPLE_RATE, regions)

    def restored(self, passage: Passage, words: Sequence[Word]) -> list[tuple[Passage, list[Word]]]:
        """Return a passage of each window in the time of the recording, with the words of which the middle lies in it.

        What is said of the passage is said of each; its notices stay with the first.
        """
        restored = []
        for part in self.parts:
            mine = [_word_of(part, word) for word in words if self._part_of(word) is part]
            restored.append((_passage_of(part, passage, mine), mine))
        first, first_words = restored[0]
        return [(replace(first, notices=passage.notices), first_words), *restored[1:]]

    def _part_of(self, word: Word) -> Part:
        middle = (word.start + word.end) / 2 * SAMPLE_RATE
        return next((part for part in self.parts if middle < part.end_offset), self.parts[-1])


@dataclass(frozen=True, slots=True)
class GatheredSamples:
    """The samples of all parts, one after the other."""

    whole: Samples
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return self.parts[-1].end_offset if self.parts else 0

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        begin = max(bisect_right(self.parts, start, key=_offset) - 1, 0)
        pieces = [np.zeros(0, np.float32)]
        for part in takewhile(lambda part: part.offset < stop, self.parts[begin:]):
            back = part.first - part.offset
            pieces.append(self.whole.read(max(start, part.offset) + back, min(stop, part.end_offset) + back))
        return np.concatenate(pieces)


def _offset(part: Part) -> int:
    return part.offset


def grouped(windows: Sequence[Window], may_join: Callable[[Window], bool]) -> list[tuple[Window, ...]]:
    """Return the windows in order, those together that are to be heard at once.

    `may_join` is asked of those only that could be heard with another.
    """
    joins = [_could_join(*pair) for pair in pairwise(windows)]
    is_candidate = [any(joins[max(index - 1, 0) : index + 1]) for index in range(len(windows))]
    allowed = [asked and may_join(window) for window, asked in zip(windows, is_candidate, strict=True)]
    groups: list[tuple[Window, ...]] = []
    for index, window in enumerate(windows):
        follows = index > 0 and joins[index - 1] and allowed[index - 1] and allowed[index]
        if follows and _length([*groups[-1], window]) <= MAXIMUM:
            groups[-1] = (*groups[-1], window)
        else:
            groups.append((window,))
    return groups


def gather(audio: Audio, groups: Sequence[Sequence[Window]]) -> tuple[Audio, list[Gathering]]:
    """Return the sound of all groups of windows, one after the other, and where each window lies in it."""
    parts = list(_parts(audio, [window for group in groups for window in group]))
    ends = list(accumulate(len(group) for group in groups))
    gatherings = [Gathering(tuple(parts[first:last])) for first, last in pairwise([0, *ends])]
    return Audio(GatheredSamples(audio.samples, tuple(parts))), gatherings


def _could_join(before: Window, after: Window) -> bool:
    is_far = after.start - before.end > LONGEST_PAUSE
    return is_far and all(window.end - window.start <= SHORT for window in (before, after))


def _length(group: Sequence[Window]) -> float:
    return sum(window.end - window.start for window in group)


def _parts(audio: Audio, windows: Sequence[Window]) -> Iterator[Part]:
    offset = 0
    for window in windows:
        last = min(round(window.end * SAMPLE_RATE), len(audio.samples))
        part = Part(window, round(window.start * SAMPLE_RATE), last, offset)
        yield part
        offset = part.end_offset


def _moved(region: SpeechRegion, seconds: float) -> SpeechRegion:
    return SpeechRegion(region.start + seconds, region.end + seconds)


def _word_of(part: Part, word: Word) -> Word:
    """Return a word in the time of the recording, cut to its part."""
    first, last = part.first / SAMPLE_RATE, part.last / SAMPLE_RATE
    return replace(word, start=max(word.start + part.shift, first), end=min(word.end + part.shift, last))


def _passage_of(part: Part, passage: Passage, words: Sequence[Word]) -> Passage:
    return replace(
        passage,
        start=part.first / SAMPLE_RATE,
        end=part.last / SAMPLE_RATE,
        regions=part.window.regions,
        text="".join(word.text for word in words),
        tokens=(),
        notices=(),
    )
