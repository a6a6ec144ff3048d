from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wortlaut.diarization.frames import FRAME_STEP, frame_count, frame_times
from wortlaut.diarization.turns import close_pauses, hysteresis, order_of_appearance, runs, to_turns

activities = arrays(bool, st.tuples(st.integers(1, 60), st.integers(1, 3)))


def duration_of(activity):
    return len(activity) * FRAME_STEP + 0.02


@given(activities)
def test_turns_are_sorted_inside_the_recording_and_not_empty(activity):
    duration = duration_of(activity)
    turns = to_turns(activity, duration)
    assert [turn.start for turn in turns] == sorted(turn.start for turn in turns)
    assert all(0 <= turn.start < turn.end <= duration for turn in turns)


@given(activities)
def test_frames_become_turns_and_frames_again(activity):
    duration = duration_of(activity)
    count = frame_count(duration)
    padded = np.zeros((count, activity.shape[1]), bool)
    padded[: min(count, len(activity))] = activity[:count]
    times = frame_times(count)
    again = np.zeros_like(padded)
    for turn in to_turns(padded, duration):
        again[(times >= turn.start) & (times < turn.end), int(turn.speaker[-2:])] = True
    np.testing.assert_array_equal(again, padded)


@given(arrays(bool, st.integers(0, 50)))
def test_runs_hold_exactly_what_is_true(active):
    held = [frame for first, stop in runs(active) for frame in range(first, stop)]
    assert held == np.flatnonzero(active).tolist()
    assert all(stop < later for (_, stop), (later, _) in zip(runs(active), runs(active)[1:], strict=False))


def activity_of(*lines):
    return np.array([[mark == "x" for mark in line] for line in lines]).T


def text_of(activity):
    return ["".join("x" if active else "." for active in speaker) for speaker in activity.T]


def spoken_for(*seconds):
    """Return one speaker's activity of alternating speech and pauses."""
    lengths = [round(length / FRAME_STEP) for length in seconds]
    return np.repeat([k % 2 == 0 for k in range(len(lengths))], lengths)[:, None]


@pytest.mark.parametrize(
    ("before", "pause", "after", "is_closed"),
    [
        (0.1, 0.25, 0.1, True),  # a breath
        (0.1, 0.4, 5.0, False),  # a word before a turn
        (3.0, 1.2, 2.0, True),  # a thought inside a turn
        (0.5, 1.2, 2.0, False),  # longer than what was said
        (9.0, 1.7, 9.0, False),  # the end of a turn
    ],
)
def test_a_pause_is_closed_that_is_short_for_what_surrounds_it(before, pause, after, is_closed):
    assert len(runs(close_pauses(spoken_for(before, pause, after))[:, 0])) == (1 if is_closed else 2)


def test_a_pause_in_which_another_speaks_stays():
    spoken = activity_of("xx..xx..x", "...x.....")
    assert text_of(close_pauses(spoken)) == ["xx..xxxxx", "...x....."]


def test_hysteresis_keeps_what_reaches_the_onset():
    probabilities = np.array([0.6, 0.8, 0.5, 0.4, 0.6, 0.6, 0.1, 0.9], np.float32)
    assert text_of(hysteresis(probabilities, 0.7, 0.5)[:, None]) == ["xxx....x"]


@given(arrays(np.float32, st.integers(0, 40), elements=st.floats(0, 1, width=32)))
def test_hysteresis_lies_between_both_thresholds(probabilities):
    kept = hysteresis(probabilities, 0.75, 0.5)
    assert (kept >= (probabilities >= 0.75)).all()
    assert (kept <= (probabilities >= 0.5)).all()


@given(activities)
def test_closing_pauses_only_adds_and_never_overlaps(activity):
    closed = close_pauses(activity)
    assert (closed | activity == closed).all()
    added = closed & ~activity
    assert (closed.sum(axis=1)[added.any(axis=1)] == 1).all()


def test_names_follow_the_order_of_appearance():
    spoken = activity_of("....x", "..x..", ".....", "x...x")
    assert order_of_appearance(spoken).tolist() == [3, 1, 0]
    turns = to_turns(spoken[:, order_of_appearance(spoken)], 5 * FRAME_STEP)
    assert list(dict.fromkeys(turn.speaker for turn in turns)) == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]


def test_speech_throughout_fills_the_recording():
    (turn,) = to_turns(np.ones((frame_count(7.3), 1), bool), 7.3)
    assert (turn.start, turn.end) == (0.0, pytest.approx(7.3))
