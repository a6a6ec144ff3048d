"""CTC networks that run: an exported one on ONNX Runtime, any other on PyTorch and Transformers.

PyTorch and Transformers come with the extra `ctc` and are imported where they are needed only. They never read a
checkpoint: the weights are handed to them as tensors, so that nothing in a checkpoint is ever executed.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from wortlaut.alignment.ctc_folder import CtcDescription, read_json_object
from wortlaut.alignment.ctc_spelling import Vocabulary
from wortlaut.errors import DeviceUnavailable, ExtraMissing, ModelCorrupt, OutOfMemory
from wortlaut.onnx_session import open_session

_SMALLEST_VARIANCE = 1e-7
_NEVER_LOADED = frozenset({"wav2vec2.masked_spec_embed", "hubert.masked_spec_embed", "wavlm.masked_spec_embed"})
"""Used in training alone; many checkpoints lack it."""


class _Network:
    """What both kinds share; `_logits` is their difference."""

    def __init__(self, description: CtcDescription) -> None:
        self._description = description

    @property
    def vocabulary(self) -> Vocabulary:
        return self._description.vocabulary

    @property
    def stride(self) -> int:
        return self._description.stride

    @property
    def field(self) -> int:
        return self._description.field

    def log_probs(self, samples: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Return the log probabilities of each frame. Raises `ModelCorrupt` for an answer of another shape."""
        logits = self._logits((_normalized(samples) if self._description.normalizes else samples)[None])
        expected = (1, (len(samples) - self.field) // self.stride + 1, self.vocabulary.size)
        if logits.shape != expected or not np.isfinite(logits).all():
            raise ModelCorrupt(
                f"The network answers with {logits.shape} numbers where {expected} finite ones are expected.",
                hint="The folder's config.json or vocab.json belongs to another network.",
            )
        return _log_softmax(logits[0])

    def _logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        raise NotImplementedError


class OnnxCtcNetwork(_Network):
    """An export whose first input are samples (1, n) and whose first output are logits (1, frames, vocabulary)."""

    def __init__(self, path: Path, description: CtcDescription, *, threads: int = 1) -> None:
        super().__init__(description)
        self._session = open_session(path, threads=threads)
        self._input = self._session.get_inputs()[0].name

    def _logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            return np.asarray(self._session.run(None, {self._input: batch})[0], dtype=np.float32)
        except (onnx_errors.Fail, onnx_errors.InvalidArgument, onnx_errors.RuntimeException) as error:
            raise ModelCorrupt(f"The network does not take samples of shape {batch.shape}: {error}") from error


class TorchCtcNetwork(_Network):
    """A network that Transformers builds from config.json and that gets `tensors` for weights.

    Raises `ExtraMissing`, `DeviceUnavailable`, or `ModelCorrupt` if weights are missing or do not fit.
    """

    def __init__(
        self, folder: Path, description: CtcDescription, tensors: Mapping[str, NDArray[np.generic]], *, device: str
    ) -> None:
        super().__init__(description)
        self._torch = _imported("torch")
        self._device = _chosen_device(self._torch, device)
        self._network = _built(self._torch, folder, tensors).to(self._device).eval()

    def _logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        torch = self._torch
        try:
            with torch.inference_mode():
                logits = self._network(torch.from_numpy(np.ascontiguousarray(batch)).to(self._device)).logits
                return np.asarray(logits.float().cpu().numpy())
        except torch.OutOfMemoryError as error:
            raise OutOfMemory("The graphics memory is too small for the network.", hint="Use --device cpu.") from error


def _imported(package: str) -> Any:  # noqa: ANN401 a module that only the extra brings
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ExtraMissing(
            f"A CTC network without an ONNX export needs {package}: {error}.",
            hint="Install it with `pip install 'wortlaut[ctc]'`, or give a folder with a model.onnx.",
        ) from error


def _chosen_device(torch: Any, device: str) -> str:  # noqa: ANN401 a module
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise DeviceUnavailable("torch cannot use cuda on this machine.")
    return device


def _built(torch: Any, folder: Path, tensors: Mapping[str, NDArray[np.generic]]) -> Any:  # noqa: ANN401 torch's
    transformers = _imported("transformers")
    settings = read_json_object(folder / "config.json")
    try:
        config = transformers.AutoConfig.for_model(**settings)
        network = transformers.AutoModelForCTC.from_config(config)
        state = {name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()}
        missing = set(network.load_state_dict(_renamed(state, network.state_dict()), strict=False).missing_keys)
    except (ValueError, TypeError, KeyError, RuntimeError, AttributeError) as error:
        raise ModelCorrupt(f"{folder} holds no CTC network that Transformers can build: {error}.") from error
    if missing - _NEVER_LOADED:
        raise ModelCorrupt(f"The checkpoint in {folder} lacks {', '.join(sorted(missing - _NEVER_LOADED)[:3])}.")
    return network


def _renamed(state: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Give the weight norm of the position embedding the names that this torch has for it: torch 2.1 changed them."""
    names = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
    pairs = [*names.items(), *((new, old) for old, new in names.items())]
    renamed = dict(state)
    for name in state:
        for old, new in pairs:
            other = name.removesuffix(old) + new
            if name.endswith(old) and name not in wanted and other in wanted:
                renamed[other] = renamed.pop(name)
    return renamed


def _normalized(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((samples - samples.mean()) / np.sqrt(samples.var() + _SMALLEST_VARIANCE), dtype=np.float32)


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
