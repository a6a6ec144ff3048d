from __future__ import annotations

from typing import Any

import pytest

from wortlaut.evaluation.baseline import compare, figure, is_higher_better, renewed

FIGURES: dict[str, Any] = {
    "wer": 10.0,
    "boundary": {"within_50": 80.0, "median_ms": 20.0},
    "speaker_count_right": "3 of 4",
    "cer": None,
}


def baseline(name: str, value: float | None, tolerance: float = 1.0) -> dict[str, Any]:
    return {"talks": {"limit": 4, "figures": {name: {"value": value, "tolerance": tolerance}}}}


@pytest.mark.parametrize(
    ("name", "expected", "is_worse"),
    [
        ("wer", 9.5, False),
        ("wer", 8.5, True),
        ("wer", 20.0, False),
        ("boundary.within_50", 80.9, False),
        ("boundary.within_50", 81.5, True),
        ("boundary.within_50", 70.0, False),
        ("boundary.median_ms", 18.0, True),
        ("speaker_count_right", 4.0, False),
        ("speaker_count_right", 4.5, True),
        ("wer", None, False),
        ("cer", 5.0, True),  # was measured, is gone
    ],
)
def test_only_worse_than_tolerated_fails(name: str, expected: float | None, is_worse: bool) -> None:
    (comparison,) = compare({"talks": FIGURES}, baseline(name, expected))
    assert comparison.is_worse == is_worse


def test_a_set_that_is_gone_fails() -> None:
    (comparison,) = compare({}, baseline("wer", 10.0))
    assert comparison.is_worse


def test_figures_by_name() -> None:
    assert figure(FIGURES, "boundary.within_50") == 80
    assert figure(FIGURES, "speaker_count_right") == 3
    assert figure(FIGURES, "cer") is None
    assert figure(FIGURES, "boundary_forced.within_50") is None


def test_what_is_better() -> None:
    assert is_higher_better("boundary_forced.within_20")
    assert not is_higher_better("boundary.median_ms")
    assert not is_higher_better("der_0")


def test_a_renewed_baseline_keeps_its_tolerances() -> None:
    assert renewed({"talks": FIGURES}, baseline("wer", 99.0, 2.5)) == baseline("wer", 10.0, 2.5)
