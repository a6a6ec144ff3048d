"""Models in memory: loaded when wanted, shared while in use, dropped when idle.

What is idle too long is dropped when the next model is asked for, and when its time has come: a timer, which does not
keep the program from ending, looks after it while there is something to drop.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Model]):
    """What a loader returns: the model and about how much memory it takes."""

    model: Model
    size_bytes: int = 0


class _Place:
    """A key's place: empty while somebody loads. Guarded by the lock of the `Residency`, except `is_settled`."""

    def __init__(self) -> None:
        self.is_settled = threading.Event()
        self.loaded: Loaded[object] | None = None
        self.error: BaseException | None = None
        self.users = 1
        self.last_used = 0.0


class Residency:
    """Loaded models by key. Safe to use from several threads.

    `idle`: seconds after its last use until a model is dropped. `budget_bytes`: as long as all models together
    take more, idle ones are dropped, the longest unused first; models in use never are. None: no limit.
    """

    def __init__(
        self, idle: float, budget_bytes: int | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._idle = idle
        self._budget_bytes = budget_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._places: dict[Hashable, _Place] = {}
        self._look: weakref.finalize[[], Residency] | None = None

    @contextmanager
    def hold(self, key: Hashable, load: Callable[[], Loaded[Model]]) -> Iterator[Model]:
        """Give the model of a key and keep it in memory meanwhile.

        Who asks first loads; who asks meanwhile waits for that. An error of `load` reaches all who wait, and the
        next to ask tries again.
        """
        place, is_mine = self._enter(key)
        if is_mine:
            self._load(key, place, load)
        place.is_settled.wait()
        if place.error is not None:
            raise place.error
        try:
            yield cast("Loaded[Model]", place.loaded).model
        finally:
            self._leave(place)

    def drop_stale(self) -> None:
        """Drop what has been idle too long or exceeds the budget, and see when to look again."""
        with self._lock:
            self._drop_stale()
            if self._look is not None:
                self._look()
            self._look = None
            self._look_in_time()

    def resident(self) -> list[Hashable]:
        """Return the keys of all loaded models."""
        with self._lock:
            return [key for key, place in self._places.items() if place.loaded]

    def _enter(self, key: Hashable) -> tuple[_Place, bool]:
        with self._lock:
            place = self._places.get(key)
            if place:
                place.users += 1
            self._drop_stale()
            if place:
                return place, False
            place = self._places[key] = _Place()
            return place, True

    def _load(self, key: Hashable, place: _Place, load: Callable[[], Loaded[Model]]) -> None:
        try:
            loaded = load()
        except BaseException as error:  # carried to all who wait, and raised  # noqa: BLE001
            with self._lock:
                place.error = error
                del self._places[key]
        else:
            with self._lock:
                place.loaded = cast("Loaded[object]", loaded)
                self._drop_stale()
        finally:
            place.is_settled.set()

    def _leave(self, place: _Place) -> None:
        with self._lock:
            place.users -= 1
            place.last_used = self._clock()
            self._drop_stale()
            self._look_in_time()

    def _look_in_time(self) -> None:
        """Look again when the model that is unused longest is due, unless that is arranged. The lock is held.

        The timer does not keep this object, and with it the models, alive; and it ends when this object does.
        """
        unused = [place.last_used for place in self._places.values() if place.users == 0]
        if not unused or self._look is not None:
            return
        wait = max(min(unused) + self._idle - self._clock(), 0.0)
        if wait > threading.TIMEOUT_MAX:  # models that are to stay: no clock counts that far
            return
        timer = threading.Timer(wait, _look_at, [weakref.ref(self)])
        timer.daemon = True
        timer.start()
        self._look = weakref.finalize(self, timer.cancel)

    def _drop_stale(self) -> None:
        """Drop idle models, longest unused first. The lock is held."""
        now = self._clock()
        unused = [(key, place) for key, place in self._places.items() if place.users == 0]
        for key, place in sorted(unused, key=lambda item: item[1].last_used):
            if now - place.last_used >= self._idle or self._exceeds_budget():
                del self._places[key]

    def _exceeds_budget(self) -> bool:
        taken_bytes = sum(place.loaded.size_bytes for place in self._places.values() if place.loaded)
        return self._budget_bytes is not None and taken_bytes > self._budget_bytes


def _look_at(residency: weakref.ref[Residency]) -> None:
    if (alive := residency()) is not None:
        alive.drop_stale()
