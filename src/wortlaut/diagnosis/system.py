"""The machine: Python, processors, memory, disk."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wortlaut.diagnosis.finding import Finding, Installation

AREA = "machine"
OLDEST_PYTHON = (3, 11)
GIB = 1 << 30

MODELS_BYTES = GIB // 2
"""The default models take 0.2 GB, and as much again while they arrive."""

TEMPORARY_BYTES = 2 * GIB
"""Decoded sound lies here while it is worked on: 0.23 GB an hour."""

MEMORY_BYTES = 1 * GIB
"""The default models and half a minute of sound; larger models need more."""

CGROUP = Path("/sys/fs/cgroup")


def look_at_python(_: Installation) -> Iterator[Finding]:
    """Say which Python this is, and whether it is supported."""
    detail = f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}"
    if sys.version_info < OLDEST_PYTHON:
        yield Finding(AREA, "Python", "problem", detail, "Install Python 3.11 or later.")
    else:
        yield Finding(AREA, "Python", "ok", detail)


def look_at_processors(_: Installation) -> Iterator[Finding]:
    """Count the processors that may be used, containers considered."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = processor_quota()
    detail = f"{usable} usable" + (f", limited to {quota:g} by the container" if quota and quota < usable else "")
    if quota and quota < 1:
        yield Finding(AREA, "processors", "note", detail, "Give the container at least one processor: it will be slow.")
    else:
        yield Finding(AREA, "processors", "ok", detail)


def look_at_memory(_: Installation) -> Iterator[Finding]:
    """Measure the memory, containers considered."""
    limits = [limit for limit in (physical_memory(), container_memory()) if limit]
    if not limits:
        yield Finding(AREA, "memory", "ok", "unknown on this system")
    elif min(limits) < MEMORY_BYTES:
        detail = f"{min(limits) / GIB:.1f} GB"
        yield Finding(AREA, "memory", "note", detail, "Use a model no larger than base, and --batch-size 1.")
    else:
        yield Finding(AREA, "memory", "ok", f"{min(limits) / GIB:.1f} GB")


def look_at_disk(installation: Installation) -> Iterator[Finding]:
    """Measure the room for models and for decoded sound."""
    for name, folder, wanted in (
        ("disk for models", installation.models_dir, MODELS_BYTES),
        ("disk for sound", installation.temporary_dir, TEMPORARY_BYTES),
    ):
        free = shutil.disk_usage(existing(folder)).free
        detail = f"{free / GIB:.1f} GB free for {folder}"
        if free < wanted:
            yield Finding(AREA, name, "note", detail, f"Make room: {wanted / GIB:.1f} GB should be free.")
        else:
            yield Finding(AREA, name, "ok", detail)


def look_at_write_permission(installation: Installation) -> Iterator[Finding]:
    """Try to write where models and decoded sound belong."""
    models, temporary = installation.models_dir, installation.temporary_dir
    if refusal := refusal_to_write(temporary):
        advice = "Set WORTLAUT_SPOOL_DIR to a folder that can be written."
        yield Finding(AREA, "writing sound", "problem", f"{temporary}: {refusal}", advice)
    else:
        yield Finding(AREA, "writing sound", "ok", str(temporary))
    if refusal := refusal_to_write(models):
        advice = "Set WORTLAUT_MODELS_DIR to a folder that can be written. Models that are there can be used."
        yield Finding(AREA, "writing models", "note", f"{models}: {refusal}", advice)
    else:
        yield Finding(AREA, "writing models", "ok", str(models))


def refusal_to_write(folder: Path) -> str | None:
    """Return why nothing can be written to a folder, or to where it would be made; None if it can."""
    try:
        with tempfile.TemporaryFile(dir=existing(folder)):
            return None
    except OSError as error:
        return error.strerror or str(error)


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())


def processor_quota(cgroup: Path = CGROUP) -> float | None:
    """Return how many processors the control group grants, None if it does not say (versions 2 and 1)."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    quota_1, period_1 = _number(cgroup / "cpu/cpu.cfs_quota_us"), _number(cgroup / "cpu/cpu.cfs_period_us")
    return quota_1 / period_1 if quota_1 and period_1 and quota_1 > 0 else None


def container_memory(cgroup: Path = CGROUP) -> int | None:
    """Return how many bytes the control group grants, None if it does not say."""
    limit = _number(cgroup / "memory.max") or _number(cgroup / "memory/memory.limit_in_bytes")
    return limit if limit and limit < 1 << 60 else None  # version 1 writes "no limit" as a huge number


def physical_memory() -> int | None:
    """Return the bytes of memory of the machine, None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
