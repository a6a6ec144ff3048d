"""Work done ahead of whoever consumes it, in order, and never far ahead.

Whole windows side by side, each on one thread, cost no more CPU time than one after the other; engines that split one
window among threads spend CPU time waiting for one another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int, ahead: int = 1
) -> Iterator[Result]:
    """Yield `work(item)` for each item, in order, computed by `workers` threads.

    At most `workers + ahead` items are begun and not yet consumed. Closing the iterator, or an error in one
    item, drops what has not begun and waits for what has.
    """
    waiting = iter(items)
    begun: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="ahead")
    try:
        begun.extend(pool.submit(work, item) for item in islice(waiting, workers + ahead))
        while begun:
            result = begun.popleft().result()
            begun.extend(pool.submit(work, item) for item in islice(waiting, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
