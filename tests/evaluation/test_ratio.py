from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.evaluation.ratio import Ratio, confidence_interval, total

ratios = st.lists(st.builds(Ratio, st.integers(0, 50), st.integers(1, 100)), min_size=2, max_size=20)


def test_a_figure_of_a_set_is_the_ratio_of_the_sums_and_no_mean_of_ratios() -> None:
    long_and_good, short_and_bad = Ratio(1, 99), Ratio(1, 1)
    assert total([long_and_good, short_and_bad]).percent == pytest.approx(2.0)


def test_nothing_to_count_is_no_figure() -> None:
    assert Ratio(0, 0).percent is None
    assert total([]).percent is None
    assert confidence_interval([Ratio(1, 10)]) is None
    assert confidence_interval([Ratio(1, 10), Ratio(0, 0)]) is None


@given(ratios)
def test_the_interval_is_the_same_every_time_and_spans_what_files_span(files: list[Ratio]) -> None:
    interval = confidence_interval(files)
    assert interval == confidence_interval(files)
    assert interval is not None
    percents = [file.percent for file in files if file.percent is not None]
    low, high = interval
    assert min(percents) - 1e-9 <= low <= high <= max(percents) + 1e-9


def test_another_seed_draws_other_files() -> None:
    files = [Ratio(part, 97) for part in range(0, 60, 3)]
    assert confidence_interval(files, seed=1) != confidence_interval(files, seed=2)


def test_the_interval_agrees_with_the_normal_approximation() -> None:
    """With files of one length, the total is a mean, whose spread is known: an independent formula."""
    rng = np.random.default_rng(5)
    parts = rng.normal(20, 5, size=400)
    interval = confidence_interval([Ratio(float(part), 100) for part in parts])
    margin = 1.96 * parts.std() / np.sqrt(len(parts))
    assert interval == pytest.approx((parts.mean() - margin, parts.mean() + margin), abs=0.15)
