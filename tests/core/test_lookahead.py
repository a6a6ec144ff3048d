from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.lookahead import map_ahead


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=20), st.integers(1, 4), st.integers(0, 3))
def test_results_come_map_ahead(delays, workers, ahead):
    def work(item):
        time.sleep(item[1] / 1000)
        return item

    items = list(enumerate(delays))
    assert list(map_ahead(work, items, workers=workers, ahead=ahead)) == items


def test_it_never_runs_far_ahead():
    begun = []
    results = map_ahead(begun.append, range(100), workers=2, ahead=1)
    next(results)
    time.sleep(0.05)
    assert len(begun) <= 1 + 2 + 1
    results.close()


def test_nothing_happens_before_the_first_result_is_wanted():
    begun = []
    map_ahead(begun.append, range(3), workers=1, ahead=1)
    assert begun == []


def test_closing_stops_the_work_and_its_threads():
    begun = []
    before = threading.active_count()
    results = map_ahead(begun.append, range(100), workers=2, ahead=2)
    next(results)
    results.close()
    count = len(begun)
    time.sleep(0.02)
    assert len(begun) == count < 10
    assert threading.active_count() == before


def test_workers_work_at_the_same_time():
    barrier = threading.Barrier(3, timeout=10)
    assert len(list(map_ahead(lambda _: barrier.wait(), range(3), workers=3, ahead=0))) == 3


def test_an_error_comes_out_in_its_turn_and_ends_the_work():
    def work(item):
        if item == 2:
            raise KeyError(item)
        return item

    results = map_ahead(work, range(100), workers=2, ahead=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(KeyError):
        next(results)
    assert list(results) == []
