"""Where the model runs, in which arithmetic and with how many threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import ctranslate2

from wortlaut.errors import DeviceUnavailable, InvalidOption
from wortlaut.recognition.faults import engine_faults

MAXIMUM_WORKERS = 8
"""More windows at once than this cost memory (each worker has its own decoder state) for little time."""

_FASTEST_TYPE = {"cpu": "int8", "cuda": "float16"}
_FALLBACK_TYPE = {"cpu": "int8", "cuda": "float32"}
_COMPUTE_TYPES = (
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
)
_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True)
class Placement:
    """`workers` windows are recognized at once, each by `threads` threads."""

    device: str
    compute_type: str
    workers: int
    threads: int

    @property
    def has_slow_encoder(self) -> bool:
        """Whether CTranslate2 encodes more slowly than ONNX Runtime would."""
        return self.device == "cpu" and self.compute_type == "int8"


def place(device: str, compute_type: str, workers: int, threads: int) -> Placement:
    """Fill in what was left open: device `auto`, compute type `auto`, 0 workers, 0 threads.

    On a CPU one thread a window and as many windows as cores is cheapest: the threads of one window wait
    for each other after each small matrix product. An accelerator runs one batch at a time.
    Raises `DeviceUnavailable` or `InvalidOption`.
    """
    device = choose_device(device)
    compute_type = choose_compute_type(compute_type, device)
    if workers < 0 or threads < 0:
        raise InvalidOption("The numbers of workers and threads are at least 0, which means: choose.")
    if device == "cuda":
        return Placement(device, compute_type, workers or 1, threads)
    cores = available_cores()
    workers = workers or min(max(cores // max(threads, 1), 1), MAXIMUM_WORKERS)
    return Placement(device, compute_type, workers, threads or max(cores // workers, 1))


def choose_device(device: str) -> str:
    """Return `cpu` or `cuda` for `auto`, `cpu` or `cuda`."""
    if device not in ("auto", "cpu", "cuda"):
        raise InvalidOption(f"{device!r} is no device.", hint="The devices are auto, cpu and cuda.")
    if device == "cpu":
        return device
    has_accelerator = ctranslate2.get_cuda_device_count() > 0
    if device == "cuda" and not has_accelerator:
        raise DeviceUnavailable("CUDA was asked for, but no CUDA device was found.")
    return "cuda" if has_accelerator else "cpu"


def choose_compute_type(compute_type: str, device: str) -> str:
    """Return the arithmetic to use on `device`, never CTranslate2's `default`, which means float32 on a CPU."""
    with engine_faults():
        supported = ctranslate2.get_supported_compute_types(device)
    if compute_type in ("auto", "default"):
        fastest = _FASTEST_TYPE[device]
        return fastest if fastest in supported else _FALLBACK_TYPE[device]
    if compute_type not in _COMPUTE_TYPES:
        raise InvalidOption(
            f"{compute_type!r} is no compute type.", hint=f"The types are auto, {', '.join(_COMPUTE_TYPES)}."
        )
    if compute_type not in supported:
        raise InvalidOption(
            f"The compute type {compute_type} does not run on {device} here.",
            hint=f"Possible on this machine: auto, {', '.join(sorted(supported))}.",
        )
    return compute_type


def available_cores() -> int:
    """Return how many cores this process may use: affinity and container quota count, not what is built in."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(cores, _quota_cores(_CGROUP_QUOTA) or cores), 1)


def _quota_cores(quota_file: Path) -> int | None:
    """Return the cores that a container's quota amounts to, rounded down, or None without a quota."""
    try:
        quota, period = quota_file.read_text("ascii").split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else max(int(quota) // int(period), 1)
