"""How ONNX models are opened here, whichever stage they belong to, and how this processor multiplies bytes.

On x86 processors without VNNI, ONNX Runtime adds products of unsigned and signed bytes in pairs, in 16 bits, and large
ones are cut off. `largest_products.onnx` multiplies the largest there are; `tests/core/test_onnx_session.py` says how
it is made.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from wortlaut.errors import ModelCorrupt

LARGEST_PRODUCTS = Path(__file__).with_name("largest_products.onnx")
TERMS = 64
"""Products in each of its sums; as many rows and columns of these make it a case for the fastest way."""

_ERRORS_ONLY = 3
_LARGEST_SIGNED, _LARGEST_UNSIGNED = 127, 255
_UNSIGNED_WEIGHTS = ("session.x64quantprecision", "1")
"""Makes signed weights unsigned, whose products are added up exactly; a third slower where both are exact."""


def open_session(model: bytes | Path, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a model, in memory or on disk, for the CPU. Its sums are the same on every processor.

    Raises `ModelCorrupt` if ONNX Runtime cannot run it.
    """
    options = session_options(threads)
    if not multiplies_exactly():
        options.add_session_config_entry(*_UNSIGNED_WEIGHTS)
    in_memory = isinstance(model, bytes)
    try:
        return onnxruntime.InferenceSession(
            model if in_memory else str(model), options, providers=["CPUExecutionProvider"]
        )
    except (onnx_errors.Fail, onnx_errors.InvalidGraph, onnx_errors.InvalidProtobuf) as error:
        name = "What was made of the model" if in_memory else str(model)
        raise ModelCorrupt(f"{name} is no ONNX model that can be run: {error}") from error


def session_options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return options


@cache
def multiplies_exactly() -> bool:
    """Whether this processor adds up products of unsigned and signed bytes without cutting any off, the fastest way."""
    session = onnxruntime.InferenceSession(
        str(LARGEST_PRODUCTS), session_options(1), providers=["CPUExecutionProvider"]
    )
    [sums] = session.run(None, {"values": np.full((TERMS, TERMS), _LARGEST_UNSIGNED, np.float32)})
    return bool((sums == _LARGEST_UNSIGNED * _LARGEST_SIGNED * TERMS).all())
