"""Seconds by stage, by whatever clock."""

from __future__ import annotations

from itertools import count

from wortlaut.stopwatch import Stopwatch


def ticking():
    """A clock that goes on by a second whenever it is read."""
    ticks = count()
    return lambda: float(next(ticks))


def test_seconds_add_up_by_the_clock_that_is_given():
    watch = Stopwatch(ticking())
    for _ in range(2):
        with watch.measure("decode"):
            pass
    assert watch.seconds == {"decode": 2.0}


def test_a_stage_that_is_pulled_from_inside_another_is_not_counted_twice():
    watch = Stopwatch(ticking())
    inner = watch.timed("recognize", iter("ab"))
    assert list(watch.timed("align", inner, within="recognize")) == ["a", "b"]
    assert watch.seconds["recognize"] == 3.0  # two values and the end
    assert watch.seconds["align"] == 6.0
