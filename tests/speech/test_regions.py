from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wortlaut.audio import SpeechRegion
from wortlaut.speech.regions import Thresholds, find_regions

FRAME = 0.1
PLAIN = Thresholds(onset=0.5, offset=0.3, min_speech=0.2, min_silence=0.3, padding=0.0)


def found(*scores: float, thresholds: Thresholds = PLAIN) -> list[tuple[float, float]]:
    regions = find_regions(np.array(scores, np.float32), FRAME, len(scores) * FRAME, thresholds)
    return [(round(region.start, 6), round(region.end, 6)) for region in regions]


def test_nothing():
    assert found() == []
    assert found(0.0, 0.49, 0.3) == []


def test_speech_begins_at_the_onset_and_lasts_above_the_offset():
    assert found(0, 0.4, 0.6, 0.9, 0.4, 0.4, 0.1) == [(0.2, 0.6)]


def test_short_pauses_stay_inside_and_long_ones_do_not():
    assert found(0.9, 0.9, 0, 0, 0.9, 0.9) == [(0.0, 0.6)]
    assert found(0.9, 0.9, 0, 0, 0, 0.9, 0.9) == [(0.0, 0.2), (0.5, 0.7)]


def test_too_little_speech_is_dropped():
    assert found(0, 0.9, 0.4, 0.4, 0) == []


def test_padding_ends_at_the_edges_and_in_the_middle_of_a_pause():
    wide = Thresholds(onset=0.5, offset=0.3, min_speech=0.2, min_silence=0.3, padding=0.25)

    assert found(0.9, 0.9, 0, 0, 0, 0, 0.9, 0.9, 0, thresholds=wide) == [(0.0, 0.4), (0.4, 0.9)]


def test_the_last_frame_may_reach_beyond_the_end():
    assert find_regions(np.full(3, 0.9, np.float32), FRAME, 0.25, PLAIN) == [SpeechRegion(0.0, 0.25)]


def slow_regions(scores, thresholds):
    """Say the same frame by frame, without padding."""
    regions, start, silent = [], None, 0
    for index, score in enumerate([*scores, *[-1.0] * 10]):
        if start is None and score >= thresholds.onset:
            start, silent = index, 0
        elif start is not None:
            silent = 0 if score >= thresholds.offset else silent + 1
            if silent >= round(thresholds.min_silence / FRAME):
                regions.append((start, index - silent + 1))
                start = None
    return [
        (first, last)
        for first, last in regions
        if sum(score >= thresholds.onset for score in scores[first:last]) * FRAME >= thresholds.min_speech - 1e-9
    ]


@given(arrays(np.float32, st.integers(0, 60), elements=st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0])))
def test_the_same_as_frame_by_frame(scores):
    """A run that climbs over the offset first belongs to the onset after it, so both see the same regions."""
    expected = [(first * FRAME, last * FRAME) for first, last in slow_regions(scores.tolist(), PLAIN)]
    regions = find_regions(scores, FRAME, len(scores) * FRAME, PLAIN)

    assert [(region.start, region.end) for region in regions] == [pytest.approx(pair) for pair in expected]


@given(
    arrays(np.float32, st.integers(0, 200), elements=st.floats(0, 1, width=32)),
    st.floats(0, 1.0),
)
def test_regions_are_sorted_disjoint_and_inside(scores, padding):
    duration = max(len(scores) * FRAME - 0.03, 0.0)
    regions = find_regions(scores, FRAME, duration, Thresholds(padding=padding))

    assert all(0 <= region.start < region.end <= duration for region in regions)
    assert all(before.end <= after.start for before, after in pairwise(regions))
