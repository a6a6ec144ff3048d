"""One ONNX model with one output, its errors turned into ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from wortlaut.errors import ModelCorrupt, ModelMissing
from wortlaut.onnx_session import open_session


class OnnxModel:
    """A network on one CPU thread; `run` may be called from several threads at once.

    Raises `ModelMissing` where there is no file, `ModelCorrupt` where it is no network of the expected shape.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ModelMissing(f"There is no model at {path}.")
        self._session = open_session(path)
        self._path = path
        self._inputs = [each.name for each in self._session.get_inputs()]

    def run(self, *inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first output, given the inputs in the order in which the model names them."""
        shapes = ", ".join(str(each.shape) for each in inputs)
        if len(inputs) != len(self._inputs):
            raise ModelCorrupt(f"{self._path} has {len(self._inputs)} inputs, not {len(inputs)} of shape {shapes}.")
        try:
            output: NDArray[np.float32] = self._session.run(None, dict(zip(self._inputs, inputs, strict=True)))[0]
        except (onnx_errors.Fail, onnx_errors.InvalidArgument, onnx_errors.RuntimeException) as error:
            raise ModelCorrupt(f"{self._path} does not take inputs of shape {shapes}: {error}") from error
        return output
