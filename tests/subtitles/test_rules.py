"""Measures and presets."""

from __future__ import annotations

import dataclasses

import pytest

from wortlaut.errors import InvalidOption
from wortlaut.subtitles.presets import PRESETS, get_preset

NETFLIX = PRESETS["netflix"]


def test_a_full_line_of_either_width_is_exactly_full():
    assert NETFLIX.width("x" * 42) == NETFLIX.line_width
    assert NETFLIX.width("字" * 16) == NETFLIX.line_width
    assert NETFLIX.width("x" * 21 + "字" * 8) == NETFLIX.line_width


def test_marks_that_combine_take_no_room():
    assert NETFLIX.width("e\u0301") == NETFLIX.width("é") == NETFLIX.width("e")
    assert NETFLIX.width("\u200fש\u05c1") == NETFLIX.width("ש")


def test_reading_time():
    assert NETFLIX.reading_time("x" * 40) == pytest.approx(2.0)
    assert NETFLIX.reading_time("字" * 9) == pytest.approx(1.0)
    assert PRESETS["reels"].reading_time("x" * 40) == 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"max_line_chars": 0},
        {"max_lines": 0},
        {"max_wide_line_chars": 0},
        {"min_duration": 0.0},
        {"min_duration": 8.0},
        {"min_gap": -0.1},
        {"max_hold": -1.0},
        {"max_chars_per_second": 0.0},
    ],
)
def test_senseless_rules_are_refused(change):
    with pytest.raises(InvalidOption):
        dataclasses.replace(NETFLIX, **change)


def test_an_unknown_preset_names_those_that_exist():
    with pytest.raises(InvalidOption) as caught:
        get_preset("hbo")
    assert all(name in caught.value.hint for name in PRESETS)


def test_netflix_as_published():
    assert (NETFLIX.max_line_chars, NETFLIX.max_lines, NETFLIX.max_chars_per_second) == (42, 2, 20)
    assert (NETFLIX.min_duration, NETFLIX.max_duration) == (pytest.approx(0.833, abs=0.001), 7)
    assert NETFLIX.min_gap == pytest.approx(2 / 24)
