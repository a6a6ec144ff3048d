from __future__ import annotations

import threading

import pytest

from wortlaut.diarization.parallel import map_in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_keeps_the_order(threads):
    assert list(map_in_order(lambda n: n * n, range(50), threads=threads)) == [n * n for n in range(50)]


@pytest.mark.parametrize("threads", [1, 3])
def test_never_runs_far_ahead(threads):
    taken = []

    def items():
        for n in range(100):
            taken.append(n)
            yield n

    results = map_in_order(lambda n: n, items(), threads=threads)
    next(results)
    assert len(taken) <= 2 * threads


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_comes_out_where_its_item_stood(threads):
    results = map_in_order(lambda n: 1 // (2 - n), range(5), threads=threads)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_leaves_no_thread_behind_when_the_consumer_stops():
    before = threading.active_count()
    results = map_in_order(lambda n: n, range(100), threads=4)
    next(results)
    results.close()
    assert threading.active_count() == before
