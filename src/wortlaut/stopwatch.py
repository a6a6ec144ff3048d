"""How long each stage took."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Adds up seconds by stage, also for stages that yield and are pulled through one another.

    They are those of `clock`: by default the wall's; a benchmark may count the processor's.
    """

    clock: Callable[[], float] = time.perf_counter
    _seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds a stage so far, to the millisecond."""
        return {stage: round(seconds, 3) for stage, seconds in self._seconds.items()}

    @contextmanager
    def measure(self, stage: str) -> Generator[None]:
        began = self.clock()
        try:
            yield
        finally:
            self._seconds[stage] += self.clock() - began

    def timed(self, stage: str, values: Iterable[T], *, within: str | None = None) -> Iterator[T]:
        """Yield `values` and count the time it takes to get them.

        `within` names a stage that is pulled from inside this one; its time is not counted twice.
        """
        iterator = iter(values)
        while True:
            inner = self._seconds[within] if within else 0.0
            with self.measure(stage):
                found = list(islice(iterator, 1))
            if within:
                self._seconds[stage] -= self._seconds[within] - inner
            if not found:
                return
            yield found[0]
