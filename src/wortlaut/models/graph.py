"""Writing ONNX graphs node by node: the few operations that the converted models are made of.

https://onnx.ai/onnx/operators/ (opset 17).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OPSET = 17
_IR_VERSION = 8  # the format of ONNX 1.12: every runtime since 2022 reads it

RUNTIME_DOMAIN = "com.microsoft"
"""Operations of ONNX Runtime beyond the standard: onnxruntime, docs/ContribOperators.md."""

Tensors = Mapping[str, "NDArray[Any]"]
"""Weights by name, of whatever type the checkpoint has."""


class Graph:
    """A graph that grows at its end. Values go by their names; a node's name says which layer it belongs to."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Add weights, once under a name."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def integers(self, *values: int) -> str:
        """Add a vector of integers, such as axes or a shape."""
        return self.constant(f"integers {values}", np.array(values, np.int64))

    def scalar(self, value: int) -> str:
        """Add a single integer."""
        return self.constant(f"scalar {value}", np.array(value, np.int64))

    def add(self, operation: str, layer: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401  (whatever the operation takes)
        """Add an operation and return the name of its (first) result."""
        output = f"{layer}/{operation}"
        if any(output in node.output for node in self._nodes[-8:]):
            output = f"{output}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, list(inputs), [output], name=output, **attributes))
        return output

    def finish(
        self,
        result: str,
        *,
        given: Mapping[str, Sequence[str | int]],
        made: tuple[str, Sequence[str | int]],
        is_checked: bool = True,
    ) -> ModelProto:
        """Close the graph: `given` and `made` name its inputs and its output, and their shapes.

        It is checked, which takes as long as building it: too long for what is built whenever a model is loaded.
        """
        self._nodes.append(helper.make_node("Identity", [result], [made[0]], name=made[0]))
        graph = helper.make_graph(
            self._nodes,
            self._name,
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in given.items()],
            [helper.make_tensor_value_info(made[0], TensorProto.FLOAT, list(made[1]))],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", _OPSET)]
        if any(node.domain == RUNTIME_DOMAIN for node in self._nodes):
            opsets.append(helper.make_opsetid(RUNTIME_DOMAIN, 1))
        model = helper.make_model(graph, opset_imports=opsets, producer_name="wortlaut")
        model.ir_version = _IR_VERSION
        if is_checked:
            checker.check_model(model, full_check=True)
        return model
