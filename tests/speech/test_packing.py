from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.speech.packing import LONGEST_PAUSE, MARGIN, MAXIMUM, pack
from wortlaut.testing import silence


def spans(audio: Audio, *regions: tuple[float, float], maximum: float = MAXIMUM) -> list[tuple[float, float]]:
    """Pack and say what the regions of each window span."""
    windows = pack(audio, [SpeechRegion(*region) for region in regions], maximum=maximum)
    return [(window.regions[0].start, window.regions[-1].end) for window in windows]


def noise_with_pauses(duration: float, *pauses: float, length: float = 0.3) -> Audio:
    samples = np.random.default_rng(2).normal(0, 0.1, round(duration * SAMPLE_RATE)).astype(np.float32)
    for middle in pauses:
        samples[round((middle - length / 2) * SAMPLE_RATE) : round((middle + length / 2) * SAMPLE_RATE)] *= 0.01
    return Audio.from_array(samples)


def test_no_speech_no_windows():
    assert pack(silence(60), []) == []


def test_what_fits_is_one_window_with_margins():
    [window] = pack(silence(60), [SpeechRegion(3, 10), SpeechRegion(11, 20)])

    assert (window.start, window.end) == pytest.approx((3 - MARGIN, 20 + MARGIN))
    assert window.regions == (SpeechRegion(3, 10), SpeechRegion(11, 20))


def test_margins_end_at_the_recording_and_between_windows():
    first, second = pack(silence(50), [SpeechRegion(0.1, 25), SpeechRegion(25.1, 50)])

    assert first.start == 0
    assert first.end == second.start == pytest.approx(25.05)
    assert second.end == 50


def test_a_long_pause_ends_a_window():
    later = 5 + LONGEST_PAUSE + 0.1

    assert spans(silence(60), (0, 5), (later, later + 5)) == [(0, 5), (later, later + 5)]


def test_windows_are_cut_at_the_longest_pause():
    """Filling up the first window would cut at 24, where there is hardly a pause."""
    regions = ((0, 10), (10.1, 20), (21, 24), (24.1, 34), (34.1, 45))

    assert spans(silence(60), *regions) == [(0, 20), (21, 45)]


def test_no_window_is_left_with_a_scrap():
    regions = tuple((start, start + 1.5) for start in np.arange(0, 31.5, 1.75))
    windows = spans(silence(60), *regions)

    assert len(windows) == 2
    assert min(end - start for start, end in windows) > 7


def test_a_region_that_is_too_long_is_cut_in_its_pauses():
    audio = noise_with_pauses(70, 22.0, 46.5)
    windows = spans(audio, (0, 70))

    assert [end for _, end in windows[:-1]] == [pytest.approx(22.0, abs=0.05), pytest.approx(46.5, abs=0.05)]
    assert [start for start, _ in windows[1:]] == [end for _, end in windows[:-1]]


def test_a_region_just_too_long_leaves_no_scrap():
    windows = spans(noise_with_pauses(31), (0, 31))

    assert len(windows) == 2
    assert min(end - start for start, end in windows) > 3


def test_digital_silence_is_cut_too():
    assert len(spans(silence(100), (0, 100))) == 4


def test_a_smaller_maximum():
    assert all(end - start <= 5 for start, end in spans(noise_with_pauses(40), (0, 12), (13, 40), maximum=5.0))


@st.composite
def recordings(draw):
    regions, now = [], 0.0
    for _ in range(draw(st.integers(0, 25))):
        now += draw(st.floats(0.0, 8.0))
        length = draw(st.floats(0.1, 20.0) | st.floats(25.0, 120.0))
        regions.append(SpeechRegion(now, now + length))
        now = regions[-1].end
    return regions, now + draw(st.floats(0.0, 2.0))


@given(recordings())
@settings(max_examples=30, deadline=None)
def test_no_speech_is_lost_and_windows_are_sound(recording):
    regions, duration = recording
    windows = pack(silence(duration), regions)
    pieces = [piece for window in windows for piece in window.regions]

    for window in windows:
        assert window.end - window.start <= MAXIMUM + 1e-9
        assert 0 <= window.start <= window.regions[0].start
        assert window.regions[-1].end <= window.end + 1e-4  # a recording ends with a whole sample
        assert window.end <= duration + 1e-4
    assert all(before.end <= after.start for before, after in pairwise(windows))
    assert all(piece.start < piece.end for piece in pieces)
    for region in regions:
        inside = [piece for piece in pieces if region.start <= piece.start and piece.end <= region.end]
        assert inside[0].start == region.start
        assert inside[-1].end == region.end
        assert all(before.end == after.start for before, after in pairwise(inside))
        assert len(inside) == 1 or region.end - region.start > MAXIMUM
    assert len(pieces) >= len(regions)
