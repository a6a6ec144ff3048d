"""CTC networks from folders: an ONNX export that is made here, and folders that are not what they should be."""

from __future__ import annotations

import json
import pickle

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from wortlaut.alignment.ctc import CtcAligner
from wortlaut.alignment.ctc_folder import describe
from wortlaut.alignment.ctc_networks import OnnxCtcNetwork
from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.errors import DownloadFailed, ExtraMissing, ModelCorrupt, ModelMissing, UnknownModel
from wortlaut.models.ctc import fetch_ctc_folder, load_ctc_model, read_weights
from wortlaut.models.hub import HubAccess
from wortlaut.models.store import ModelStore
from wortlaut.transcript import Passage

VOCABULARY = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "E": 5, "T": 6, "A": 7}


def write_folder(folder, *, config=None, vocabulary=VOCABULARY, normalizes=True):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0, "vocab_size": 8, **(config or {})}))
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": normalizes}))
    return folder


def write_onnx(folder, *, columns=8, stride=320):
    """Write a network of one convolution: (1, samples) -> (1, frames, columns)."""
    weight = np.random.default_rng(0).normal(0, 0.3, (columns, 1, 400)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["input_values", "axis"], ["wave"]),
            helper.make_node("Conv", ["wave", "weight"], ["features"], kernel_shape=[400], strides=[stride]),
            helper.make_node("Transpose", ["features"], ["logits"], perm=[0, 2, 1]),
        ],
        "ctc",
        [helper.make_tensor_value_info("input_values", TensorProto.FLOAT, ["batch", "samples"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "frames", columns])],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"),
        ],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "model.onnx"
    )
    return weight


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "network")


def test_the_description_is_wav2vecs_where_nothing_else_is_said(folder):
    described = describe(folder)
    assert (described.stride, described.field, described.normalizes) == (320, 400, True)
    assert described.vocabulary.columns == {"E": 5, "T": 6, "A": 7}
    assert (described.vocabulary.blank, described.vocabulary.separator, described.vocabulary.size) == (0, 4, 8)


def test_an_export_is_run_and_its_answers_are_log_probabilities(folder, rng):
    weight = write_onnx(folder)
    samples = rng.normal(3, 0.2, SAMPLE_RATE).astype(np.float32)
    found = load_ctc_model(folder).log_probs(samples)
    assert found.shape == (49, 8)
    assert np.exp(found).sum(axis=1) == pytest.approx(np.ones(49), abs=1e-4)
    normal = (samples - samples.mean()) / samples.std()
    logits = weight[:, 0] @ normal[320:720]
    assert found[1] == pytest.approx(logits - np.log(np.exp(logits).sum()), abs=1e-3)


def test_an_export_aligns(folder, rng):
    write_onnx(folder)
    network = load_ctc_model(folder)
    audio = Audio.from_array(rng.normal(0, 0.1, 3 * SAMPLE_RATE).astype(np.float32))
    [words] = CtcAligner(lambda _: network).align(audio, [Passage(0.0, 3.0, "Eat 3 tea.", "en")])
    assert [word.text for word in words] == ["Eat", " 3", " tea."]
    assert {word.source for word in words} == {"aligned"}


@pytest.mark.parametrize("wrong", [{"columns": 9}, {"stride": 160}])
def test_an_export_that_does_not_fit_to_its_description_is_refused(folder, wrong):
    write_onnx(folder, **wrong)
    with pytest.raises(ModelCorrupt):
        load_ctc_model(folder).log_probs(np.zeros(SAMPLE_RATE, np.float32))


def test_what_is_no_network_is_refused(folder):
    (folder / "model.onnx").write_bytes(b"no network")
    with pytest.raises(ModelCorrupt):
        OnnxCtcNetwork(folder / "model.onnx", describe(folder))


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b"}', "{"])
def test_a_damaged_vocabulary_is_refused(folder, content):
    (folder / "vocab.json").write_text(content)
    with pytest.raises(ModelCorrupt):
        describe(folder)


def test_a_folder_without_a_network_says_what_is_missing(folder, tmp_path):
    with pytest.raises(ModelMissing, match=r"model\.onnx"):
        load_ctc_model(folder)
    with pytest.raises(ModelMissing, match=r"config\.json"):
        load_ctc_model(tmp_path)


class Harm:
    def __reduce__(self):
        return (print, ("this was run",))


def test_a_checkpoint_that_would_run_something_is_refused_and_runs_nothing(folder, capfd):
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Harm()}))
    with pytest.raises(ModelCorrupt):
        read_weights(folder)
    assert "this was run" not in capfd.readouterr().out


def test_the_extra_is_named_where_it_is_missing(folder, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("wortlaut.models.ctc.read_weights", lambda _: {})
    monkeypatch.setattr("wortlaut.alignment.ctc_networks.importlib.import_module", missing)
    with pytest.raises(ExtraMissing, match="torch") as error:
        load_ctc_model(folder)
    assert "wortlaut[ctc]" in error.value.hint


class FakeStore(ModelStore):
    """A store whose hub has the checkpoint only, or nothing."""

    def __init__(self, root, *, has_checkpoint):
        super().__init__(root, hub=HubAccess("http://localhost:9", None, root, is_offline=False))
        object.__setattr__(self, "_has_checkpoint", has_checkpoint)

    def fetch_unlisted(self, entry, *, announces=True, listener=None):
        names = {file.name for file in entry.files}
        if "pytorch_model.bin" in names and self._has_checkpoint:
            return self.root / entry.folder
        raise DownloadFailed("no such file (HTTP 404)")


def test_the_checkpoint_is_taken_where_there_is_no_safetensors(tmp_path):
    fetched = fetch_ctc_folder(FakeStore(tmp_path, has_checkpoint=True), "somebody/network")
    assert fetched == tmp_path / "somebody--network.checkpoint"
    with pytest.raises(DownloadFailed):
        fetch_ctc_folder(FakeStore(tmp_path, has_checkpoint=False), "somebody/network")


def test_names_and_folders(tmp_path, folder):
    store = ModelStore(tmp_path / "store", is_offline=True)
    assert fetch_ctc_folder(store, str(folder)) == folder
    with pytest.raises(UnknownModel):
        fetch_ctc_folder(store, "no name")
    with pytest.raises(ModelMissing) as error:
        fetch_ctc_folder(store, "somebody/network")
    assert "pull" not in error.value.hint  # which is for models that recognize
