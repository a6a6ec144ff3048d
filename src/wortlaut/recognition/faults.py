"""What CTranslate2 throws, in our own words. It has no error classes of its own, only messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wortlaut.errors import DeviceUnavailable, InvalidOption, ModelCorrupt, OutOfMemory, WortlautError

# Lower-case pieces of the messages, the first that fits decides. "out of memory" comes before "cuda",
# because an exhausted accelerator says both.
_OUT_OF_MEMORY = ("out of memory", "failed to allocate", "bad_alloc", "cublas_status_alloc_failed")
_COMPUTE_TYPE = ("compute type",)
_DEVICE = ("cuda", "cublas", "cudnn", "hip", "not compiled", "device", "libcu")
_MODEL = (
    "unable to open file",
    "failed to open",
    "incomplete",
    "unsupported model",
    "binary version",
    "vocabulary",
    "spec",
    "json",
    "variable",
    "model",
)


@contextmanager
def engine_faults() -> Iterator[None]:
    """Turn what CTranslate2 raises inside the block into `WortlautError`."""
    try:
        yield
    except MemoryError as fault:
        raise OutOfMemory from fault
    except (RuntimeError, ValueError) as fault:
        raise translated(fault) from fault


def translated(fault: Exception) -> WortlautError:
    """Return the error that a message of CTranslate2 stands for."""
    message = str(fault).strip().rstrip(".")
    lowered = message.lower()
    if any(piece in lowered for piece in _OUT_OF_MEMORY):
        return OutOfMemory(f"The recognizer ran out of memory: {message}.")
    if any(piece in lowered for piece in _COMPUTE_TYPE):
        return InvalidOption(f"{message}.", hint="Leave the compute type at auto.")
    if any(piece in lowered for piece in _DEVICE):
        return DeviceUnavailable(f"The device cannot be used: {message}.")
    if any(piece in lowered for piece in _MODEL):
        return ModelCorrupt(f"The model cannot be loaded: {message}.")
    return WortlautError(f"The recognizer failed: {message}.")
