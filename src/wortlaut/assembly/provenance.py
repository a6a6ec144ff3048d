"""What made a transcript: which model each role takes, with its checksums, and the versions of packages."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path

from wortlaut.alignment.heads import CHARACTER_HEADS, Head
from wortlaut.models.catalog import MODELS, find_entry
from wortlaut.models.entry import ModelEntry
from wortlaut.models.integrity import Manifest
from wortlaut.models.store import local_folder
from wortlaut.options import BUILT_IN, Options

UNIVERSAL_ALIGNER = "base"
"""The model that times the words of models whose own alignment heads nobody has searched for."""

WEIGHTS = "model.bin"
"""What tells one CTranslate2 model from another."""
_PACKAGES = ("wortlaut", "ctranslate2", "onnxruntime", "tokenizers", "av", "numpy", "scipy")


def models_for(options: Options) -> dict[str, str]:
    """Return which model each role takes."""
    models = {"recognition": options.model, "detection": "silero-vad", "segmentation": "segmentation-3.0"}
    if options.words and options.aligner == "whisper":
        models["alignment"] = aligning_model(options)
    if options.speakers and options.diarizer == BUILT_IN:
        models["embedding"] = "campplus"
    return models


def aligning_model(options: Options) -> str:
    return options.model if character_heads(options.model) else UNIVERSAL_ALIGNER


def ctc_identity(options: Options) -> dict[str, Mapping[str, str]]:
    """Name the network that aligns; with none asked for, each language has its own."""
    if not options.words or options.aligner != "ctc":
        return {}
    return {"alignment": {"name": options.align_model or "the usual CTC network of each language"}}


def character_heads(model: str) -> tuple[Head, ...] | None:
    """Return the heads that follow characters, None for a model without known ones, such as a user's own folder."""
    folder = local_folder(model)
    entry = _entry_of(folder) if folder else find_entry(model)
    return CHARACTER_HEADS.get(entry.folder) if entry else None


def _entry_of(folder: Path) -> ModelEntry | None:
    """Return the model that a folder holds by the checksums on record: a path into the store names a model too."""
    manifest = Manifest.read(folder)
    if manifest is None:
        return None
    found = {name: record.sha256 for name, record in manifest.files.items()}
    weights = found.get(WEIGHTS)
    return next(
        (entry for entry in MODELS for file in entry.files if file.name == WEIGHTS and file.sha256 == weights), None
    )


def identity(name: str, folder: Path) -> Mapping[str, str]:
    """Return name and checksums of a model; a folder of the user's own has none on record."""
    manifest = Manifest.read(folder)
    return {"name": name} | ({file: record.sha256 for file, record in manifest.files.items()} if manifest else {})


def versions(packages: Sequence[str] = _PACKAGES) -> Mapping[str, str]:
    """Return the versions of the packages that are installed."""
    return {package: found for package in packages if (found := version(package))}


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
