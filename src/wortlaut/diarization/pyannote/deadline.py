"""A deadline of our own around calls that may wait for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class DeadlinePassed(Exception):
    """The call had not come back in time."""


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """Return what `call` returns, or raise what it raises; raise `DeadlinePassed` if it takes longer.

    Timeouts of HTTP libraries count from one byte to the next, so a server that trickles, or a retry, can hold a
    caller far beyond them. A thread cannot be killed: one that is late is left behind and does not keep the process.
    """
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 handed to the caller, who waits for it
            failure.append(error)

    thread = threading.Thread(target=work, daemon=True, name="deadline")
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise DeadlinePassed
    return outcome[0]
