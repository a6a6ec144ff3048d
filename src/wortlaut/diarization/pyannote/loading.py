"""From files to pyannote's pipeline, the same way for every version, without network and without running a pickle.

pyannote's own `Pipeline.from_pretrained` is not used: it calls whatever class config.yaml names, guesses the kind of
an embedding from letters in its path, and with pyannote.audio 4 fetches a PLDA that 3.1 has no use for.
"""

from __future__ import annotations

import importlib
import logging
import os
import warnings
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

from wortlaut.diarization.pyannote.files import PipelineConfig, PipelineFiles, read_config
from wortlaut.errors import DeviceUnavailable, ExtraMissing, ModelCorrupt, ModelMissing
from wortlaut.safe_loading import SAFE_GLOBALS, guarded_loading

PLDA_CLUSTERING = "VBxClustering"

_UNFIT = (KeyError, AttributeError, TypeError, ValueError, RuntimeError, OSError, zipfile.BadZipFile)
"""What pyannote and numpy raise for files that are not what they are taken for."""

_NO_TORCHCODEC = r"\s*torchcodec is not installed correctly"
"""pyannote.audio 4 warns at length where torchcodec finds no FFmpeg. It is handed decoded sound and needs none."""

_UPGRADES = ("lightning.pytorch.utilities.migration.utils", "pytorch_lightning.utilities.migration.utils")
"""Loggers that ask for an upgrade of older checkpoints on disk, which would change files that others have checked."""


def import_pyannote(module: str = "pyannote.audio") -> ModuleType:
    """Import a module of pyannote.audio, with its telemetry off and without advice that concerns nobody here.

    pyannote.audio 4 reports each pipeline and the length of each recording unless this variable says no; it is read
    before every report, so it also silences a pyannote that somebody else has imported.
    """
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    warnings.filterwarnings("ignore", message=_NO_TORCHCODEC, category=UserWarning)
    for name in _UPGRADES:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExtraMissing(
            f"pyannote.audio cannot be imported: {error}.", hint="Install it with `pip install 'wortlaut[pyannote]'`."
        ) from error
    except (OSError, AttributeError, RuntimeError) as error:
        # OSError: a torchaudio built for another torch; AttributeError: one that has lost what pyannote.audio 3 calls;
        # RuntimeError: one for another CUDA.
        raise ExtraMissing(
            f"pyannote.audio does not fit to the installed torch and torchaudio: {error}.",
            hint="`wortlaut doctor` names the versions that fit together.",
        ) from error


def choose_device(device: str) -> Any:  # noqa: ANN401 a torch.device; torch is not installed where types are checked
    """Return the torch device for `auto`, `cpu`, `cuda`, `cuda:1`, `mps`. Raises `DeviceUnavailable`."""
    torch = importlib.import_module("torch")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise DeviceUnavailable(f"torch knows no device {device!r}.") from error
    is_there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}.get(chosen.type, lambda: True)
    if not is_there():
        raise DeviceUnavailable(f"torch cannot use {device} on this machine.")
    return chosen


def load_model(file: Path, *, family: str = "segmentation-3.0") -> Any:  # noqa: ANN401 a pyannote Model
    """Load one model of pyannote.audio from its checkpoint, in evaluation mode, on the CPU.

    `family` is a key of `SAFE_GLOBALS`. Raises `CheckpointRefused`, `ModelCorrupt` or `ModelMissing`.
    """
    audio = import_pyannote()
    if not file.is_file():
        raise ModelMissing(f"{file} is not there.")  # pyannote would look for a repository of that name
    try:
        with guarded_loading(SAFE_GLOBALS[family]):
            return audio.Model.from_pretrained(file, strict=False).eval()
    except _version_errors() as error:
        raise ExtraMissing(
            f"{file} is for another pyannote.audio: {error}", hint="Install the version it names."
        ) from error
    except _UNFIT as error:
        raise ModelCorrupt(f"{file} is no model of this pyannote.audio: {error}.") from error


def load_pipeline(files: PipelineFiles, *, device: str = "auto") -> Any:  # noqa: ANN401 a pyannote SpeakerDiarization
    """Load a pipeline onto a device. Raises like `load_model`, `read_config` and `choose_device`."""
    config = read_config(files.config)
    pipelines = import_pyannote("pyannote.audio.pipelines")
    chosen = choose_device(device)
    models = {"segmentation": load_model(files.segmentation), "embedding": load_model(files.embedding)}
    try:
        pipeline = pipelines.SpeakerDiarization(**models, **config.parameters, **_plda(files, config))
        pipeline.instantiate(config.hyperparameters)
    except _UNFIT as error:
        raise ModelCorrupt(f"{files.config} does not fit to this pyannote.audio or its files: {error}.") from error
    try:
        return pipeline.to(chosen)
    except RuntimeError as error:
        raise DeviceUnavailable(f"pyannote's models cannot be put onto {chosen}: {error}.") from error


def _version_errors() -> tuple[type[Exception], ...]:
    """Return what pyannote.audio 4 raises for a model that names another version; 3 does not check."""
    try:
        dependencies = importlib.import_module("pyannote.audio.utils.dependencies")
    except ModuleNotFoundError:
        return ()
    return dependencies.MissingDependency, dependencies.WrongDependencyVersion


def _plda(files: PipelineFiles, config: PipelineConfig) -> dict[str, object]:
    """Return the `plda` argument: none for pyannote.audio 3, which has no PLDA."""
    try:
        plda = importlib.import_module("pyannote.audio.core.plda").PLDA
    except ModuleNotFoundError:
        return {}
    if files.plda is not None:
        return {"plda": plda.from_pretrained(files.plda)}
    if config.parameters.get("clustering", PLDA_CLUSTERING) == PLDA_CLUSTERING:
        raise ModelCorrupt(f"{files.config} asks for {PLDA_CLUSTERING}, but the files of its PLDA are not there.")
    # pyannote.audio 4 wants one even for clusterings that have no use for it, else downloads its default.
    return {"plda": plda.__new__(plda)}
