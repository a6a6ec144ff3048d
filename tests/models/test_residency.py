"""Models in memory: shared, dropped when idle, loaded once."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.models.residency import Loaded, Residency


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def loader(size_bytes=0, log=None, name="model"):
    def load():
        if log is not None:
            log.append(name)
        return Loaded(name, size_bytes)

    return load


def test_a_model_is_loaded_once_and_kept(clock):
    log = []
    residency = Residency(10, clock=clock)
    for _ in range(3):
        with residency.hold("a", loader(log=log)) as model:
            assert model == "model"
    assert log == ["model"]


def test_what_is_idle_too_long_is_dropped(clock):
    residency = Residency(10, clock=clock)
    with residency.hold("a", loader()):
        clock.now = 100
        residency.drop_stale()
        assert residency.resident() == ["a"]  # in use
    clock.now = 109
    residency.drop_stale()
    assert residency.resident() == ["a"]
    clock.now = 110
    residency.drop_stale()
    assert residency.resident() == []


def test_what_is_idle_too_long_is_dropped_though_nobody_asks():
    residency = Residency(0.05)
    with residency.hold("a", loader()):
        pass
    for _ in range(2):  # what was used again in the meantime has its full time again
        with residency.hold("b", loader()):
            time.sleep(0.02)
    await_that(lambda: not residency.resident())
    with residency.hold("a", loader()):
        assert residency.resident() == ["a"]
    await_that(lambda: not residency.resident())


def test_models_go_with_what_holds_them():
    class Network:
        pass

    earlier = set(threading.enumerate())
    residency = Residency(1000)
    with residency.hold("a", lambda: Loaded(Network())) as network:
        alive = weakref.ref(network)
    del network
    timers = {each for each in threading.enumerate() if isinstance(each, threading.Timer)} - earlier
    assert timers
    del residency
    gc.collect()
    assert alive() is None
    await_that(lambda: not timers & set(threading.enumerate()))


def await_that(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_asking_for_another_drops_what_is_stale(clock):
    residency = Residency(10, clock=clock)
    with residency.hold("a", loader()):
        pass
    clock.now = 50
    with residency.hold("b", loader()):
        assert residency.resident() == ["b"]


def test_asking_for_the_stale_one_keeps_it(clock):
    log = []
    residency = Residency(10, clock=clock)
    for clock.now in (0, 50):
        with residency.hold("a", loader(log=log)):
            pass
    assert log == ["model"]


def test_the_longest_unused_goes_first_when_the_budget_is_exceeded(clock):
    residency = Residency(1000, budget_bytes=10, clock=clock)
    for clock.now, key in enumerate("aba"):
        with residency.hold(key, loader(4)):
            pass
    with residency.hold("c", loader(4)):
        assert residency.resident() == ["a", "c"]


def test_what_is_in_use_stays_beyond_the_budget(clock):
    residency = Residency(1000, budget_bytes=1, clock=clock)
    with residency.hold("a", loader(4)), residency.hold("b", loader(4)):
        assert residency.resident() == ["a", "b"]
    assert residency.resident() == []


def test_idle_nothing_keeps_nothing(clock):
    residency = Residency(0, clock=clock)
    with residency.hold("a", loader()):
        pass
    assert residency.resident() == []


def test_an_error_is_told_and_not_kept(clock):
    residency = Residency(10, clock=clock)

    def fail():
        raise MemoryError("too large")

    with pytest.raises(MemoryError, match="too large"), residency.hold("a", fail):
        pytest.fail("there is nothing to hold")
    with residency.hold("a", loader()) as model:
        assert model == "model"


def test_an_error_of_the_user_releases(clock):
    residency = Residency(0, clock=clock)
    with pytest.raises(KeyError), residency.hold("a", loader()):
        raise KeyError
    assert residency.resident() == []


@pytest.mark.parametrize("fails", [False, True])
def test_those_who_ask_together_share_one_loading(fails):
    residency = Residency(10)
    begun, go_on = threading.Event(), threading.Event()
    loaded, outcomes = [], []

    def load():
        loaded.append(1)
        begun.set()
        assert go_on.wait(10)
        if fails:
            raise ValueError("no")
        return Loaded(object())

    def work():
        try:
            with residency.hold("a", load) as model:
                outcomes.append(model)
        except ValueError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    place = residency._places["a"]
    while place.users < 5:
        pass
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(loaded) == 1
    assert len(outcomes) == 5
    assert len(set(map(id, outcomes))) == 1 or set(outcomes) == {"no"}


@given(
    steps=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 6), st.integers(0, 5)), max_size=30),
    budget=st.integers(0, 12),
)
def test_idle_models_never_exceed_the_budget_or_their_time(steps, budget):
    clock = Clock()
    residency = Residency(3, budget, clock=clock)
    sizes = {}
    for key, size, pause in steps:
        clock.now += pause
        sizes.setdefault(key, size)
        with residency.hold(key, loader(sizes[key])):
            pass
        resident = residency.resident()
        assert sum(sizes[key] for key in resident) <= budget
        sizes = {key: sizes[key] for key in resident}


def test_models_that_are_to_stay_have_no_timer(clock, monkeypatch):
    monkeypatch.setattr(threading, "Timer", lambda *_: pytest.fail("there is no time to wait for"))
    residency = Residency(float("inf"), clock=clock)
    with residency.hold("a", loader()):
        pass
    assert residency.resident() == ["a"]
