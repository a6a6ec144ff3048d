"""NumPy's matrix products on one thread.

OpenBLAS, which NumPy and SciPy bring along, shares each product among all cores; and its threads then go on spinning,
in case another one comes. The products here are small and come one at a time, from threads that already keep the
cores busy, so all of that is lost: the mel filters of one window took 14 ms of processor time instead of 1.5 ms.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Event, Lock, Thread

from threadpoolctl import threadpool_limits


@dataclass(slots=True)
class _OneThread:
    """The limit, while at least one caller wants it. Afterwards it is as it was before the first.

    It is set and put back by a thread of its own: whoever comes first need not be who leaves last, and threadpoolctl
    lets nobody else change what one living thread has set.
    """

    _callers: int = 0
    _is_over: Event = field(default_factory=Event)
    _keeper: Thread | None = None
    _lock: Lock = field(default_factory=Lock)

    def enter(self) -> None:
        with self._lock:
            if not self._callers:
                is_set, self._is_over = Event(), Event()
                self._keeper = Thread(target=_keep, args=(is_set, self._is_over), name="one-blas-thread", daemon=True)
                self._keeper.start()
                is_set.wait()
            self._callers += 1

    def leave(self) -> None:
        with self._lock:
            self._callers -= 1
            if self._keeper is not None and not self._callers:
                self._is_over.set()
                self._keeper.join()


def _keep(is_set: Event, is_over: Event) -> None:
    try:
        with threadpool_limits(1, user_api="blas"):
            is_set.set()
            is_over.wait()
    finally:
        is_set.set()  # nobody shall wait for a limit that could not be set: it saves time, no more


@cache
def _of_this_process() -> _OneThread:
    """The only one: the number of OpenBLAS's threads is a setting of the process, whoever asks."""
    return _OneThread()


@contextmanager
def one_blas_thread() -> Generator[None]:
    """Compute matrix products on one thread inside the block, in all threads of this process.

    Libraries that are loaded inside the block are not limited, nor is anything while another thread of the program
    sets limits of its own by threadpoolctl. Blocks may overlap, also in several threads.
    """
    limit = _of_this_process()
    limit.enter()
    try:
        yield
    finally:
        limit.leave()
