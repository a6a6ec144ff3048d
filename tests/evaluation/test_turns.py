from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.evaluation.turns import turn_errors
from wortlaut.transcript import Turn

DURATION = 10


def rate(truth: list[Turn], found: list[Turn], collar: float = 0.0) -> float | None:
    return turn_errors(truth, found, duration=DURATION, collar=collar).ratios()["rate"].percent


def test_hand_computed_parts() -> None:
    truth = [Turn(0, 4, "anna"), Turn(4, 8, "bert")]
    found = [Turn(0, 5, "S0"), Turn(5, 7, "S1"), Turn(8, 9, "S1")]
    errors = turn_errors(truth, found, duration=DURATION, collar=0)
    # 4-5 s is bert but called anna; 7-8 s is missed; 8-9 s is false
    assert (errors.confusion, errors.missed, errors.false_alarm, errors.spoken) == pytest.approx((1, 1, 1, 8))
    assert errors.ratios()["rate"].percent == pytest.approx(37.5)


def test_overlapping_speech_counts_for_each_speaker() -> None:
    truth = [Turn(0, 4, "anna"), Turn(2, 4, "bert")]
    assert rate(truth, [Turn(0, 4, "S0")]) == pytest.approx(100 * 2 / 6)


def test_the_collar_is_left_out_on_each_side_of_a_boundary() -> None:
    truth = [Turn(2, 6, "anna")]
    assert rate(truth, [Turn(1.75, 6.25, "S0")], collar=0.25) == pytest.approx(0)
    # 0.35 s too early: 0.10 s of it are outside the collar, and 3.5 s of the truth are scored
    assert rate(truth, [Turn(1.65, 6, "S0")], collar=0.25) == pytest.approx(100 * 0.1 / 3.5)


def test_silence_after_the_last_true_turn_is_scored_too() -> None:
    assert rate([Turn(0, 2, "anna")], [Turn(0, 2, "S0"), Turn(9, 10, "S0")]) == pytest.approx(50)


def test_nobody_speaks_twice_at_once() -> None:
    assert rate([Turn(0, 3, "anna"), Turn(2, 4, "anna")], [Turn(0, 4, "S0")]) == pytest.approx(0)


def test_nothing_found_is_all_missed() -> None:
    errors = turn_errors([Turn(0, 4, "anna")], [], duration=DURATION, collar=0)
    assert (errors.missed, errors.spoken) == pytest.approx((4, 4))


grid = st.lists(
    st.tuples(st.integers(0, DURATION - 1), st.integers(1, 3), st.sampled_from(["x", "y"])).map(
        lambda drawn: Turn(drawn[0], min(drawn[0] + drawn[1], DURATION), drawn[2])
    ),
    min_size=1,
    max_size=5,
)


def counted_by_the_second(truth: list[Turn], found: list[Turn]) -> float:
    """DER from its definition for turns on a grid of seconds: try every mapping, count every second."""

    def active(turns: list[Turn], second: int) -> set[str]:
        return {turn.speaker for turn in turns if turn.start <= second < turn.end}

    def errors(mapping: dict[str, str]) -> int:
        wrong = 0
        for second in range(DURATION):
            true, heard = active(truth, second), {mapping[name] for name in active(found, second)}
            wrong += max(len(true), len(heard)) - len(true & heard)
        return wrong

    spoken = sum(len(active(truth, second)) for second in range(DURATION))
    return 100 * min(errors(mapping) for mapping in ({"x": "x", "y": "y"}, {"x": "y", "y": "x"})) / spoken


@given(grid, grid)
@settings(deadline=None)
def test_agrees_with_the_definition(truth: list[Turn], found: list[Turn]) -> None:
    assert rate(truth, found) == pytest.approx(counted_by_the_second(truth, found))
