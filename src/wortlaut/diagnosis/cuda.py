"""The NVIDIA driver, and the CUDA libraries that pip has installed."""

from __future__ import annotations

import ctypes
import importlib.metadata
import shutil
import subprocess
from collections.abc import Iterator

from wortlaut.diagnosis.finding import Finding, Installation
from wortlaut.native import CUDA_PACKAGES, nvidia_libraries

AREA = "CUDA"
OLDEST_CUDA = (12, 0)
"""CTranslate2 4.5 and later are built for CUDA 12, so the driver must know it."""


def look_at_driver(_: Installation) -> Iterator[Finding]:
    """Say which CUDA the driver knows."""
    version = cuda_of_driver()
    if version is None:
        yield Finding(AREA, "driver", "ok", "no NVIDIA driver; recognition runs on the processor")
        return
    detail = f"CUDA {version[0]}.{version[1]}{describe_cards()}"
    if version < OLDEST_CUDA:
        yield Finding(
            AREA, "driver", "note", detail, "Update the NVIDIA driver to one for CUDA 12; the processor is used."
        )
    else:
        yield Finding(AREA, "driver", "ok", detail)


def look_at_nvidia_libraries(_: Installation) -> Iterator[Finding]:
    """Say which of the libraries that CTranslate2 loads are there; they only matter with a driver."""
    found = {library.package for library in nvidia_libraries()}
    missing = [package for package, _ in CUDA_PACKAGES if package not in found]
    there = ", ".join(
        f"{package} {importlib.metadata.version(package)}" for package, _ in CUDA_PACKAGES if package in found
    )
    if cuda_of_driver() is None or not missing:
        yield Finding(AREA, "libraries from pip", "ok", there or "none, and none needed")
        return
    yield Finding(
        AREA,
        "libraries from pip",
        "note",
        f"{there or 'none'}; those of the system are used for the rest",
        f"If the self-test of CTranslate2 on cuda fails: pip install {' '.join(missing)}",
    )


def cuda_of_driver() -> tuple[int, int] | None:
    """Return the newest CUDA version that the driver knows, None without a driver.

    cuDriverGetVersion may be called without cuInit, so this touches no device; it returns 1000 * major + 10 * minor.
    """
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            driver = ctypes.CDLL(name)
        except OSError:
            continue
        version = ctypes.c_int()
        if driver.cuDriverGetVersion(ctypes.byref(version)) == 0:
            return version.value // 1000, version.value % 1000 // 10
    return None


def describe_cards() -> str:
    """Return the names and memory of the cards as nvidia-smi gives them, nothing if it is not there."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, check=True, capture_output=True, text=True, timeout=5)  # noqa: S603 found on PATH
    except (OSError, subprocess.SubprocessError):
        return ""
    return "; " + "; ".join(line.strip() for line in done.stdout.splitlines() if line.strip())
