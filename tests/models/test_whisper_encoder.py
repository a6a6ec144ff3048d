"""Whisper's encoder as an ONNX graph: the same states as the engine's own, from the same file."""

from __future__ import annotations

import struct

import ctranslate2
import numpy as np
import onnx
import pytest

from wortlaut.errors import ModelCorrupt
from wortlaut.models import whisper_encoder
from wortlaut.models.ctranslate2_file import read_weights
from wortlaut.models.whisper_encoder import encoder_graph, multiplies_exactly
from wortlaut.models.whisper_encoder_graph import quantized, whisper_encoder_graph
from wortlaut.recognition.encoder import OnnxEncoder
from wortlaut.recognition.features import log_mel_in_context
from wortlaut.recognition.model import WhisperModel

STORED_TYPES = {np.float32: 0, np.int8: 1, np.int16: 2, np.float16: 4}


def stored(variables, *, version=6):
    """Return a model.bin as CTranslate2 writes it."""

    def text(value):
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    content = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, array in variables.items():
        content += text(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        content += struct.pack("<BI", STORED_TYPES[array.dtype.type], array.nbytes) + array.tobytes()
    return content


def small_encoder(kind=np.float16):
    """Return the variables of an encoder with one layer, eight values a state and two heads."""
    random = np.random.default_rng(5)

    def some(*shape):
        return random.normal(0, 0.3, shape).astype(kind)

    layer, size = "layer_0", 8
    shapes = {
        "conv1/weight": (size, 4, 3),
        "conv1/bias": (size,),
        "conv2/weight": (size, size, 3),
        "conv2/bias": (size,),
        "position_encodings/encodings": (20, size),
        f"{layer}/self_attention/layer_norm/gamma": (size,),
        f"{layer}/self_attention/layer_norm/beta": (size,),
        f"{layer}/self_attention/linear_0/weight": (3 * size, size),
        f"{layer}/self_attention/linear_0/bias": (3 * size,),
        f"{layer}/self_attention/linear_1/weight": (size, size),
        f"{layer}/self_attention/linear_1/bias": (size,),
        f"{layer}/ffn/layer_norm/gamma": (size,),
        f"{layer}/ffn/layer_norm/beta": (size,),
        f"{layer}/ffn/linear_0/weight": (4 * size, size),
        f"{layer}/ffn/linear_0/bias": (4 * size,),
        f"{layer}/ffn/linear_1/weight": (size, 4 * size),
        f"{layer}/ffn/linear_1/bias": (size,),
        "layer_norm/gamma": (size,),
        "layer_norm/beta": (size,),
    }
    return {f"encoder/{name}": some(*shape) for name, shape in shapes.items()} | {
        "encoder/num_heads": np.array(2, np.int16)
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.bin").write_bytes(stored(small_encoder()))
    return tmp_path


def test_weights_are_read_as_they_are_stored(tmp_path):
    variables = small_encoder() | {"decoder/projection/weight": np.ones((2, 2), np.float32)}
    (tmp_path / "model.bin").write_bytes(stored(variables))
    read = read_weights(tmp_path / "model.bin", "encoder/")
    assert set(read) == set(small_encoder())
    for name, array in read.items():
        assert array.dtype == variables[name].dtype
        np.testing.assert_array_equal(array, variables[name])


@pytest.mark.parametrize("broken", [b"", b"\x06", stored(small_encoder())[:3000], stored({}, version=99), b"\xff" * 99])
def test_what_is_no_model_is_refused(tmp_path, broken):
    (tmp_path / "model.bin").write_bytes(broken)
    with pytest.raises(ModelCorrupt):
        read_weights(tmp_path / "model.bin", "encoder/")


def test_codes_times_scales_are_the_weights():
    weight = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0], [1e-3, 0.0, -1e-3]], np.float32)
    codes, scales = quantized(weight)
    np.testing.assert_allclose(codes * scales[:, None], weight, atol=2.0 / 254)
    assert np.abs(codes).max() == 127


def test_the_graph_is_valid_and_takes_any_length(folder):
    graph = encoder_graph(folder)
    onnx.checker.check_model(onnx.load_model_from_string(graph), full_check=True)
    encoder = OnnxEncoder(graph)
    for frames in (2, 10, 40):
        states = np.asarray(encoder.encode(np.ones((1, 4, frames), np.float32)))
        assert states.shape == (1, frames // 2, 8)
        assert np.isfinite(states).all()


def test_silence_is_no_division_by_zero(folder):
    assert np.isfinite(np.asarray(OnnxEncoder(encoder_graph(folder)).encode(np.zeros((1, 4, 40), np.float32)))).all()


def test_features_that_do_not_fit_are_an_error_of_ours(folder):
    with pytest.raises(ModelCorrupt):
        OnnxEncoder(encoder_graph(folder)).encode(np.zeros((1, 5, 40), np.float32))


def test_what_is_no_graph_is_an_error_of_ours():
    with pytest.raises(ModelCorrupt):
        OnnxEncoder(b"no graph")


def test_the_engine_encodes_where_this_would_be_no_gain(tmp_path, monkeypatch):
    file = tmp_path / "model.bin"
    file.write_bytes(stored(small_encoder()))
    assert encoder_graph(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(whisper_encoder, "multiplies_exactly", lambda: False)
        assert encoder_graph(tmp_path) is None
    with monkeypatch.context() as patched:
        patched.setattr(whisper_encoder, "LARGEST_WEIGHTS", 100)
        assert encoder_graph(tmp_path) is None
    codes = np.ones((8, 8), np.int8)
    file.write_bytes(stored(small_encoder() | {"encoder/layer_0/self_attention/linear_1/weight": codes}))
    assert encoder_graph(tmp_path) is None
    file.write_bytes(stored({name: one for name, one in small_encoder().items() if "num_heads" not in name}))
    assert encoder_graph(tmp_path) is None


@pytest.mark.models
def test_the_states_are_as_close_to_the_true_ones_as_the_engines(models_dir):
    if not multiplies_exactly():
        pytest.skip("this processor's int8 products overflow")
    folder = models_dir / "whisper-tiny.en"
    time = np.arange(5 * 16_000) / 16_000
    sound = (0.2 * np.sin(2 * np.pi * 300 * time * (1 + time))).astype(np.float32)
    features = np.ascontiguousarray(log_mel_in_context(sound, 80)[np.newaxis])

    def by_engine(compute_type):
        engine = ctranslate2.models.Whisper(str(folder), compute_type=compute_type, intra_threads=1)
        return np.asarray(engine.encode(ctranslate2.StorageView.from_array(features)))

    true = by_engine("float32")
    found = np.asarray(OnnxEncoder(encoder_graph(folder)).encode(features))

    def error(states):
        return np.abs(states - true).mean()

    assert error(found) < 1.3 * error(by_engine("int8"))


@pytest.mark.models
def test_a_loaded_model_says_what_encodes(models_dir):
    folder = models_dir / "whisper-tiny.en"
    asked = []

    def graph(of):
        asked.append(of)
        return encoder_graph(of)

    fast = WhisperModel.load(folder, workers=1, threads=1, device="cpu", encoder_graph=graph)
    assert (fast.encoding_engine, asked) == ("onnxruntime" if multiplies_exactly() else "ctranslate2", [folder])
    exact = WhisperModel.load(folder, workers=1, threads=1, device="cpu", compute_type="float32", encoder_graph=graph)
    assert (exact.encoding_engine, asked) == ("ctranslate2", [folder])


def test_a_missing_variable_is_named():
    with pytest.raises(KeyError, match="conv1"):
        whisper_encoder_graph({})
