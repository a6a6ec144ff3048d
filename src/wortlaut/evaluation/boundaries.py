"""How far word starts and ends lie from where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from wortlaut.evaluation.normalization import word_key
from wortlaut.evaluation.ratio import Ratio
from wortlaut.evaluation.text_errors import matched
from wortlaut.transcript import Word

TOLERANCES_MS = (20, 50, 100, 200)
"""As in the literature: 20 is about what two people differ by, 50 and 100 are usual, 200 is WhisperX's collar."""
ROUNDING = 1e-9  # seconds: 1.02 - 1.0 is a hair over 0.02


@dataclass(frozen=True, slots=True)
class BoundaryErrors:
    """Signed deviations in seconds (later than the truth is positive), two a matched word: its start and its end."""

    deviations: tuple[float, ...]
    matched: Ratio

    def ratios(self) -> Mapping[str, Ratio]:
        """Return `within_20` ... of the starts and ends, and `matched`, the share of true words that was compared."""
        within = {f"within_{tolerance}": self._within(tolerance / 1000) for tolerance in TOLERANCES_MS}
        return {**within, "matched": self.matched}

    def _within(self, tolerance: float) -> Ratio:
        near = sum(abs(deviation) <= tolerance + ROUNDING for deviation in self.deviations)
        return Ratio(near, len(self.deviations))


def boundary_errors(truth: Sequence[Word], recognized: Sequence[Word]) -> BoundaryErrors:
    """Compare the words that both sides have, matched by Levenshtein alignment; only equal words are compared.

    Which words are equal is decided without the times, so that a word recognized at a wrong place counts.
    """
    pairs = matched([word_key(word.text) for word in truth], [word_key(word.text) for word in recognized])
    compared = [(truth[true], recognized[heard]) for true, heard in pairs]
    deviations = [
        deviation for true, heard in compared for deviation in (heard.start - true.start, heard.end - true.end)
    ]
    return BoundaryErrors(tuple(deviations), Ratio(len(pairs), len(truth)))


def median_ms(deviations: Sequence[float]) -> float | None:
    """Return the median absolute deviation in milliseconds."""
    return 1000 * median(abs(deviation) for deviation in deviations) if deviations else None
