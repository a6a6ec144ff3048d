"""Whisper's encoder on ONNX Runtime, for where that is cheaper than CTranslate2's own."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from wortlaut.errors import ModelCorrupt
from wortlaut.onnx_session import open_session


class OnnxEncoder:
    """An encoder of one input and one output, on one thread; may be called from several threads at once.

    `graph` is an ONNX model, in memory or on disk. Raises `ModelCorrupt` if it cannot be run.
    """

    def __init__(self, graph: bytes | Path) -> None:
        self._session = open_session(graph)
        self._input = self._session.get_inputs()[0].name

    def encode(self, features: NDArray[np.float32]) -> ctranslate2.StorageView:
        """Return the states of features of shape (1, n_mels, frames): shape (1, frames / 2, d_model)."""
        try:
            states: NDArray[np.float32] = self._session.run(None, {self._input: features})[0]
        except (onnx_errors.Fail, onnx_errors.InvalidArgument, onnx_errors.RuntimeException) as fault:
            raise ModelCorrupt(f"The encoder does not take features of shape {features.shape}: {fault}") from fault
        return ctranslate2.StorageView.from_array(states)
