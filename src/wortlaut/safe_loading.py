"""Loading checkpoints that cannot run code.

A checkpoint is a pickle, and a pickle can call anything. `torch.load(weights_only=True)` refuses every global that is
not on a list, but pyannote.audio 4 asks for `weights_only=False`, lightning 2.5 too, and lightning 2.6 for None, which
on the older checkpoints ends in the well-known UnpicklingError. Inside `guarded_loading` none of them has a say:
loads of this thread run with `weights_only=True` and with exactly the globals that the family of the checkpoint needs.

That list belongs to torch and is shared by the whole process. So it is widened for the moments of each single load
only, and meanwhile other threads wait with theirs: nobody else ever loads under our list.
"""

from __future__ import annotations

import importlib
import pickle
import re
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from wortlaut.errors import CheckpointRefused, ExtraMissing, ModelCorrupt

SEGMENTATION_3 = (
    "torch.torch_version.TorchVersion",  # the version of torch that trained it: a string
    "pyannote.audio.core.task.Specifications",  # what the model answers: classes, duration of a window ...
    "pyannote.audio.core.task.Problem",
    "pyannote.audio.core.task.Resolution",
)
"""What segmentation-3.0 names, and everything else that pyannote.audio 3 and 4 save."""

WHISPERX_VAD = (
    *SEGMENTATION_3,
    "pyannote.audio.core.model.Introspection",  # of pyannote.audio 2: sizes of input and output
    "omegaconf.listconfig.ListConfig",  # the hyperparameters of the training run
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.nodes.AnyNode",
    "typing.Any",
    "builtins.list",
    "builtins.dict",
    "builtins.int",
    "collections.defaultdict",
)
"""What the voice activity detector that whisperX carries names (pyannote.audio 2, lightning 1.5)."""

SAFE_GLOBALS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"segmentation-3.0": SEGMENTATION_3, "whisperx-vad": WHISPERX_VAD}
)
"""Globals a checkpoint may name, by family. A test fails if one is missing, and if one is not needed."""

ARCHITECTURES = "pyannote.audio.models."
"""Where the class of a model must come from: pyannote imports the module that the checkpoint names."""

HYPERPARAMETERS = ("hyper_parameters", "hparams", "module_arguments")
"""Where lightning looks for them, the oldest last. It calls what stands there under `_instantiator`."""

_DAMAGE = (RuntimeError, EOFError, ValueError, KeyError, IndexError, AssertionError, TypeError, struct.error)
"""What torch raises, by version and kind of damage, for a file that is no sound checkpoint."""

# Both guard what belongs to the process, not to us: torch.load, and torch's list of globals.
_SESSION = threading.RLock()
_LOADING = threading.RLock()


@contextmanager
def guarded_loading(allowed: Sequence[str]) -> Iterator[None]:
    """Let `torch.load` in this thread read only what the full names in `allowed` and torch's own list permit.

    Raises, from the load: `CheckpointRefused` if the file names anything else, `ModelCorrupt` if it is damaged.
    """
    torch: Any = importlib.import_module("torch")
    permitted = [_resolve(name) for name in allowed]
    with _SESSION:
        guard = _GuardedLoad(torch, permitted)
        torch.load = guard
        try:
            yield
        finally:
            guard.is_open = False
            # Somebody who has wrapped us in the meantime keeps their wrapper: closed, we only pass calls on.
            if torch.load is guard:
                torch.load = guard.replaced


class _GuardedLoad:
    """Stands in for `torch.load` while a guarded session lasts."""

    def __init__(self, torch: Any, permitted: list[tuple[object, str]]) -> None:  # noqa: ANN401 torch is not typed here
        self.replaced: Callable[..., Any] = torch.load
        self.is_open = True
        self._torch = torch
        self._permitted = permitted
        self._owner = threading.get_ident()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 the signature is torch's
        if not self.is_open:
            return self.replaced(*args, **kwargs)
        with _LOADING:
            if threading.get_ident() != self._owner:
                return self.replaced(*args, **kwargs)
            return self._load_weights(*args, **kwargs | {"weights_only": True})

    def _load_weights(self, source: object, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401 the signature is torch's
        file = _name_of(source)
        serialization = self._torch.serialization
        registered = set(serialization.get_safe_globals())
        added = [permitted for permitted in self._permitted if permitted not in registered]
        try:
            with serialization.safe_globals(added):
                # Not self.replaced: a host program may have patched torch.load to drop weights_only.
                checkpoint: object = serialization.load(source, *args, **kwargs)
        except pickle.UnpicklingError as error:
            raise _refusal(file, str(error)) from error
        except _DAMAGE as error:
            raise ModelCorrupt(f"{file} is no sound checkpoint: {error}.") from error
        refuse_code(checkpoint, file)
        return checkpoint


def refuse_code(checkpoint: object, file: str) -> None:
    """Raise `CheckpointRefused` if a checkpoint, already loaded, would have other code than a model's run.

    `weights_only=True` guards the pickle. But pyannote then imports the module that the checkpoint gives as its
    architecture, and lightning before 2.6.6 calls the function that its hyperparameters give as `_instantiator`.
    """
    if not isinstance(checkpoint, Mapping):
        return
    architecture = cast("Mapping[str, Any]", checkpoint.get("pyannote.audio") or {}).get("architecture") or {}
    module = str(architecture.get("module", ARCHITECTURES))
    if not f"{module}.".startswith(ARCHITECTURES):
        raise CheckpointRefused(
            f"{file} gives {module} as the module of its model; it must lie in {ARCHITECTURES[:-1]}."
        )
    for key in HYPERPARAMETERS:
        hyperparameters = checkpoint.get(key)
        if isinstance(hyperparameters, Mapping) and "_instantiator" in hyperparameters:
            raise CheckpointRefused(f"{file} wants {hyperparameters['_instantiator']} to be called.")


def _name_of(source: object) -> str:
    """Return the path of what torch.load was given: lightning opens the file itself."""
    return str(source if isinstance(source, str | Path) else getattr(source, "name", "the checkpoint"))


def _refusal(file: str, explanation: str) -> ModelCorrupt:
    """Say which global it was; torch's own text recommends to allow it, which is no good advice."""
    match = re.search(r"GLOBAL ([\w.]+)", explanation)
    if not match:
        return ModelCorrupt(f"{file} is no sound checkpoint.")
    return CheckpointRefused(
        f"{file} names {match[1]}, which reading weights does not need; it was not run.",
        hint=f"`wortlaut models inspect {file}` shows what is in it without running it.",
    )


def _resolve(name: str) -> tuple[object, str]:
    """Return the object and the name under which pickles know it."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute), name
    except ImportError as error:
        if module.startswith("omegaconf"):
            # pyannote.audio 4 does not bring it, and no model uses these values: an empty class reads them as well.
            return type(attribute, (), {"__module__": module}), name
        raise ExtraMissing(f"{module} is not installed.", hint="pip install 'wortlaut[pyannote]'") from error
