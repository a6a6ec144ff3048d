from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.speech.two_detectors import QUIET_DB, AnyDetector, TwoDetectors, united
from wortlaut.stages import ignore
from wortlaut.testing import ScriptedDetector


@dataclass
class Listening:
    """Hears somebody in the part [0.25, 0.75) of whatever it is given, and notes how long that was."""

    asked: list[float] = field(default_factory=list)

    def detect(self, audio, /, *, advance=ignore):
        self.asked.append(round(audio.duration, 3))
        return [SpeechRegion(0.25 * audio.duration, 0.75 * audio.duration)]


def noise(*levels_db, seconds=4.0):
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=round(seconds * SAMPLE_RATE)) * 10 ** (level / 20) for level in levels_db]
    return Audio.from_array(np.concatenate(parts).astype(np.float32))


def scripted(*spans):
    return ScriptedDetector(tuple(SpeechRegion(*span) for span in spans))


def test_the_second_listens_where_the_first_hears_nobody():
    second = Listening()
    found = TwoDetectors(scripted((0.0, 4.0), (8.0, 11.5)), second).detect(noise(-20, -30, -20))
    assert second.asked == [4.0]  # and not to the last half second
    assert found == [SpeechRegion(0.0, 4.0), SpeechRegion(5.0, 7.0), SpeechRegion(8.0, 11.5)]


@pytest.mark.parametrize(("below_db", "listens"), [(QUIET_DB - 5, True), (QUIET_DB + 5, False)])
def test_nobody_listens_again_where_it_is_quiet(below_db, listens):
    second = Listening()
    TwoDetectors(scripted((0.0, 4.0)), second).detect(noise(-20, -20 - below_db))
    assert bool(second.asked) is listens


def test_digital_silence_costs_nothing():
    second = Listening()
    assert TwoDetectors(scripted(), second).detect(Audio.from_array(np.zeros(SAMPLE_RATE * 5, np.float32))) == []
    assert second.asked == []


def test_a_silent_line_costs_nothing():
    second = Listening()
    assert TwoDetectors(scripted(), second).detect(noise(-66)) == []
    assert second.asked == []


def test_a_recording_in_which_the_first_hears_nobody_at_all_is_listened_to():
    assert TwoDetectors(scripted(), Listening()).detect(noise(-40)) == [SpeechRegion(1.0, 3.0)]


def test_the_edge_of_what_was_heard_is_no_speech_of_its_own():
    assert TwoDetectors(scripted((0.9, 4.0)), Listening()).detect(noise(-20)) == [SpeechRegion(0.9, 4.0)]
    assert TwoDetectors(scripted((0.0, 3.04)), scripted((0.0, 0.4))).detect(noise(-20)) == [SpeechRegion(0.0, 3.04)]


def test_any_of_several_is_enough():
    assert AnyDetector((scripted((1.0, 2.0)), scripted((1.5, 3.0)))).detect(noise(-20)) == [SpeechRegion(1.0, 3.0)]


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.01, 10))))
def test_united_regions_are_disjoint_in_order_and_cover_the_same(spans):
    regions = [SpeechRegion(start, start + length) for start, length in spans]
    merged = united(regions)
    assert all(before.end < after.start for before, after in pairwise(merged))
    assert all(any(one.start <= region.start and region.end <= one.end for one in merged) for region in regions)
    assert {edge for one in merged for edge in (one.start, one.end)} <= {
        edge for one in regions for edge in (one.start, one.end)
    }
