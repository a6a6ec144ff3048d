"""What is installed, against what is supported. Nothing is imported: versions come from the packages' metadata."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from wortlaut.diagnosis.finding import Finding, Installation
from wortlaut.diagnosis.imports import DISTRIBUTION, find_unloadable, required_packages

AREA = "packages"

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "ctc": ("safetensors>=0.4.3", "torch>=2.6", "transformers>=4.48"),
    "pyannote": ("pyannote.audio>=3.3.2", "torch>=2.6", "torchaudio", "torchcodec", "lightning"),
    "whisperx": ("whisperx>=3.7.4", "faster-whisper"),
}
"""Neighbours that people install beside Wortlaut. None is needed."""

TESTED_THEMSELVES = frozenset({"ctranslate2", "onnx", "onnxruntime"})
"""What `devices` loads, and more than loads; the largest of all, loaded once."""

Versions = Mapping[str, Version]


@dataclass(frozen=True, slots=True)
class KnownBreak:
    """Packages that are each fine and together not. `applies` gets all versions that it names in `packages`."""

    packages: tuple[str, ...]
    applies: Callable[[Versions], bool]
    effect: str
    next_step: str


def _is_cpu_build(version: Version) -> bool:
    return (version.local or "").startswith("cpu")


KNOWN_BREAKS = (
    KnownBreak(
        ("whisperx", "pyannote.audio", "lightning"),
        lambda v: v["pyannote.audio"] < Version("4") and v["lightning"] >= Version("2.6"),
        "whisperX stops with UnpicklingError: lightning 2.6 loads its detector with weights_only",
        "Use `wortlaut whisperx` in its place, or run it by `--engine whisperx`, or pip install 'lightning<2.6'",
    ),
    KnownBreak(
        ("pyannote.audio", "lightning"),
        lambda v: v["pyannote.audio"] < Version("4") and v["lightning"] >= Version("2.6"),
        "pyannote.audio by itself stops with UnpicklingError; Wortlaut's pyannote diarizer does not",
        "Nothing for Wortlaut; for other programs: pip install 'lightning<2.6'",
    ),
    KnownBreak(
        ("torch", "torchaudio"),
        lambda v: sys.platform == "linux" and _is_cpu_build(v["torch"]) and not _is_cpu_build(v["torchaudio"]),
        "torch is a CPU build and torchaudio a CUDA build: pyannote.audio fails on libc10_cuda.so",
        "pip install torchaudio --index-url https://download.pytorch.org/whl/cpu",
    ),
    KnownBreak(
        ("torch", "torchaudio"),
        lambda v: v["torch"].release[:2] != v["torchaudio"].release[:2] and v["torchaudio"] < Version("2.9"),
        "torchaudio is built for the torch of the same number and may not load beside another",
        "pip install torchaudio in the version of torch",
    ),
    KnownBreak(
        ("torch", "torchaudio"),
        lambda v: v["torch"] >= Version("2.15") and v["torchaudio"] < Version("2.12") and not _is_cpu_build(v["torch"]),
        "torch is for CUDA 13.2 and torchaudio for 13.0: pyannote.audio cannot be imported",
        "pip install 'torch<2.15'",
    ),
    KnownBreak(
        ("pyannote.audio", "torchaudio"),
        lambda v: v["pyannote.audio"] < Version("4") and v["torchaudio"] >= Version("2.9"),
        "pyannote.audio 3 cannot be imported: torchaudio 2.9 dropped what it calls",
        "pip install 'pyannote.audio>=4', or 'torch<2.9' 'torchaudio<2.9'",
    ),
    KnownBreak(
        ("pyannote.audio", "pyannote.metrics"),
        lambda v: v["pyannote.audio"] < Version("3.4") and v["pyannote.metrics"] >= Version("4"),
        "pyannote.audio 3.3 cannot be imported: its neighbours are made for version 4",
        "pip install 'pyannote.core<6' 'pyannote.database<6' 'pyannote.metrics<4' 'pyannote.pipeline<4'",
    ),
    KnownBreak(
        ("pyannote.audio", "torch"),
        lambda v: v["pyannote.audio"] >= Version("4") and v["torch"] < Version("2.8"),
        "pyannote.audio 4 needs torch 2.8",
        "pip install 'torch>=2.8'",
    ),
    KnownBreak(
        ("ctranslate2", "nvidia-cudnn-cu12"),
        lambda v: v["ctranslate2"] >= Version("4.5") and v["nvidia-cudnn-cu12"] < Version("9"),
        "CTranslate2 4.5 looks for cuDNN 9",
        "pip install 'nvidia-cudnn-cu12>=9'",
    ),
)


def look_at_requirements(_: Installation) -> Iterator[Finding]:
    """Compare what Wortlaut requires with what is installed."""
    for requirement in required():
        installed = version_of(requirement.name)
        if installed is None:
            yield _missing(requirement)
        elif installed not in requirement.specifier:
            detail = f"{installed}, supported is {requirement.specifier}"
            yield Finding(AREA, requirement.name, "problem", detail, f"pip install '{requirement}'")
        else:
            yield Finding(AREA, requirement.name, "ok", str(installed))


def try_to_load(_: Installation) -> Iterator[Finding]:
    """Load what Wortlaut requires and is installed; the engines have self-tests of their own, which say more."""
    names = [name for name in required_packages() if version_of(name) and name not in TESTED_THEMSELVES]
    broken = find_unloadable(names)
    for name, why in broken.items():
        yield Finding(AREA, name, "problem", f"cannot be loaded: {why}", f"pip install --force-reinstall '{name}'")
    if not broken:
        yield Finding(AREA, "required packages", "ok", "can all be loaded")


def look_at_extras(_: Installation) -> Iterator[Finding]:
    """Say which neighbours are installed, and whether they are new enough."""
    for package in dict.fromkeys(package for packages in EXTRAS.values() for package in packages):
        requirement = Requirement(package)
        extras = ", ".join(extra for extra, packages in EXTRAS.items() if package in packages)
        installed = version_of(requirement.name)
        if installed is None:
            yield Finding(AREA, requirement.name, "ok", f"not installed; optional ({extras})")
        elif installed not in requirement.specifier:
            detail = f"{installed}, supported is {requirement.specifier}"
            yield Finding(AREA, requirement.name, "note", detail, f"pip install '{requirement}'")
        else:
            yield Finding(AREA, requirement.name, "ok", f"{installed}; optional ({extras})")


def look_at_combinations(_: Installation) -> Iterator[Finding]:
    """Look for packages that are known to break each other."""
    found = False
    for known in KNOWN_BREAKS:
        versions = {package: version for package in known.packages if (version := version_of(package))}
        if len(versions) == len(known.packages) and known.applies(versions):
            found = True
            name = " + ".join(f"{package} {version}" for package, version in versions.items())
            yield Finding(AREA, name, "note", known.effect, known.next_step)
    if not found:
        yield Finding(AREA, "combinations", "ok", "none that is known to break")


def required() -> list[Requirement]:
    """Return what the metadata of Wortlaut requires here, extras left out."""
    requirements = [Requirement(text) for text in importlib.metadata.requires(DISTRIBUTION) or []]
    return [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]


def version_of(package: str) -> Version | None:
    """Return the version of an installed package, None if it is not installed or its version cannot be read."""
    try:
        return Version(importlib.metadata.version(package))
    except (importlib.metadata.PackageNotFoundError, InvalidVersion):
        return None


def _missing(requirement: Requirement) -> Finding:
    return Finding(AREA, requirement.name, "problem", "not installed", f"pip install '{requirement}'")
