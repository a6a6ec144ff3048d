"""The converted graphs, against the same networks written down plainly in numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from wortlaut.errors import ModelCorrupt
from wortlaut.models.campplus_graph import campplus_graph
from wortlaut.models.convert import convert
from wortlaut.models.segmentation_graph import quantize, segmentation_graph, sinc_filters


def run(model, *given: np.ndarray) -> np.ndarray:
    content = model if isinstance(model, str) else model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    return session.run(None, dict(zip(names, given, strict=True)))[0]


# --- segmentation


def pyannet_weights(rng: np.random.Generator, size: int = 3, layers: int = 2) -> dict[str, np.ndarray]:
    def some(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    half = np.arange(-125, 0, dtype=np.float32)
    weights = {
        "sincnet.conv1d.0.filterbank.low_hz_": np.abs(some(4, 1)) * 500,
        "sincnet.conv1d.0.filterbank.band_hz_": np.abs(some(4, 1)) * 500,
        "sincnet.conv1d.0.filterbank.window_": np.hamming(251)[:125].astype(np.float32),
        "sincnet.conv1d.0.filterbank.n_": (2 * np.pi * half / 16_000)[None, :].astype(np.float32),
        "sincnet.wav_norm1d.weight": some(1) + 1,
        "sincnet.wav_norm1d.bias": some(1),
        "sincnet.conv1d.1.weight": some(5, 8, 5),
        "sincnet.conv1d.1.bias": some(5),
        "sincnet.conv1d.2.weight": some(6, 5, 5),
        "sincnet.conv1d.2.bias": some(6),
        "linear.0.weight": some(4, 2 * size),
        "linear.0.bias": some(4),
        "classifier.weight": some(7, 4),
        "classifier.bias": some(7),
    }
    for index, channels in enumerate((8, 5, 6)):
        weights |= {
            f"sincnet.norm1d.{index}.weight": some(channels) + 1,
            f"sincnet.norm1d.{index}.bias": some(channels),
        }
    for index in range(layers):
        for end in ("", "_reverse"):
            weights |= {
                f"lstm.weight_ih_l{index}{end}": some(4 * size, 6 if index == 0 else 2 * size),
                f"lstm.weight_hh_l{index}{end}": some(4 * size, size),
                f"lstm.bias_ih_l{index}{end}": some(4 * size),
                f"lstm.bias_hh_l{index}{end}": some(4 * size),
            }
    return weights


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def instance_norm(x, weight, bias):
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * weight[:, None] + bias[:, None]


def convolve(x, kernel, bias, step=1):
    taps = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2], axis=1)[:, ::step]
    return np.einsum("itk,oik->ot", taps, kernel) + bias[:, None]


def lstm_direction(x, w_ih, w_hh, b_ih, b_hh):
    hidden = cell = np.zeros(w_hh.shape[1])
    out = []
    for frame in x:
        i, f, g, o = np.split(w_ih @ frame + w_hh @ hidden + b_ih + b_hh, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        out.append(hidden)
    return np.array(out)


def pyannet(weights, samples):
    leaky = lambda x: np.where(x > 0, x, 0.01 * x)  # noqa: E731
    x = instance_norm(samples[None, :], weights["sincnet.wav_norm1d.weight"], weights["sincnet.wav_norm1d.bias"])
    for index in range(3):
        if index == 0:
            filters = ideal_filters(weights)
            x = np.abs(convolve(x, filters[:, None, :], np.zeros(len(filters)), step=10))
        else:
            x = convolve(x, weights[f"sincnet.conv1d.{index}.weight"], weights[f"sincnet.conv1d.{index}.bias"])
        x = x[:, : x.shape[1] // 3 * 3].reshape(len(x), -1, 3).max(2)
        x = leaky(instance_norm(x, weights[f"sincnet.norm1d.{index}.weight"], weights[f"sincnet.norm1d.{index}.bias"]))
    x = x.T
    for index in range(2):
        names = [f"lstm.{part}_l{index}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        forward = lstm_direction(x, *(weights[name] for name in names))
        backward = lstm_direction(x[::-1], *(weights[f"{name}_reverse"] for name in names))[::-1]
        x = np.concatenate([forward, backward], axis=1)
    x = leaky(x @ weights["linear.0.weight"].T + weights["linear.0.bias"])
    x = x @ weights["classifier.weight"].T + weights["classifier.bias"]
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def ideal_filters(weights):
    """Band-pass filters from the formula of the paper, tap by tap."""
    bank = "sincnet.conv1d.0.filterbank"
    low = 50 + np.abs(weights[f"{bank}.low_hz_"][:, 0].astype(float))
    high = np.clip(low + 50 + np.abs(weights[f"{bank}.band_hz_"][:, 0]), 50, 8000)
    seconds = np.arange(-125, 126) / 16_000
    window = np.concatenate([np.hamming(251)[:125], [1], np.hamming(251)[:125][::-1]])
    even, odd = [], []
    for bottom, top in zip(low, high, strict=True):
        cosine = 2 * top * np.sinc(2 * top * seconds) - 2 * bottom * np.sinc(2 * bottom * seconds)
        phase = 2 * np.pi * seconds
        sine = np.divide(
            np.cos(bottom * phase) - np.cos(top * phase), phase / 2, out=np.zeros_like(phase), where=phase != 0
        )
        even.append(cosine * window / (2 * (top - bottom)))
        odd.append(sine * window / (2 * (top - bottom)))
    return np.array(even + odd)


def test_sinc_filters_are_those_of_the_formula(rng):
    weights = pyannet_weights(rng)
    made = sinc_filters(weights, "sincnet.conv1d.0.filterbank")
    assert made.shape == (8, 1, 251)
    np.testing.assert_allclose(made[:, 0], ideal_filters(weights), atol=2e-4)


def test_segmentation_is_pyannet(rng):
    weights = pyannet_weights(rng)
    samples = rng.normal(0, 0.3, (2, 1, 8_000)).astype(np.float32)
    made = run(segmentation_graph({f"state_dict.{name}": array for name, array in weights.items()}), samples)
    expected = np.stack([pyannet(weights, one[0].astype(float)) for one in samples])
    assert made.shape == expected.shape
    np.testing.assert_allclose(made, expected, atol=0.05)  # the LSTM multiplies in 8 bits


def test_a_quantized_matrix_is_off_by_half_a_step_at_most(rng):
    matrices = rng.normal(0, 0.4, (2, 12, 5)).astype(np.float32)
    matrices[1, 3] = 0
    values, scales = quantize(matrices)
    assert (values.dtype, scales.shape) == (np.int8, (2, 12))
    np.testing.assert_allclose(values * scales[..., None], matrices, atol=scales.max() * 0.501)


# --- CAM++


def campplus_weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A slim network of the right shape: 4 channels in the head, 3 new ones a dense layer, embedding of 5."""
    weights: dict[str, np.ndarray] = {}

    def conv(name, *shape, bias=False):
        weights[f"{name}.weight"] = (rng.normal(0, 1, shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        if bias:
            weights[f"{name}.bias"] = rng.normal(0, 0.1, shape[0]).astype(np.float32)

    def norm(name, channels, affine=True):
        weights[f"{name}.running_mean"] = rng.normal(0, 0.2, channels).astype(np.float32)
        weights[f"{name}.running_var"] = rng.uniform(0.5, 2, channels).astype(np.float32)
        if affine:
            weights[f"{name}.weight"] = rng.uniform(0.5, 1.5, channels).astype(np.float32)
            weights[f"{name}.bias"] = rng.normal(0, 0.2, channels).astype(np.float32)

    conv("head.conv1", 4, 1, 3, 3)
    norm("head.bn1", 4)
    for layer in ("head.layer1", "head.layer2"):
        for block in "01":
            for part in "12":
                conv(f"{layer}.{block}.conv{part}", 4, 4, 3, 3)
                norm(f"{layer}.{block}.bn{part}", 4)
        conv(f"{layer}.0.shortcut.0", 4, 4, 1, 1)
        norm(f"{layer}.0.shortcut.1", 4)
    conv("head.conv2", 4, 4, 3, 3)
    norm("head.bn2", 4)
    conv("xvector.tdnn.linear", 8, 40, 5)
    norm("xvector.tdnn.nonlinear.batchnorm", 8)
    channels = 8
    for block, layers in enumerate((12, 24, 16), 1):
        for layer in range(1, layers + 1):
            name = f"xvector.block{block}.tdnnd{layer}"
            norm(f"{name}.nonlinear1.batchnorm", channels)
            conv(f"{name}.linear1", 6, channels, 1)
            norm(f"{name}.nonlinear2.batchnorm", 6)
            conv(f"{name}.cam_layer.linear_local", 3, 6, 3)
            conv(f"{name}.cam_layer.linear1", 3, 6, 1, bias=True)
            conv(f"{name}.cam_layer.linear2", 3, 3, 1, bias=True)
            channels += 3
        norm(f"xvector.transit{block}.nonlinear.batchnorm", channels)
        conv(f"xvector.transit{block}.linear", channels // 2, channels, 1)
        channels //= 2
    norm("xvector.out_nonlinear.batchnorm", channels)
    conv("xvector.dense.linear", 5, 2 * channels, 1)
    norm("xvector.dense.nonlinear.batchnorm", 5, affine=False)
    return weights


class Campplus:
    """CAM++ for one recording, layer by layer as the paper draws it."""

    def __init__(self, weights):
        self.w = {name: array.astype(float) for name, array in weights.items()}

    def norm(self, x, name):
        shape = (-1,) + (1,) * (x.ndim - 1)
        y = (x - self.w[f"{name}.running_mean"].reshape(shape)) / np.sqrt(
            self.w[f"{name}.running_var"].reshape(shape) + 1e-5
        )
        if f"{name}.weight" in self.w:
            y = y * self.w[f"{name}.weight"].reshape(shape) + self.w[f"{name}.bias"].reshape(shape)
        return y

    def conv2(self, x, name, step=1):
        kernel = self.w[f"{name}.weight"]
        pad = kernel.shape[2] // 2
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        taps = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], axis=(1, 2))[:, ::step]
        return np.einsum("cftij,ocij->oft", taps, kernel)

    def conv1(self, x, name, step=1, dilation=1):
        kernel = self.w[f"{name}.weight"]
        reach = dilation * (kernel.shape[2] - 1)
        x = np.pad(x, ((0, 0), (reach // 2, reach // 2)))
        frames = range(0, x.shape[1] - reach, step)
        y = np.stack([np.einsum("ck,ock->o", x[:, t : t + reach + 1 : dilation], kernel) for t in frames], axis=1)
        return y + self.w[f"{name}.bias"][:, None] if f"{name}.bias" in self.w else y

    def __call__(self, feats, parts):
        relu = lambda x: np.maximum(x, 0)  # noqa: E731
        x = relu(self.norm(self.conv2(feats.T[None].astype(float), "head.conv1"), "head.bn1"))
        for layer in ("head.layer1", "head.layer2"):
            for block, step in (("0", 2), ("1", 1)):
                name = f"{layer}.{block}"
                y = relu(self.norm(self.conv2(x, f"{name}.conv1", step), f"{name}.bn1"))
                y = self.norm(self.conv2(y, f"{name}.conv2"), f"{name}.bn2")
                short = self.norm(self.conv2(x, f"{name}.shortcut.0", 2), f"{name}.shortcut.1") if step == 2 else x
                x = relu(y + short)
        x = relu(self.norm(self.conv2(x, "head.conv2", 2), "head.bn2"))
        x = x.reshape(-1, x.shape[2])
        x = relu(self.norm(self.conv1(x, "xvector.tdnn.linear", step=2), "xvector.tdnn.nonlinear.batchnorm"))
        for block, (layers, dilation) in enumerate(((12, 1), (24, 2), (16, 2)), 1):
            for layer in range(1, layers + 1):
                x = np.concatenate([x, self.dense(x, f"xvector.block{block}.tdnnd{layer}", dilation)])
            x = self.conv1(
                relu(self.norm(x, f"xvector.transit{block}.nonlinear.batchnorm")), f"xvector.transit{block}.linear"
            )
        x = relu(self.norm(x, "xvector.out_nonlinear.batchnorm"))
        return np.stack([self.pool(x[:, part[::2] > 0]) for part in parts])

    def pool(self, x):
        pooled = np.concatenate([x.mean(1), x.std(1, ddof=1)])[:, None]
        return self.norm(self.conv1(pooled, "xvector.dense.linear"), "xvector.dense.nonlinear.batchnorm")[:, 0]

    def dense(self, x, name, dilation):
        h = self.conv1(np.maximum(self.norm(x, f"{name}.nonlinear1.batchnorm"), 0), f"{name}.linear1")
        h = np.maximum(self.norm(h, f"{name}.nonlinear2.batchnorm"), 0)
        y = self.conv1(h, f"{name}.cam_layer.linear_local", dilation=dilation)
        context = np.empty_like(h)
        for start in range(0, h.shape[1], 100):
            context[:, start : start + 100] = h[:, start : start + 100].mean(1, keepdims=True)
        context += h.mean(1, keepdims=True)
        gate = np.maximum(self.conv1(context, f"{name}.cam_layer.linear1"), 0)
        return y * sigmoid(self.conv1(gate, f"{name}.cam_layer.linear2"))


@pytest.mark.parametrize("frames", [20, 201, 430])  # less than a context segment, one and a bit, several
def test_campplus_is_the_network_of_the_paper(rng, frames):
    weights = campplus_weights(rng)
    feats = rng.normal(0, 1, (1, frames, 80)).astype(np.float32)
    everything, some = np.ones(frames, np.float32), (rng.random(frames) < 0.5).astype(np.float32)
    made = run(campplus_graph(weights), feats, np.stack([everything, some]))
    np.testing.assert_allclose(made, Campplus(weights)(feats[0], [everything, some]), atol=1e-4)


def test_a_part_of_one_frame_has_no_deviation(rng):
    one_frame = np.zeros((1, 60), np.float32)
    one_frame[0, 30] = 1
    made = run(campplus_graph(campplus_weights(rng)), rng.normal(0, 1, (1, 60, 80)).astype(np.float32), one_frame)
    assert np.isfinite(made).all()


# --- files


@pytest.fixture
def checkpoint(forge, forged_of, tmp_path, rng) -> Path:
    path = tmp_path / "seg.bin"
    path.write_bytes(forge.archive({name: forged_of.of(array) for name, array in pyannet_weights(rng).items()}))
    return path


def test_the_same_checkpoint_gives_the_same_file(checkpoint, tmp_path):
    convert("segmentation", checkpoint, tmp_path / "one.onnx")
    convert("segmentation", checkpoint, tmp_path / "two.onnx")
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_another_network_is_refused(checkpoint, tmp_path):
    with pytest.raises(ModelCorrupt, match="no campplus checkpoint"):
        convert("campplus", checkpoint, tmp_path / "x.onnx")


@pytest.mark.models
def test_real_segmentation_hears_nobody_in_silence(models_dir):
    silence = np.zeros((1, 1, 160_000), np.float32)
    scores = run(str(models_dir / "segmentation-3.0-int8" / "segmentation.onnx"), silence)
    assert scores.shape == (1, 589, 7)
    np.testing.assert_allclose(np.exp(scores).sum(-1), 1, atol=1e-4)
    assert set(scores.argmax(-1).ravel().tolist()) == {0}


@pytest.mark.models
def test_real_campplus_gives_each_part_192_numbers(models_dir, rng):
    path = str(models_dir / "campplus-pooled" / "campplus.onnx")
    feats = rng.normal(0, 1, (1, 150, 80)).astype(np.float32)
    parts = np.repeat(np.eye(2, dtype=np.float32), 75, axis=1)
    made = run(path, feats, parts)
    assert made.shape == (2, 192)
    np.testing.assert_allclose(made[1:], run(path, feats, parts[1:]), atol=1e-4)
