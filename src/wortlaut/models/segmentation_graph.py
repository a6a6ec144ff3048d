"""PyanNet as an ONNX graph: which of up to three speakers speak in each frame of a window.

SincNet (Ravanelli and Bengio 2018, https://arxiv.org/abs/1808.00158) turns samples into features, four
bidirectional LSTM layers look around, two linear layers decide. segmentation-3.0 chooses among seven sets of at
most two out of three speakers (Plaquet and Bredin 2023, https://arxiv.org/abs/2310.13025). Reference:
pyannote.audio, models/segmentation/PyanNet.py and models/blocks/sincnet.py; asteroid-filterbanks, param_sinc_fb.py.

The LSTM multiplies in 8 bits (ONNX Runtime's DynamicQuantizeLSTM): a quarter less CPU time for the whole network,
99 % of the frames in the same class, and the same error rates (docs/decisions/0013).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wortlaut.models.graph import RUNTIME_DOMAIN, Graph, Tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto

_SAMPLE_RATE = 16_000
_STRIDE_SAMPLES = 10  # of the sinc filters
_LOWEST_HZ = 50.0  # lower edge of a filter, at least
_NARROWEST_HZ = 50.0  # width of a filter, at least
_POOL = 3
_SLOPE = 0.01  # of LeakyReLU below zero, PyTorch's default
_LARGEST_INT8 = 127
_EPSILON = 1e-5  # of InstanceNorm1d, PyTorch's default


def segmentation_graph(tensors: Tensors) -> ModelProto:
    """Build the graph from the tensors of the checkpoint.

    Input `waveform`: (batch, 1, samples) at 16 kHz. Output `scores`: (batch, frames, 7), log-probabilities of
    nobody, one of three, or two of three speakers. Raises KeyError if a tensor is missing.
    """
    weights = {name.removeprefix("state_dict."): array for name, array in tensors.items()}
    graph = Graph("segmentation")
    features = _sincnet(graph, weights)
    context = _lstm(graph, weights, graph.add("Transpose", "lstm/time_first", features, perm=[2, 0, 1]))
    decided = _linear(graph, weights, graph.add("Transpose", "linear/batch_first", context, perm=[1, 0, 2]))
    scores = graph.add("LogSoftmax", "classifier", _affine(graph, weights, decided, "classifier"), axis=-1)
    classes = weights["classifier.bias"].shape[0]
    return graph.finish(
        scores, given={"waveform": ["batch", 1, "samples"]}, made=("scores", ["batch", "frames", classes])
    )


def _sincnet(graph: Graph, weights: Tensors) -> str:
    x = _normalize(graph, weights, "waveform", "sincnet.wav_norm1d")
    for index in range(3):
        layer = f"sincnet.conv1d.{index}"
        if index == 0:
            filters = graph.constant(f"{layer}.filters", sinc_filters(weights, f"{layer}.filterbank"))
            x = graph.add("Abs", layer, graph.add("Conv", layer, x, filters, strides=[_STRIDE_SAMPLES]))
        else:
            x = graph.add("Conv", layer, x, *_parameters(graph, weights, layer))
        x = graph.add("MaxPool", layer, x, kernel_shape=[_POOL], strides=[_POOL])
        x = graph.add("LeakyRelu", layer, _normalize(graph, weights, x, f"sincnet.norm1d.{index}"), alpha=_SLOPE)
    return x


def sinc_filters(weights: Tensors, bank: str) -> NDArray[np.float32]:
    """Compute the filters from their edges: band-pass filters, as many even (cosine) as odd (sine).

    The difference of two low-pass filters, windowed; the left half is computed and mirrored.
    Returns shape (filters, 1, taps).
    """
    low_hz = np.float32(_LOWEST_HZ) + np.abs(weights[f"{bank}.low_hz_"])
    high_hz = np.clip(
        low_hz + np.float32(_NARROWEST_HZ) + np.abs(weights[f"{bank}.band_hz_"]),
        np.float32(_LOWEST_HZ),
        np.float32(_SAMPLE_RATE / 2),
    )
    width = 2 * (high_hz - low_hz)
    times, window = weights[f"{bank}.n_"], weights[f"{bank}.window_"]  # times: 2 pi n / sample rate, n < 0
    low, high = low_hz @ times, high_hz @ times
    even = (np.sin(high) - np.sin(low)) / (times / 2) * window
    odd = (np.cos(low) - np.cos(high)) / (times / 2) * window
    middle = np.zeros_like(width)
    cosine = np.concatenate([even, width, even[:, ::-1]], axis=1) / width
    sine = np.concatenate([odd, middle, -odd[:, ::-1]], axis=1) / width
    filters: NDArray[np.float32] = np.concatenate([cosine, sine])[:, None, :].astype(np.float32)
    return filters


def _lstm(graph: Graph, weights: Tensors, x: str) -> str:
    """Stack bidirectional layers; x and the result are (frames, batch, features)."""
    size = weights["lstm.weight_hh_l0"].shape[1]
    layers = sum(name.startswith("lstm.weight_hh_l") and not name.endswith("_reverse") for name in weights)
    for index in range(layers):
        layer = f"lstm.{index}"
        y = graph.add(
            "DynamicQuantizeLSTM",
            layer,
            x,
            *_lstm_weights(graph, weights, index),
            domain=RUNTIME_DOMAIN,
            hidden_size=size,
            direction="bidirectional",
        )
        y = graph.add("Transpose", layer, y, perm=[0, 2, 1, 3])  # frames, directions, batch, size
        x = graph.add("Reshape", layer, y, graph.integers(0, 0, 2 * size))
    return x


def _lstm_weights(graph: Graph, weights: Tensors, index: int) -> tuple[str, ...]:
    """Return the operation's inputs after the first, directions stacked in front; "" stands for one left out."""
    directions = (f"l{index}", f"l{index}_reverse")
    inputs = np.stack([_reorder_gates(weights[f"lstm.weight_ih_{name}"]) for name in directions])
    recurrent = np.stack([_reorder_gates(weights[f"lstm.weight_hh_{name}"]) for name in directions])
    biases = np.stack(
        [
            np.concatenate([_reorder_gates(weights[f"lstm.bias_{side}_{name}"]) for side in ("ih", "hh")])
            for name in directions
        ]
    )
    weight_ih, *range_ih = _quantized_constant(graph, f"lstm.{index}.weight_ih", inputs)
    weight_hh, *range_hh = _quantized_constant(graph, f"lstm.{index}.weight_hh", recurrent)
    bias = graph.constant(f"lstm.{index}.bias", biases)
    sequence_lengths = initial_h = initial_c = peepholes = ""
    return weight_ih, weight_hh, bias, sequence_lengths, initial_h, initial_c, peepholes, *range_ih, *range_hh


def _quantized_constant(graph: Graph, name: str, matrices: NDArray[np.float32]) -> tuple[str, str, str]:
    """Add matrices of shape (directions, outputs, inputs) in 8 bits; return the names of values, scales and zeros."""
    values, scales = quantize(matrices)
    return (
        graph.constant(name, values.transpose(0, 2, 1)),
        graph.constant(f"{name}.scale", scales),
        graph.constant(f"{name}.zero", np.zeros(scales.shape, np.int8)),
    )


def quantize(matrices: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return 8-bit integers and, for each row, what one step of them is worth: the largest value becomes 127."""
    scales = (np.abs(matrices).max(axis=-1) / _LARGEST_INT8).astype(np.float32)
    scales = np.maximum(scales, np.finfo(np.float32).tiny)
    return np.rint(matrices / scales[..., None]).astype(np.int8), scales


def _reorder_gates(stacked: NDArray[Any]) -> NDArray[Any]:
    """Go from PyTorch's order (input, forget, cell, output) to ONNX's (input, output, forget, cell)."""
    given, forget, cell, output = np.split(stacked, 4)
    return np.concatenate([given, output, forget, cell])


def _linear(graph: Graph, weights: Tensors, x: str) -> str:
    index = 0
    while f"linear.{index}.weight" in weights:
        layer = f"linear.{index}"
        x = graph.add("LeakyRelu", layer, _affine(graph, weights, x, layer), alpha=_SLOPE)
        index += 1
    return x


def _affine(graph: Graph, weights: Tensors, x: str, layer: str) -> str:
    kernel = graph.constant(f"{layer}.weight", weights[f"{layer}.weight"].T)
    bias = graph.constant(f"{layer}.bias", weights[f"{layer}.bias"])
    return graph.add("Add", layer, graph.add("MatMul", layer, x, kernel), bias)


def _normalize(graph: Graph, weights: Tensors, x: str, layer: str) -> str:
    return graph.add("InstanceNormalization", layer, x, *_parameters(graph, weights, layer), epsilon=_EPSILON)


def _parameters(graph: Graph, weights: Tensors, layer: str) -> tuple[str, str]:
    return (
        graph.constant(f"{layer}.weight", weights[f"{layer}.weight"]),
        graph.constant(f"{layer}.bias", weights[f"{layer}.bias"]),
    )
