"""Whisper's encoder as an ONNX graph: the same states as the engine's own, from the same file."""

from __future__ import annotations

import ctranslate2
import numpy as np
import onnx
import pytest

from wortlaut.errors import ModelCorrupt
from wortlaut.models.ctranslate2_file import WeightsFile
from wortlaut.models.whisper_encoder_graph import quantized, whisper_encoder_graph
from wortlaut.onnx_session import multiplies_exactly
from wortlaut.recognition.encoder import OnnxEncoder
from wortlaut.recognition.features import log_mel_in_context


@pytest.fixture
def graph(small_encoder):
    return whisper_encoder_graph(small_encoder).SerializeToString()


def test_codes_times_scales_are_the_weights():
    weight = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0], [1e-3, 0.0, -1e-3]], np.float32)
    codes, scales = quantized(weight)
    np.testing.assert_allclose(codes * scales[:, None], weight, atol=2.0 / 254)
    assert np.abs(codes).max() == 127


def test_the_graph_is_valid_and_takes_any_length(graph):
    onnx.checker.check_model(onnx.load_model_from_string(graph), full_check=True)
    encoder = OnnxEncoder(graph)
    for frames in (2, 10, 40):
        states = np.asarray(encoder.encode(np.ones((1, 4, frames), np.float32)))
        assert states.shape == (1, frames // 2, 8)
        assert np.isfinite(states).all()


def test_silence_is_no_division_by_zero(graph):
    assert np.isfinite(np.asarray(OnnxEncoder(graph).encode(np.zeros((1, 4, 40), np.float32)))).all()


def test_features_that_do_not_fit_are_an_error_of_ours(graph):
    with pytest.raises(ModelCorrupt):
        OnnxEncoder(graph).encode(np.zeros((1, 5, 40), np.float32))


def test_what_is_no_graph_is_an_error_of_ours():
    with pytest.raises(ModelCorrupt):
        OnnxEncoder(b"no graph")


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

    weights = WeightsFile.open(folder / "model.bin").read("encoder/")
    encoder = whisper_encoder_graph(weights).SerializeToString()
    true = by_engine("float32")
    found = np.asarray(OnnxEncoder(encoder).encode(features))

    def error(states):
        return np.abs(states - true).mean()

    assert error(found) < 1.3 * error(by_engine("int8"))


def test_a_missing_variable_is_named():
    with pytest.raises(KeyError, match="conv1"):
        whisper_encoder_graph({})
