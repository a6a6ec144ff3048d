"""How long each stage took."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Adds up wall seconds by stage, also for stages that yield and are pulled through one another."""

    _seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds a stage so far, to the millisecond."""
        return {stage: round(seconds, 3) for stage, seconds in self._seconds.items()}

    @contextmanager
    def measure(self, stage: str) -> Generator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - began

    def timed(self, stage: str, values: Iterable[T], *, within: str | None = None) -> Iterator[T]:
        """Yield `values` and count the time it takes to get them.

        `within` names a stage that is pulled from inside this one; its time is not counted twice.
        """
        iterator = iter(values)
        while True:
            inner = self._seconds[within] if within else 0.0
            with self.measure(stage):
                try:
                    value = next(iterator)
                except StopIteration:
                    return
            if within:
                self._seconds[stage] -= self._seconds[within] - inner
            yield value
