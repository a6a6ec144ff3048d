"""Models in memory: loaded when wanted, shared while in use, dropped when idle.

There is no thread behind it. What is idle too long is dropped when the next model is asked for, or when `sweep` is
called, which a service does between jobs; a program that asks for nothing more ends anyway.
"""

from __future__ import annotations

import threading
import time
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

    def sweep(self) -> None:
        """Drop what has been idle too long or exceeds the budget."""
        with self._lock:
            self._drop_stale()

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
