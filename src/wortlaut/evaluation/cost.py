"""What a process costs: processor seconds and memory, its children included."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

SAMPLING_PERIOD = 0.1
"""Seconds between two looks at the memory; a look takes about a millisecond."""
MEGABYTE = 1_000_000


def cpu_seconds() -> float:
    """Return the user and system seconds of this process, of its ended children and of those that still run."""
    ended = os.times()
    running = (_cpu_seconds(child) for child in psutil.Process().children(recursive=True))
    return time.process_time() + ended.children_user + ended.children_system + sum(running)


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        spent = process.cpu_times()
    except psutil.NoSuchProcess:  # ended meanwhile: os.times() has it the next time
        return 0.0
    return float(spent.user + spent.system)


class PeakMemory:
    """Watches the resident memory of a process and its children from outside, until the context is left.

    Pages that several processes share count in each of them.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak_bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def megabytes(self) -> float:
        """The peak up to now."""
        return max(self._peak_bytes, _high_water_bytes(self._pid)) / MEGABYTE

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLING_PERIOD):
            self._peak_bytes = max(self._peak_bytes, _resident_bytes(self._pid))


def _resident_bytes(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family)
    except psutil.NoSuchProcess:  # a member ended between being listed and being asked
        return 0


def _high_water_bytes(pid: int) -> int:
    """Return Linux's own exact peak of one process, which sampling may miss; 0 elsewhere.

    Not `ru_maxrss`: that one is inherited from the process that started this one.
    """
    status = Path(f"/proc/{pid}/status")
    try:
        lines = status.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
