"""How ONNX models are opened here, whichever stage they belong to."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from wortlaut.errors import ModelCorrupt

_ERRORS_ONLY = 3

_SAME_SUMS_EVERYWHERE = ("session.x64quantprecision", "1")
"""x86 processors without VNNI add products of unsigned and signed bytes in pairs, in 16 bits, and cut large ones off.
There, and only there, ONNX Runtime then makes signed weights unsigned, whose products it adds up exactly."""


def open_session(model: bytes | Path, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a model, in memory or on disk, for the CPU. Raises `ModelCorrupt` if ONNX Runtime cannot run it."""
    in_memory = isinstance(model, bytes)
    try:
        return onnxruntime.InferenceSession(
            model if in_memory else str(model), session_options(threads), providers=["CPUExecutionProvider"]
        )
    except (onnx_errors.Fail, onnx_errors.InvalidGraph, onnx_errors.InvalidProtobuf) as error:
        name = "What was made of the model" if in_memory else str(model)
        raise ModelCorrupt(f"{name} is no ONNX model that can be run: {error}") from error


def session_options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry(*_SAME_SUMS_EVERYWHERE)
    return options
