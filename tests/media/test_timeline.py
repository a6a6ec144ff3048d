from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from wortlaut.media.timeline import JITTER, OUTPUT_RATE, Placement, Timeline

FRAME = Fraction(1024, 44_100)


def placed(timeline: Timeline, *starts: float | Fraction | None) -> list[Placement]:
    return [timeline.place(None if start is None else Fraction(start), FRAME) for start in starts]


def test_frames_that_follow_one_another_need_nothing():
    assert set(placed(Timeline(), 0, FRAME, 2 * FRAME, 3 * FRAME)) == {Placement()}


def test_the_first_frame_is_placed_to_the_sample():
    assert placed(Timeline(), Fraction(1, OUTPUT_RATE)) == [Placement(1)]


def test_sound_before_time_zero_is_dropped_by_a_negative_position():
    assert placed(Timeline(), Fraction(-1, 10)) == [Placement(-1600)]


def test_a_gap_moves_the_frame():
    assert placed(Timeline(), 0, 1)[1] == Placement(OUTPUT_RATE)


def test_sound_sent_twice_goes_back():
    assert placed(Timeline(), 0, 1, 0.5)[2] == Placement(OUTPUT_RATE // 2)


def test_frames_without_timestamps_follow_the_one_before():
    assert placed(Timeline(), 0, None, None, 3 * FRAME) == [Placement()] * 4


def test_a_clock_that_begins_anew_goes_on():
    back, after = placed(Timeline(), 100, 0, FRAME)[1:]

    assert back == Placement(clock_jumped=True)
    assert after == Placement()


def test_an_absurd_step_forward_is_not_filled():
    assert placed(Timeline(), 0, 10**9)[1] == Placement(clock_jumped=True)


def test_a_long_gap_is_filled_if_the_container_is_that_long():
    assert placed(Timeline(Fraction(7200)), 0, 7000)[1] == Placement(7000 * OUTPUT_RATE)


def test_lost_data_makes_small_gaps_count():
    timeline = Timeline()
    placed(timeline, 0)
    timeline.lost()

    assert placed(timeline, 2 * FRAME) == [Placement(round(2 * FRAME * OUTPUT_RATE))]


def test_a_clock_that_drifts_is_followed_in_steps():
    """One part in a thousand: after 100 s the samples lag by 100 ms, of which at most the jitter is left."""
    timeline, steps = Timeline(), []
    for number in range(4300):
        placement = timeline.place(number * FRAME * Fraction(1001, 1000), FRAME)
        if placement.position_samples is not None:
            steps.append(placement.position_samples)

    assert 1 <= len(steps) <= 3


@given(st.lists(st.fractions(-JITTER / 2, JITTER / 2), min_size=1, max_size=20))
def test_jitter_is_not_followed(offsets):
    timeline = Timeline()
    timeline.place(Fraction(0), FRAME)

    assert {timeline.place((number + 1) * FRAME + offset, FRAME) for number, offset in enumerate(offsets)} == {
        Placement()
    }
