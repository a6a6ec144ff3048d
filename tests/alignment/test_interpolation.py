"""Words without measured times, and the order of all words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.alignment.interpolation import fill, in_order, spread
from wortlaut.audio import SpeechRegion
from wortlaut.transcript import Word

SECONDS = st.floats(-50, 50, allow_nan=False)
WORDS = st.lists(st.builds(Word, st.just(" w"), SECONDS, SECONDS), max_size=40)


@given(WORDS, st.floats(0, 1000), st.floats(0.1, 30))
def test_in_order_means_ordered_disjoint_and_inside(words, start, length):
    ordered = in_order(words, start, start + length)
    assert [word.text for word in ordered] == [word.text for word in words]
    assert all(start <= word.start < word.end <= start + length + 1e-9 for word in ordered)
    assert all(before.end <= after.start for before, after in pairwise(ordered))


def test_what_is_in_order_is_not_touched():
    words = [Word("a", 1.0, 1.5), Word("b", 1.5, 2.0), Word("c", 3.0, 4.0)]
    assert in_order(words, 0.0, 5.0) == words


def test_words_take_as_long_as_they_are():
    short, long = spread(["a", " abcdefghi"], [SpeechRegion(1.0, 2.0)])
    assert (short.start, short.end, long.end) == pytest.approx((1.0, 1.1, 2.0))
    assert short.source == long.source == "interpolated"


def test_no_word_reaches_over_a_pause():
    words = spread(["aa", " bbb", " cc", " ddd"], [SpeechRegion(0.0, 1.0), SpeechRegion(5.0, 6.0)])
    assert [(word.start, word.end) for word in words] == [
        pytest.approx(times) for times in [(0.0, 0.4), (0.4, 1.0), (5.0, 5.4), (5.4, 6.0)]
    ]
    for word in spread(["aaaa", " bbbb", " cccc"], [SpeechRegion(0.0, 1.0), SpeechRegion(5.0, 6.0)]):
        assert word.end <= 1.0 or word.start >= 5.0


def test_missing_words_follow_the_word_before():
    before, after = Word("one", 1.0, 1.5), Word("four", 9.0, 9.5)
    filled = fill(["one", "two", "three", "four"], [before, None, None, after], SpeechRegion(0.0, 10.0))
    assert (filled[0], filled[3]) == (before, after)
    assert [word.source for word in filled] == ["aligned", "interpolated", "interpolated", "aligned"]
    assert filled[1].start == 1.5
    assert filled[2].end < 2.5


def test_neighbours_make_room():
    before, after = Word("one", 1.0, 1.5), Word("three", 1.5, 2.0)
    first, second, third = fill(["one", "two", "three"], [before, None, after], SpeechRegion(0.0, 10.0))
    assert first.end == second.start < second.end == third.start
    assert first.end - first.start > 0.25
    assert third.end - third.start > 0.25


def test_missing_at_the_edges_lie_beside_what_was_aligned():
    first, _, last = fill(["one", "two", "three"], [None, Word("two", 5.0, 5.5), None], SpeechRegion(0.0, 10.0))
    assert (first.end, last.start) == (5.0, 5.5)
    assert first.start > 4.0
    assert last.end < 6.5
