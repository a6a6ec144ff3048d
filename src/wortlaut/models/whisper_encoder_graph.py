"""Whisper's encoder as an ONNX graph in int8, out of the same `model.bin` that CTranslate2 reads.

On a CPU, ONNX Runtime needs two thirds of CTranslate2's time for it: it never writes the 72 MB of attention that a
window has in each layer of base, and its int8 products are faster. Weights have one scale for each output, activations
one for each state, as in CTranslate2; so the error is as large as CTranslate2's own (4.7 % of the states' mean).
Architecture: openai/whisper, model.py, `AudioEncoder`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wortlaut.models.graph import RUNTIME_DOMAIN, Graph, Tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto

_LARGEST = 127.0  # of an int8
_ZERO = 128  # what stands for 0 in an activation, which is unsigned
_SMALLEST_ROW = 1e-6  # so that a state of zeros is not divided by zero
_EPSILON = 1e-5  # of LayerNorm, PyTorch's default


def whisper_encoder_graph(tensors: Tensors) -> ModelProto:
    """Build the graph from the variables `encoder/...` of a CTranslate2 model.

    Input `features`: (batch, n_mels, frames), an even number of frames. Output `states`: (batch, frames / 2, d_model).
    Raises KeyError if a variable is missing.
    """
    weights = {name.removeprefix("encoder/"): array for name, array in tensors.items()}
    n_mels, heads = weights["conv1/weight"].shape[1], int(weights["num_heads"])
    graph = Graph("whisper encoder")
    x = _placed(graph, weights, _convolved(graph, weights))
    layer = 0
    while f"layer_{layer}/ffn/linear_0/weight" in weights:
        x = _attention(graph, weights, x, f"layer_{layer}/self_attention", heads)
        x = _feed_forward(graph, weights, x, f"layer_{layer}/ffn")
        layer += 1
    x = _normalized(graph, weights, x, "layer_norm")
    return graph.finish(
        x,
        given={"features": ["batch", n_mels, "frames"]},
        made=("states", ["batch", "states", _size(weights)]),
        is_checked=False,
    )


def _size(weights: Tensors) -> int:
    return int(weights["conv2/bias"].shape[0])


def _convolved(graph: Graph, weights: Tensors) -> str:
    """Two convolutions over time, the second of which halves the number of frames; states come before their values."""
    x = "features"
    for layer, stride in (("conv1", 1), ("conv2", 2)):
        parameters = [_constant(graph, weights, f"{layer}/{name}") for name in ("weight", "bias")]
        x = graph.add("Conv", layer, x, *parameters, pads=[1, 1], strides=[stride])
        x = graph.add("Gelu", layer, x, domain=RUNTIME_DOMAIN)
    return graph.add("Transpose", "conv2", x, perm=[0, 2, 1])


def _placed(graph: Graph, weights: Tensors, x: str) -> str:
    """Add to each state where it stands: as many encodings as there are states."""
    count = graph.add("Shape", "positions", x, start=1, end=2)
    encodings = _constant(graph, weights, "position_encodings/encodings")
    return graph.add(
        "Add",
        "positions",
        x,
        graph.add("Slice", "positions", encodings, graph.integers(0), count, graph.integers(0)),
    )


def _attention(graph: Graph, weights: Tensors, x: str, layer: str, heads: int) -> str:
    size = _size(weights)
    projected = _linear(graph, weights, _normalized(graph, weights, x, f"{layer}/layer_norm"), f"{layer}/linear_0")
    parts = [
        graph.add(
            "Slice",
            f"{layer}/{name}",
            projected,
            graph.integers(index * size),
            graph.integers((index + 1) * size),
            graph.integers(2),
        )
        for index, name in enumerate(("query", "key", "value"))
    ]
    seen = graph.add("MultiHeadAttention", layer, *parts, domain=RUNTIME_DOMAIN, num_heads=heads)
    return graph.add("Add", layer, x, _linear(graph, weights, seen, f"{layer}/linear_1"))


def _feed_forward(graph: Graph, weights: Tensors, x: str, layer: str) -> str:
    inner = _linear(graph, weights, _normalized(graph, weights, x, f"{layer}/layer_norm"), f"{layer}/linear_0")
    inner = graph.add("Gelu", layer, inner, domain=RUNTIME_DOMAIN)
    return graph.add("Add", layer, x, _linear(graph, weights, inner, f"{layer}/linear_1"))


def _normalized(graph: Graph, weights: Tensors, x: str, layer: str) -> str:
    scale, shift = (_constant(graph, weights, f"{layer}/{name}") for name in ("gamma", "beta"))
    return graph.add("LayerNormalization", layer, x, scale, shift, axis=-1, epsilon=_EPSILON)


def _linear(graph: Graph, weights: Tensors, x: str, layer: str) -> str:
    """Multiply in int8. Each state is scaled to [-1, 1] before and back afterwards."""
    codes, scales = quantized(weights[f"{layer}/weight"].astype(np.float32))
    step = graph.constant("step", np.array(1.0 / _LARGEST, np.float32))
    zero = graph.constant("zero", np.array(_ZERO, np.uint8))
    largest = graph.add("ReduceMax", layer, graph.add("Abs", layer, x), axes=[-1], keepdims=1)
    largest = graph.add("Max", layer, largest, graph.constant("least", np.array(_SMALLEST_ROW, np.float32)))
    rounded = graph.add("QuantizeLinear", layer, graph.add("Div", layer, x, largest), step, zero)
    product = graph.add(
        "MatMulIntegerToFloat",
        layer,
        rounded,
        graph.constant(f"{layer}/codes", codes.T),
        step,
        graph.constant(f"{layer}/scales", scales),
        zero,
        graph.constant(f"{layer}/zeros", np.zeros(len(scales), np.int8)),
        domain=RUNTIME_DOMAIN,
    )
    product = graph.add("Mul", layer, product, largest)
    return graph.add("Add", layer, product, _constant(graph, weights, f"{layer}/bias"))


def quantized(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 codes and one scale a row: codes * scales[:, None] is about `weight`."""
    scales = np.maximum(np.abs(weight).max(axis=1), _SMALLEST_ROW) / _LARGEST
    return np.rint(weight / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def _constant(graph: Graph, weights: Tensors, name: str) -> str:
    return graph.constant(name, weights[name].astype(np.float32))
