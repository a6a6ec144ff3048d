"""Quality against a baseline: figures with the change that is tolerated. Time is never judged here.

    {"timit-nltk": {"limit": 16, "figures": {"boundary.within_50": {"value": 84.1, "tolerance": 3.0}}}}

A value of None has not been measured yet and cannot fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Baseline = Mapping[str, Mapping[str, Any]]

HIGHER_IS_BETTER = ("boundary", "language_right", "speaker_count_right", "broken_refused")
"""First part of the name; of everything else, less is better."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure then and now. `value` None: not measured now, though it was then."""

    set_name: str
    figure: str
    expected: float | None
    tolerance: float
    value: float | None

    @property
    def is_worse(self) -> bool:
        """Worse by more than is tolerated, or gone."""
        if self.expected is None:
            return False
        return self.value is None or self.loss > self.tolerance

    @property
    def loss(self) -> float:
        """By how much it got worse; negative: better. 0 where there is nothing to compare."""
        if self.expected is None or self.value is None:
            return 0.0
        return self.expected - self.value if is_higher_better(self.figure) else self.value - self.expected


def is_higher_better(figure: str) -> bool:
    """Whether more is better: so for shares of what is right, not for error rates."""
    kind = figure.partition(".")[0].removesuffix("_forced")
    return kind in HIGHER_IS_BETTER and not figure.endswith("median_ms")


def figure(figures: Mapping[str, Any], name: str) -> float | None:
    """Return a figure by its dotted name; `3 of 4` counts as 3. None where it was not measured."""
    value: Any = figures
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return float(value.split()[0])
    return None if value is None else float(value)


def compare(sets: Mapping[str, Mapping[str, Any]], baseline: Baseline) -> list[Comparison]:
    """Compare the measured `sets` (as in the JSON output) with the baseline, figure by figure."""
    return [
        Comparison(set_name, name, bound["value"], float(bound["tolerance"]), figure(sets.get(set_name, {}), name))
        for set_name, entry in baseline.items()
        for name, bound in entry["figures"].items()
    ]


def renewed(sets: Mapping[str, Mapping[str, Any]], baseline: Baseline) -> dict[str, dict[str, Any]]:
    """Return the baseline with today's values and its own tolerances."""
    return {
        set_name: {
            **entry,
            "figures": {
                name: {**bound, "value": figure(sets.get(set_name, {}), name)}
                for name, bound in entry["figures"].items()
            },
        }
        for set_name, entry in baseline.items()
    }
