"""CAM++ as an ONNX graph: a voice becomes a vector.

A small residual network over time and frequency, then densely connected time-delay layers whose output is gated
by their context, then mean and deviation over time (Wang et al. 2023, https://arxiv.org/abs/2303.00332).
Reference: 3D-Speaker, speakerlab/models/campplus (DTDNN.py, layers.py). Batch normalization is folded into the
convolution before it where there is one.

Unlike there, mean and deviation are taken over any parts of the input that the caller names. All layers before
are computed once, however many overlapping parts are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wortlaut.models.graph import Graph, Tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto

_MEL_BINS = 80
_EPSILON = 1e-5  # of BatchNorm, PyTorch's default
_FRAME_RATE_DIVISOR = 2
_CONTEXT_FRAMES = 100  # the gate sees the mean of its 100-frame segment and of everything
_BLOCKS = ((12, 1), (24, 2), (16, 2))  # layers and dilation of each dense block
_AROUND: dict[str, list[int]] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}


def campplus_graph(tensors: Tensors) -> ModelProto:
    """Build the graph from the tensors of the checkpoint.

    Input `feats`: (1, frames, 80), Kaldi log-mel filter banks at 16 kHz with their mean over time taken out.
    Input `parts`: (parts, frames), 1 where a frame belongs to a part and 0 elsewhere; one in two frames counts.
    Output `embedding`: (parts, size), not normalized. Raises KeyError if a tensor is missing.
    """
    graph = Graph("campplus")
    x = graph.add("Transpose", "head/input", "feats", perm=[0, 2, 1])
    x = graph.add("Unsqueeze", "head/input", x, graph.integers(1))
    x = _time_delay(graph, tensors, _head(graph, tensors, x))
    frames = graph.add("Gather", "frames", graph.add("Shape", "frames", x), graph.scalar(2))
    segment_of_frame = _segments(graph, frames)
    for index, (layers, dilation) in enumerate(_BLOCKS, 1):
        for layer in range(1, layers + 1):
            name = f"xvector.block{index}.tdnnd{layer}"
            x = _dense_layer(graph, tensors, x, name, dilation, segment_of_frame)
        x = _transit(graph, tensors, x, f"xvector.transit{index}")
    x = _normalize(graph, tensors, x, "xvector.out_nonlinear.batchnorm")
    x = graph.add("Relu", "xvector.out_nonlinear", x)
    return _embed(graph, tensors, _pool(graph, x))


def _head(graph: Graph, tensors: Tensors, x: str) -> str:
    """Two layers of two residual blocks; each layer and the last convolution halve the frequency axis."""
    x = _conv_bn_relu(graph, tensors, x, "head.conv1", "head.bn1", **_AROUND)
    for layer in ("head.layer1", "head.layer2"):
        x = _residual(graph, tensors, x, f"{layer}.0", stride=2)
        x = _residual(graph, tensors, x, f"{layer}.1", stride=1)
    return _conv_bn_relu(graph, tensors, x, "head.conv2", "head.bn2", strides=[2, 1], **_AROUND)


def _residual(graph: Graph, tensors: Tensors, x: str, block: str, *, stride: int) -> str:
    strides = [stride, 1]
    y = _conv_bn_relu(graph, tensors, x, f"{block}.conv1", f"{block}.bn1", strides=strides, **_AROUND)
    y = _conv_bn(graph, tensors, y, f"{block}.conv2", f"{block}.bn2", **_AROUND)
    if f"{block}.shortcut.0.weight" in tensors:
        x = _conv_bn(graph, tensors, x, f"{block}.shortcut.0", f"{block}.shortcut.1", strides=strides)
    return graph.add("Relu", block, graph.add("Add", block, y, x))


def _time_delay(graph: Graph, tensors: Tensors, x: str) -> str:
    """Join channels and frequencies, and halve the frame rate."""
    channels = tensors["xvector.tdnn.linear.weight"].shape[1]
    x = graph.add("Reshape", "xvector.tdnn", x, graph.integers(0, channels, -1))
    return _conv_bn_relu(
        graph,
        tensors,
        x,
        "xvector.tdnn.linear",
        "xvector.tdnn.nonlinear.batchnorm",
        strides=[_FRAME_RATE_DIVISOR],
        pads=[2, 2],
    )


def _segments(graph: Graph, frames: str) -> str:
    """Return the number of the segment that each frame lies in."""
    counted = graph.add("Range", "segments", graph.scalar(0), frames, graph.scalar(1))
    return graph.add("Div", "segments", counted, graph.scalar(_CONTEXT_FRAMES))


def _dense_layer(graph: Graph, tensors: Tensors, x: str, name: str, dilation: int, segment_of_frame: str) -> str:
    """Add a layer's output to its input as further channels, each gated by the context ("CAM")."""
    h = graph.add("Relu", name, _normalize(graph, tensors, x, f"{name}.nonlinear1.batchnorm"))
    h = _conv_bn_relu(graph, tensors, h, f"{name}.linear1", f"{name}.nonlinear2.batchnorm")
    y = _conv(graph, tensors, h, f"{name}.cam_layer.linear_local", dilations=[dilation], pads=[dilation, dilation])
    gate = _gate(graph, tensors, h, f"{name}.cam_layer", segment_of_frame)
    return graph.add("Concat", name, x, graph.add("Mul", name, y, gate), axis=1)


def _gate(graph: Graph, tensors: Tensors, h: str, name: str, segment_of_frame: str) -> str:
    """Return the gate of every frame: computed once a segment, since its context changes no faster."""
    mean = graph.add("ReduceMean", name, h, axes=[-1], keepdims=1)
    segment_means = graph.add(
        "AveragePool", name, h, kernel_shape=[_CONTEXT_FRAMES], strides=[_CONTEXT_FRAMES], ceil_mode=1
    )
    context = graph.add("Add", name, mean, segment_means)
    gate = graph.add("Relu", name, _conv(graph, tensors, context, f"{name}.linear1"))
    gate = graph.add("Sigmoid", name, _conv(graph, tensors, gate, f"{name}.linear2"))
    return graph.add("Gather", name, gate, segment_of_frame, axis=2)


def _transit(graph: Graph, tensors: Tensors, x: str, name: str) -> str:
    x = graph.add("Relu", name, _normalize(graph, tensors, x, f"{name}.nonlinear.batchnorm"))
    return _conv(graph, tensors, x, f"{name}.linear")


def _pool(graph: Graph, x: str) -> str:
    """Return mean and unbiased standard deviation over the frames of each part: (parts, 2 * channels, 1).

    The deviation comes from the mean square. What all parts have in common is taken out before, or float32 would
    lose digits.
    """
    level = graph.add("ReduceMean", "pool/level", x, axes=[-1], keepdims=1)
    x = graph.add("Transpose", "pool/off", graph.add("Sub", "pool/off", x, level), perm=[0, 2, 1])
    x = graph.add("Squeeze", "pool/off", x, graph.integers(0))
    weights, others = _weights(graph)
    mean = graph.add("MatMul", "pool/mean", weights, x)
    mean_square = graph.add("MatMul", "pool/square", weights, graph.add("Mul", "pool/square", x, x))
    spread = graph.add("Sub", "pool/spread", mean_square, graph.add("Mul", "pool/mean", mean, mean))
    variance = graph.add("Mul", "pool/variance", graph.add("Relu", "pool/spread", spread), others)
    level = graph.add("Squeeze", "pool/level", level, graph.integers(2))
    mean = graph.add("Add", "pool/whole", mean, level)
    pooled = graph.add("Concat", "pool", mean, graph.add("Sqrt", "pool", variance), axis=1)
    return graph.add("Unsqueeze", "pool", pooled, graph.integers(2))


def _weights(graph: Graph) -> tuple[str, str]:
    """Return the share of each frame in the mean of each part, and what makes variances unbiased: n / (n - 1)."""
    every_second = (graph.integers(0), graph.integers(2**31), graph.integers(1), graph.integers(_FRAME_RATE_DIVISOR))
    parts = graph.add("Slice", "parts", "parts", *every_second)
    one = graph.constant("one", np.array(1, np.float32))
    frames = graph.add("ReduceSum", "parts", parts, graph.integers(1), keepdims=1)
    frames = graph.add("Max", "parts", frames, one)
    others = graph.add("Max", "parts/others", graph.add("Sub", "parts/others", frames, one), one)
    return graph.add("Div", "parts", parts, frames), graph.add("Div", "parts/others", frames, others)


def _embed(graph: Graph, tensors: Tensors, x: str) -> ModelProto:
    dense = "xvector.dense"
    x = _conv_bn(graph, tensors, x, f"{dense}.linear", f"{dense}.nonlinear.batchnorm")  # and no ReLU after it
    x = graph.add("Squeeze", dense, x, graph.integers(2))
    size = tensors[f"{dense}.linear.weight"].shape[0]
    given: dict[str, list[str | int]] = {"feats": [1, "frames", _MEL_BINS], "parts": ["parts", "frames"]}
    return graph.finish(x, given=given, made=("embedding", ["parts", size]))


def _conv_bn_relu(graph: Graph, tensors: Tensors, x: str, conv: str, norm: str, **attributes: Sequence[int]) -> str:
    return graph.add("Relu", norm, _conv_bn(graph, tensors, x, conv, norm, **attributes))


def _conv_bn(graph: Graph, tensors: Tensors, x: str, conv: str, norm: str, **attributes: Sequence[int]) -> str:
    kernel = tensors[f"{conv}.weight"].astype(np.float64)
    scale, shift = _scale_and_shift(tensors, norm)
    folded = kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))
    if f"{conv}.bias" in tensors:
        shift = shift + scale * tensors[f"{conv}.bias"]
    return graph.add(
        "Conv",
        conv,
        x,
        graph.constant(f"{conv}.weight", folded.astype(np.float32)),
        graph.constant(f"{conv}.bias", shift.astype(np.float32)),
        **attributes,
    )


def _conv(graph: Graph, tensors: Tensors, x: str, name: str, **attributes: Sequence[int]) -> str:
    inputs = [graph.constant(f"{name}.weight", tensors[f"{name}.weight"])]
    if f"{name}.bias" in tensors:
        inputs.append(graph.constant(f"{name}.bias", tensors[f"{name}.bias"]))
    return graph.add("Conv", name, x, *inputs, **attributes)


def _normalize(graph: Graph, tensors: Tensors, x: str, norm: str) -> str:
    """Apply a batch normalization that no convolution precedes."""
    scale, shift = (part.astype(np.float32)[None, :, None] for part in _scale_and_shift(tensors, norm))
    scaled = graph.add("Mul", norm, x, graph.constant(f"{norm}.scale", scale))
    return graph.add("Add", norm, scaled, graph.constant(f"{norm}.shift", shift))


def _scale_and_shift(tensors: Tensors, norm: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a batch normalization multiplies by and adds; it may lack weight and bias of its own."""
    scale = 1 / np.sqrt(tensors[f"{norm}.running_var"].astype(np.float64) + _EPSILON)
    if f"{norm}.weight" in tensors:
        scale = scale * tensors[f"{norm}.weight"]
    shift = -scale * tensors[f"{norm}.running_mean"]
    if f"{norm}.bias" in tensors:
        shift = shift + tensors[f"{norm}.bias"]
    return scale, shift
