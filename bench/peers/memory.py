# ruff: noqa: INP001 - lies beside the script that imports it
"""The peak memory of a process and its children on Linux, watched from outside. Standard library only."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

PERIOD = 0.1
"""Seconds between two looks."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class PeakMemory:
    """Sums resident memory over the family; pages that several processes share count in each of them."""

    def __init__(self, pid: int) -> None:
        self.megabytes = 0.0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(PERIOD):
            resident = sum(resident_bytes(pid) for pid in family(self._pid))
            self.megabytes = max(self.megabytes, resident / 1e6)


def family(pid: int) -> Iterator[int]:
    """Yield the process and all that descend from it."""
    yield pid
    for folder in Path(f"/proc/{pid}/task").glob("*"):
        for child in _read(folder / "children").split():
            yield from family(int(child))


def resident_bytes(pid: int) -> int:
    """Return what the process has in memory; 0 once it is gone."""
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * PAGE_BYTES if fields else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:  # the process ended meanwhile
        return ""
