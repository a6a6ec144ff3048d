"""Which words share a line, and which a cue: the cheapest of all ways, by dynamic programming."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from wortlaut.subtitles.breaks import break_price, ends_sentence
from wortlaut.subtitles.cue import Row
from wortlaut.subtitles.rules import Rules
from wortlaut.transcript import Word

Rows = tuple[Row, ...]

# Prices, in the unit of `Break`.
CUE = 4.0  # every cue: between two equal ways, the one with fewer cues
CUE_END = 2.0  # times the price of the break: half a sentence is worse to lose sight of than to see on two lines
SECOND_SENTENCE = 2.0  # a sentence that ends within a cue
ORPHAN_CUE = 12.0  # a cue of one word, where it need not stand alone
ORPHAN_ROW = 6.0  # a line of one word
IMBALANCE = 10.0  # two lines, one of them empty; less in proportion to the square of the difference
TOO_FAST = 80.0  # no time at all to read; less in proportion to what is missing


class Layout:
    """The words of one speaker without a long pause, measured once: everything here is by their indices."""

    def __init__(self, words: Sequence[Word], rules: Rules, language: str) -> None:
        self._words = words
        self._rules = rules
        self._prices = [float(break_price(a, b, language)) for a, b in itertools.pairwise(words)] + [0.0]
        self._widths = _sums(rules.width(word.text) for word in words)
        self._space_widths = [rules.width(word.text) - rules.width(word.text.lstrip()) for word in words]
        self._reading_times = list(itertools.accumulate((rules.reading_time(word.text) for word in words), initial=0.0))
        self._sentence_ends = _sums(ends_sentence(word) for word in words)

    def cues(self, following: float) -> list[Rows]:
        """Return the rows of each cue. `following` is when the next words start, after these."""
        starts = [*(word.start for word in self._words), following]
        best = [(0.0, 0)]
        for stop in range(1, len(self._words) + 1):
            firsts = self._possible_firsts(stop)
            best.append(min((best[first][0] + self._cue_price(first, stop, starts[stop]), first) for first in firsts))
        bounds = [len(self._words)]
        while bounds[-1]:
            bounds.append(best[bounds[-1]][1])
        bounds.reverse()
        return [self._rows(first, stop) for first, stop in itertools.pairwise(bounds)]

    def _possible_firsts(self, stop: int) -> list[int]:
        """Return where a cue that ends before `stop` can start. One word always is a cue."""
        firsts = [stop - 1]
        for first in range(stop - 2, -1, -1):
            is_long = self._words[stop - 1].end - self._words[first].start > self._rules.max_duration
            if is_long or self._width(first, stop) > self._rules.line_width * self._rules.max_lines:
                break
            firsts.append(first)
        return firsts

    def _cue_price(self, first: int, stop: int, following: float) -> float:
        rows_price, _ = self._best_rows(first, stop, self._rules.max_lines)
        is_orphan = stop - first == 1 and len(self._words) > 1
        return (
            CUE
            + rows_price
            + CUE_END * self._prices[stop - 1]
            + SECOND_SENTENCE * (self._sentence_ends[stop - 1] - self._sentence_ends[first])
            + ORPHAN_CUE * is_orphan
            + TOO_FAST * self._missing_time(first, stop, following)
        )

    def _missing_time(self, first: int, stop: int, following: float) -> float:
        """Return the part of the time needed for reading that there is not, 0 to 1."""
        rules = self._rules
        start, end = self._words[first].start, self._words[stop - 1].end
        needed = max(rules.min_duration, self._reading_times[stop] - self._reading_times[first])
        available = min(following - rules.min_gap, max(end + rules.max_hold, start + rules.min_duration)) - start
        return min(max(1 - available / needed, 0.0), 1.0)

    def _best_rows(self, first: int, stop: int, max_rows: int) -> tuple[float, tuple[int, ...]]:
        """Return the least price, infinite if it does not fit, and the indices at which rows after the first start.

        What fits on one line stays on one line.
        """
        if stop - first == 1 or self._width(first, stop) <= self._rules.line_width:
            return 0.0, ()
        best: tuple[float, tuple[int, ...]] = (math.inf, ())
        if max_rows == 1:
            return best
        for at in range(first + 1, stop):
            if at - first > 1 and self._width(first, at) > self._rules.line_width:
                break
            rest_price, rest = self._best_rows(at, stop, max_rows - 1)
            price = rest_price + self._row_price(first, at, rest[0] if rest else stop)
            best = min(best, (price, (at, *rest)))
        return best

    def _row_price(self, first: int, at: int, stop: int) -> float:
        """Return the price of a row [first, at) above a row [at, stop)."""
        above, below = self._width(first, at), self._width(at, stop)
        is_orphan = min(at - first, stop - at) == 1
        return (
            self._prices[at - 1] + IMBALANCE * ((above - below) / self._rules.line_width) ** 2 + ORPHAN_ROW * is_orphan
        )

    def _rows(self, first: int, stop: int) -> Rows:
        _, starts = self._best_rows(first, stop, self._rules.max_lines)
        return tuple(tuple(self._words[a:b]) for a, b in itertools.pairwise((first, *starts, stop)))

    def _width(self, first: int, stop: int) -> int:
        return self._widths[stop] - self._widths[first] - self._space_widths[first]


def _sums(values: Iterable[int]) -> list[int]:
    """Return the sums of the first 0, 1, 2 ... values."""
    return list(itertools.accumulate(values, initial=0))
