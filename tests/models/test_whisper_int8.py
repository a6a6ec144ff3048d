"""A Whisper taken apart: what is kept gives the same as the engine's own rounding, and is used where that is right."""

from __future__ import annotations

import shutil

import ctranslate2
import numpy as np
import pytest

from wortlaut.models import whisper_int8
from wortlaut.models.ctranslate2_file import WeightsFile
from wortlaut.models.integrity import Manifest
from wortlaut.models.keeping import INT8_PARTS
from wortlaut.models.whisper_int8 import int8_parts
from wortlaut.onnx_session import multiplies_exactly
from wortlaut.recognition.encoder import OnnxEncoder
from wortlaut.recognition.model import WhisperModel

FEATURES = np.linspace(-1, 1, 4 * 40, dtype=np.float32).reshape(1, 4, 40)


@pytest.fixture
def exact(monkeypatch):
    """A processor that multiplies exactly."""
    monkeypatch.setattr(whisper_int8, "multiplies_exactly", lambda: True)


@pytest.fixture
def folder(tmp_path, stored, small_encoder):
    """A folder of the user's own."""
    (tmp_path / "model.bin").write_bytes(stored(small_encoder))
    return tmp_path


def put_on_record(folder):
    Manifest.of(folder, ["model.bin"], source="a test").write(folder)


def states(parts):
    return np.asarray(OnnxEncoder(parts.encoder).encode(FEATURES))


@pytest.mark.usefixtures("exact")
def test_in_a_folder_of_the_users_own_nothing_is_written(folder):
    parts = int8_parts(folder)
    assert parts is not None
    assert parts.weights is None
    assert [file.name for file in folder.iterdir()] == ["model.bin"]


@pytest.mark.usefixtures("exact")
def test_in_the_store_the_parts_are_kept_and_are_the_same(folder, monkeypatch):
    fresh = int8_parts(folder)
    put_on_record(folder)
    kept = int8_parts(folder)
    assert kept.weights == folder / INT8_PARTS / "model.bin"
    np.testing.assert_array_equal(states(kept), states(fresh))
    monkeypatch.setattr(whisper_int8, "_make", None)
    assert int8_parts(folder) == kept


@pytest.mark.usefixtures("exact")
def test_another_model_in_the_folder_is_taken_apart_again(folder, stored, small_encoder):
    put_on_record(folder)
    before = states(int8_parts(folder))
    bias = "encoder/layer_norm/beta"
    (folder / "model.bin").write_bytes(stored(small_encoder | {bias: small_encoder[bias] + np.float16(1)}))
    put_on_record(folder)
    np.testing.assert_allclose(states(int8_parts(folder)), before + 1, atol=2e-3)


@pytest.mark.usefixtures("exact")
def test_where_nothing_can_be_written_the_encoder_is_made_each_time(folder):
    put_on_record(folder)
    (folder / f"{INT8_PARTS}.lock").mkdir()  # no lock, no folder: also for root, whom no permission stops
    parts = int8_parts(folder)
    assert parts.weights is None
    assert states(parts).shape == (1, 20, 8)


def test_a_processor_that_overflows_uses_nothing_that_was_kept(folder, monkeypatch):
    put_on_record(folder)
    monkeypatch.setattr(whisper_int8, "multiplies_exactly", lambda: True)
    assert int8_parts(folder)
    monkeypatch.setattr(whisper_int8, "multiplies_exactly", lambda: False)
    assert int8_parts(folder) is None
    shutil.rmtree(folder / INT8_PARTS)
    assert int8_parts(folder) is None
    assert not (folder / INT8_PARTS).exists()


@pytest.mark.usefixtures("exact")
def test_the_engine_does_it_all_where_this_would_be_no_gain(folder, stored, small_encoder, monkeypatch):
    file = folder / "model.bin"
    with monkeypatch.context() as patched:
        patched.setattr(whisper_int8, "LARGEST_WEIGHTS", 100)
        assert int8_parts(folder) is None
    codes = np.ones((8, 8), np.int8)
    file.write_bytes(stored(small_encoder | {"encoder/layer_0/self_attention/linear_1/weight": codes}))
    assert int8_parts(folder) is None
    file.write_bytes(stored({name: one for name, one in small_encoder.items() if "num_heads" not in name}))
    put_on_record(folder)
    assert int8_parts(folder) is None
    assert not (folder / INT8_PARTS).exists()


@pytest.mark.usefixtures("exact")
def test_matrices_are_rounded_and_unused_layers_left_out(folder, stored, small_encoder):
    matrix = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]], np.float16)
    second = {name.replace("layer_0", "layer_1"): one for name, one in small_encoder.items() if "layer_0" in name}
    variables = small_encoder | second | {"decoder/linear/weight": matrix, "decoder/linear/bias": matrix[0]}
    (folder / "model.bin").write_bytes(stored(variables))
    put_on_record(folder)
    kept = WeightsFile.open(int8_parts(folder).weights).read()
    np.testing.assert_array_equal(kept["decoder/linear/weight"], [[64, -127, 32], [0, 0, 0]])
    np.testing.assert_array_equal(kept["decoder/linear/weight_scale"], [63.5, 1.0])
    np.testing.assert_array_equal(kept["decoder/linear/bias"], matrix[0])
    assert kept["encoder/conv1/weight"].dtype == np.float16
    assert {name for name in kept if name.startswith("encoder/layer_1/")} == set()
    assert "encoder/layer_norm/beta" in kept


@pytest.fixture
def tiny_en(models_dir, tmp_path):
    folder = tmp_path / "whisper-tiny.en"
    folder.mkdir()
    for file in (models_dir / "whisper-tiny.en").iterdir():
        if file.is_file():
            (folder / file.name).symlink_to(file)
    (folder / ".wortlaut.json").unlink(missing_ok=True)
    Manifest.of(folder, ["model.bin"], source="a test").write(folder)
    return folder


@pytest.mark.models
@pytest.mark.usefixtures("exact")
def test_the_kept_weights_are_the_numbers_that_the_engine_rounds_to(tiny_en):
    """The same text with the same score to the last bit, whatever it is told to have heard."""
    heard = np.random.default_rng(8).normal(0, 1, (1, 1500, 384)).astype(np.float32)

    def texts(model):
        found = model.engine.generate(
            ctranslate2.StorageView.from_array(heard),
            [[model.tokenizer.sot]],
            beam_size=5,
            num_hypotheses=5,
            max_length=40,
            return_scores=True,
        )
        return found[0].sequences_ids, found[0].scores

    whole = WhisperModel.load(tiny_en, workers=1, threads=1, device="cpu")
    apart = WhisperModel.load(tiny_en, workers=1, threads=1, device="cpu", take_apart=int8_parts)
    assert (whole.encoding_engine, apart.encoding_engine) == ("ctranslate2", "onnxruntime")
    assert texts(apart) == texts(whole)


@pytest.mark.models
def test_only_int8_on_a_cpu_is_taken_apart(models_dir):
    asked = []

    def take_apart(folder):
        asked.append(folder)
        return int8_parts(folder)

    folder = models_dir / "whisper-tiny.en"
    fast = WhisperModel.load(folder, workers=1, threads=1, device="cpu", take_apart=take_apart)
    assert (fast.encoding_engine, asked) == ("onnxruntime" if multiplies_exactly() else "ctranslate2", [folder])
    exact = WhisperModel.load(folder, workers=1, threads=1, device="cpu", compute_type="float32", take_apart=take_apart)
    assert (exact.encoding_engine, asked) == ("ctranslate2", [folder])
