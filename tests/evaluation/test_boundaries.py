from __future__ import annotations

import pytest

from wortlaut.evaluation.boundaries import boundary_errors, median_ms
from wortlaut.transcript import Word

TRUTH = [Word("she", 1.0, 1.2), Word("had", 1.2, 1.5), Word("your", 1.5, 1.7), Word("suit", 2.0, 2.5)]


def test_hand_computed_shares() -> None:
    heard = [Word(" She", 1.02, 1.25), Word(" had", 1.3, 1.5), Word(" you", 1.5, 1.7), Word(" suit,", 2.0, 2.8)]
    errors = boundary_errors(TRUTH, heard)
    # she 20, 50; had 100, 0; suit 0, 300 ms
    assert errors.deviations == pytest.approx((0.02, 0.05, 0.1, 0.0, 0.0, 0.3))
    assert {name: ratio.percent for name, ratio in errors.ratios().items()} == {
        "within_20": pytest.approx(50),
        "within_50": pytest.approx(400 / 6),
        "within_100": pytest.approx(500 / 6),
        "within_200": pytest.approx(500 / 6),
        "matched": pytest.approx(75),
    }
    assert median_ms(errors.deviations) == pytest.approx(35)


def test_a_word_said_twice_is_matched_in_order_and_not_by_time() -> None:
    truth = [Word("no", 0.0, 0.5), Word("no", 5.0, 5.5)]
    errors = boundary_errors(truth, [Word("no", 5.0, 5.5), Word("no", 9.0, 9.5)])
    assert errors.deviations == (5.0, 5.0, 4.0, 4.0)


def test_early_is_negative() -> None:
    assert boundary_errors(TRUTH[:1], [Word("she", 0.9, 1.1)]).deviations == pytest.approx((-0.1, -0.1))


def test_nothing_recognized() -> None:
    errors = boundary_errors(TRUTH, [])
    assert errors.ratios()["matched"].percent == 0
    assert errors.ratios()["within_50"].percent is None
    assert median_ms(errors.deviations) is None
