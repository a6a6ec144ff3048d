"""CTC networks: found in a folder, in the store or on the hub, and loaded without running what is in them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wortlaut.alignment.ctc import CtcModel
from wortlaut.alignment.ctc_folder import describe
from wortlaut.errors import DownloadFailed, ExtraMissing, ModelCorrupt, ModelMissing, UnknownModel
from wortlaut.models.catalog import HUB_ID
from wortlaut.models.checkpoint import read_tensors
from wortlaut.models.entry import HubSource, ModelEntry, ModelFile
from wortlaut.models.store import ModelStore
from wortlaut.stages import Listener, ignore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ONNX = "model.onnx"
SAFETENSORS = "model.safetensors"
CHECKPOINT = "pytorch_model.bin"

_DESCRIPTIONS = (
    ModelFile("config.json", None, 2_000),
    ModelFile("vocab.json", None, 500),
    ModelFile("preprocessor_config.json", None, 300, is_optional=True),
    ModelFile("tokenizer_config.json", None, 300, is_optional=True),
)
_USUAL_BYTES = 1_262_000_000  # a network of 300 million parameters, as most are


def find_ctc_folder(store: ModelStore, name: str) -> Path | None:
    """Return the folder of a network that is on this machine. Raises `UnknownModel` for what is no name."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    return next(filter(None, map(store.find_unlisted, _entries(name))), None)


def fetch_ctc_folder(store: ModelStore, name: str, *, listener: Listener = ignore) -> Path:
    """Return the folder of a network, a user's own or fetched from the hub if it is not there.

    Raises what `ModelStore.fetch` raises.
    """
    if found := find_ctc_folder(store, name):
        return found
    as_safetensors, as_checkpoint = _entries(name)
    try:
        return store.fetch_unlisted(as_safetensors, listener=listener)
    except ModelMissing as error:
        raise ModelMissing(
            error.message, hint="Run it once with a connection, or give the folder of a copy."
        ) from error
    except DownloadFailed as error:
        if "HTTP 404" not in error.message:
            raise
        return store.fetch_unlisted(as_checkpoint, announces=False, listener=listener)  # has been said


def load_ctc_model(folder: Path, *, device: str = "auto", threads: int = 1) -> CtcModel:
    """Load the network of a folder: model.onnx where there is one, else the weights.

    Raises `ModelMissing`, `ModelCorrupt`, `ExtraMissing` or `DeviceUnavailable`.
    """
    from wortlaut.alignment.ctc_networks import OnnxCtcNetwork, TorchCtcNetwork  # noqa: PLC0415 they import engines

    description = describe(folder)
    if (folder / ONNX).is_file():
        return OnnxCtcNetwork(folder / ONNX, description, threads=threads)
    return TorchCtcNetwork(folder, description, read_weights(folder), device=device)


def read_weights(folder: Path) -> Mapping[str, NDArray[np.generic]]:
    """Return the tensors of a folder by their names. Nothing is unpickled.

    Raises `ModelMissing`, `ModelCorrupt`, or `ExtraMissing` if there is no reader for safetensors.
    """
    if (folder / SAFETENSORS).is_file():
        return _read_safetensors(folder / SAFETENSORS)
    if (folder / CHECKPOINT).is_file():
        return read_tensors(folder / CHECKPOINT)
    raise ModelMissing(
        f"{folder} holds neither {ONNX} nor {SAFETENSORS} nor {CHECKPOINT}.",
        hint="Give the name or folder of a CTC network in the layout of Transformers.",
    )


def _read_safetensors(path: Path) -> Mapping[str, NDArray[np.generic]]:
    try:
        safetensors = importlib.import_module("safetensors")
        reader = importlib.import_module("safetensors.numpy")
    except ImportError as error:
        raise ExtraMissing(
            f"{path.name} cannot be read without safetensors.", hint="Install it with `pip install 'wortlaut[ctc]'`."
        ) from error
    try:
        tensors: dict[str, NDArray[np.generic]] = reader.load_file(path)
    except (safetensors.SafetensorError, OSError, TypeError, KeyError) as error:
        raise ModelCorrupt(f"{path} is no safetensors file that can be read: {error}.") from error
    return tensors


def _entries(name: str) -> tuple[ModelEntry, ModelEntry]:
    """Return the model with its weights as safetensors and as checkpoint: few repositories have both."""
    if not HUB_ID.fullmatch(name) or ".." in name:
        raise UnknownModel(
            f"{name} is neither a folder nor the name of a repository.",
            hint="Give a folder, or a name such as facebook/wav2vec2-base-960h.",
        )
    return _entry(name, SAFETENSORS, ""), _entry(name, CHECKPOINT, ".checkpoint")


def _entry(name: str, weights: str, suffix: str) -> ModelEntry:
    files = (*_DESCRIPTIONS, ModelFile(weights, None, _USUAL_BYTES))
    folder = f"{name.replace('/', '--')}{suffix}"
    return ModelEntry(name, "alignment", f"see the page of {name}", folder, files, (HubSource(name, "main"),))
