"""Matrix products on one thread: for as long as anybody wants it, and no longer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from wortlaut.blas import one_blas_thread

NUMPY_IS_LOADED = np.__version__


def blas_threads() -> set[int]:
    """Return how many threads each BLAS library of this process uses."""
    return {library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"}


def set_from_a_thread_that_ends(limit: int) -> None:
    """Set the number of threads so that anybody may change it again: threadpoolctl reserves that to living threads."""
    setter = Thread(target=lambda: threadpool_limits(limit, user_api="blas"))
    setter.start()
    setter.join()


@pytest.fixture(autouse=True)
def _three_threads():
    before = blas_threads()
    set_from_a_thread_that_ends(3)
    if blas_threads() != {3}:
        pytest.skip("the BLAS library here does not let its threads be counted")
    yield
    set_from_a_thread_that_ends(max(before))


def test_inside_there_is_one_thread_and_afterwards_as_many_as_before():
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == {3}


def test_an_error_inside_gives_the_threads_back():
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        _ = 1 // 0
    assert blas_threads() == {3}


def test_whoever_leaves_first_does_not_take_the_limit_away():
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert blas_threads() == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == {3}


def test_whoever_leaves_last_may_be_another_thread():
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(second.__enter__).result()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        pool.submit(second.__exit__, None, None, None).result()
    assert blas_threads() == {3}


def test_it_can_be_done_again():
    for _ in range(2):
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {3}


def test_blocks_in_several_threads_may_overlap():
    together = Barrier(4)

    def enter(_: int) -> set[int]:
        with one_blas_thread():
            together.wait(timeout=20)
            seen = blas_threads()
            together.wait(timeout=20)
            return seen

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(enter, range(4))) == [{1}] * 4
    assert blas_threads() == {3}
