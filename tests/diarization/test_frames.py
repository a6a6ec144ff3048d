from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.diarization.frames import (
    FRAME_STEP,
    FRAME_WIDTH,
    frame_boundary,
    frame_count,
    frame_times,
    nearest_frames,
)
from wortlaut.diarization.segmentation import FRAMES_PER_WINDOW, WINDOW


def test_a_window_has_589_frames_as_the_network_says():
    fit_wholly = int((WINDOW - FRAME_WIDTH) / FRAME_STEP) + 1
    assert fit_wholly == FRAMES_PER_WINDOW


@given(st.integers(0, 100_000))
def test_the_frame_nearest_to_its_own_middle_is_itself(frame):
    assert nearest_frames(frame_times(frame + 1)[-1:])[0] == frame


@given(st.floats(0.001, 40_000))
def test_every_frame_has_its_middle_inside(duration):
    count = frame_count(duration)
    assert count == 1 or frame_times(count)[-1] < duration <= frame_times(count)[-1] + FRAME_STEP + 1e-6


@given(st.floats(0.001, 100))
def test_boundaries_rise_from_zero_to_the_end(duration):
    count = frame_count(duration)
    boundaries = [frame_boundary(frame, count, duration) for frame in range(count + 1)]
    assert boundaries[0] == 0
    assert boundaries[-1] == duration
    assert all(earlier < later for earlier, later in pairwise(boundaries))


def test_a_boundary_lies_halfway_between_two_middles():
    first, second = frame_times(2)
    assert frame_boundary(1, 100, 10.0) == pytest.approx((first + second) / 2)


def test_times_are_seconds():
    assert np.diff(frame_times(3)) == pytest.approx(270 / 16000)
