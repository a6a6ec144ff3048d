"""Figures as a part of a whole, and how sure one can be of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROUNDS = 2000
"""Bootstrap samples: the 2.5 % quantile then rests on 50 of them."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """`part` of `whole`: errors of words, seconds of seconds. Adding adds both, which makes figures of a corpus."""

    part: float
    whole: float

    def __add__(self, other: Ratio) -> Ratio:
        return Ratio(self.part + other.part, self.whole + other.whole)

    @property
    def percent(self) -> float | None:
        """Percent; None where there is no whole to be a part of."""
        return 100 * self.part / self.whole if self.whole else None


def total(ratios: Sequence[Ratio]) -> Ratio:
    """Return the ratio of the sums."""
    return sum(ratios, Ratio(0, 0))


def confidence_interval(ratios: Sequence[Ratio], *, seed: int = 0) -> tuple[float, float] | None:
    """Return the 95 % interval of the total in percent, by resampling files with replacement.

    Percentile bootstrap (Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance
    evaluation"). Files are the unit, because errors within a file are not independent. The same input and `seed`
    give the same interval. None with fewer than two files: there is nothing to resample.
    """
    kept = [ratio for ratio in ratios if ratio.whole]
    if len(kept) < 2:  # noqa: PLR2004 one file resampled is always itself
        return None
    parts = np.array([ratio.part for ratio in kept])
    wholes = np.array([ratio.whole for ratio in kept])
    drawn = np.random.default_rng(seed).integers(len(kept), size=(ROUNDS, len(kept)))
    percents = 100 * parts[drawn].sum(axis=1) / wholes[drawn].sum(axis=1)
    low, high = np.quantile(percents, [0.025, 0.975])
    return float(low), float(high)
