"""Shared libraries of CUDA that pip has installed, made known to native code.

`pip install nvidia-cublas-cu12 nvidia-cudnn-cu12` puts them into site-packages, where the system's loader does not
look; CTranslate2 then finds no libcublas.so.12 and aborts. A library that this process has already loaded is found by
its name, so loading each by its absolute path first is enough: no LD_LIBRARY_PATH, no second start.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import sys
from dataclasses import dataclass
from pathlib import Path

CUDA_PACKAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("nvidia-cuda-runtime-cu12", ("libcudart.so.12",)),
    ("nvidia-cublas-cu12", ("libcublasLt.so.12", "libcublas.so.12")),
    (
        "nvidia-cudnn-cu12",
        (
            "libcudnn_graph.so.9",
            "libcudnn_ops.so.9",
            "libcudnn_engines_runtime_compiled.so.9",
            "libcudnn_engines_precompiled.so.9",
            "libcudnn_heuristic.so.9",
            "libcudnn_cnn.so.9",
            "libcudnn_adv.so.9",
            "libcudnn.so.9",
        ),
    ),
)
"""What CTranslate2 4.5 and later use: each package and its libraries, after those that they need themselves."""


_M_ARENA_MAX = -8  # malloc.h


@dataclass(frozen=True, slots=True)
class Preloaded:
    """A library of an installed package. `error` is None if this process has it now."""

    library: str
    package: str
    path: Path
    error: str | None = None


def nvidia_libraries() -> tuple[Preloaded, ...]:
    """Return the libraries of the installed nvidia packages that are on disk, without loading them."""
    return tuple(
        Preloaded(library, package, found[library])
        for package, libraries in CUDA_PACKAGES
        for found in (_files(package),)
        for library in libraries
        if library in found
    )


def preload_nvidia_libraries() -> tuple[Preloaded, ...]:
    """Load them all, and return what became of each; nothing happens where none is installed.

    To be called before CTranslate2 first touches a CUDA device. Loading one twice does no harm. Linux only: on Windows
    CTranslate2 looks into PATH, and macOS has no CUDA.
    """
    if sys.platform != "linux":
        return ()
    return tuple(_load(library) for library in nvidia_libraries())


def _load(library: Preloaded) -> Preloaded:
    try:
        ctypes.CDLL(str(library.path), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        return Preloaded(library.library, library.package, library.path, str(error))
    return library


def _files(package: str) -> dict[str, Path]:
    """Return the files of an installed package by their names; empty if it is not installed."""
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return {}
    places = [Path(str(distribution.locate_file(file))) for file in distribution.files or ()]
    return {place.name: place for place in places if place.is_file()}


def use_one_arena() -> bool:
    """Tell the C library to serve all threads from one heap; return whether it listened.

    The engines' threads take and give back tens of megabytes at a time, and glibc keeps a heap for each of them,
    most of it free but not given back: a quarter of a gigabyte for two threads. The engines compute for so long
    between two allocations that they hardly wait for one another. For programs of our own: a library leaves its
    host's allocator alone. To be called before threads are started.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none, and needs none
    return mallopt is not None and mallopt(_M_ARENA_MAX, 1) == 1
