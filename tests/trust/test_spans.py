from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.transcript import Turn
from wortlaut.trust.spans import Span, free, shared, union

turns = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda pair: Turn(pair[0], sum(pair), "A")), max_size=8
)


def seconds_covered(stretches, start, end):
    """Count whole seconds, which is all the strategy draws."""
    return sum(any(one.start <= second < one.end for one in stretches) for second in range(start, end))


@given(turns)
def test_a_union_covers_the_same_and_does_not_overlap(stretches):
    spans = union(stretches)
    assert all(before.end < after.start for before, after in pairwise(spans))
    assert sum(span.length for span in spans) == seconds_covered(stretches, 0, 60)


@given(turns, st.integers(0, 20), st.integers(1, 30))
def test_what_is_free_and_what_is_covered_make_the_whole(stretches, start, length):
    gaps = free(union(stretches), start, start + length)
    assert sum(gap.length for gap in gaps) == length - seconds_covered(stretches, start, start + length)
    assert all(shared(gap, union(stretches)) == 0 for gap in gaps)


def test_reach_widens_both_ends():
    assert union([Turn(1.0, 2.0, "A"), Turn(2.5, 3.0, "A")], reach=0.5) == [Span(0.5, 3.5)]


@pytest.mark.parametrize(
    ("other", "expected"), [(Span(0.0, 1.0), 0.0), (Span(1.5, 9.0), 0.5), (Span(0.0, 9.0), 1.0), (Span(2.0, 3.0), 0.0)]
)
def test_shared_seconds(other, expected):
    assert shared(Span(1.0, 2.0), [other]) == expected


def test_nothing_within_has_no_length():
    assert Span(1.0, 2.0).within(3.0, 4.0).length == 0
    assert Span(1.0, 2.0).within(0.0, 1.5) == Span(1.0, 1.5)
