from __future__ import annotations

from pathlib import Path

import pytest

from wortlaut.diarization.pyannote.files import HUB_PIPELINES, PLDA, files_in, read_config
from wortlaut.errors import CheckpointRefused, ModelCorrupt, ModelMissing

CONFIG = """
pipeline:
  name: {name}
  params:
    clustering: AgglomerativeClustering
    embedding: {embedding}
    segmentation: {segmentation}
    segmentation_batch_size: 32
    token: hf_somebody_left_this_here
params:
  clustering: {{threshold: 0.7}}
"""


def write_config(folder: Path, **values: str) -> Path:
    defaults = {"name": "pyannote.audio.pipelines.SpeakerDiarization", "segmentation": "a/b", "embedding": "c/d"}
    file = folder / "config.yaml"
    file.write_text(CONFIG.format(**(defaults | values)))
    return file


def write_weights(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"weights")


class TestConfig:
    def test_plain_parameters_only(self, tmp_path):
        config = read_config(write_config(tmp_path))
        assert config.parameters == {"clustering": "AgglomerativeClustering", "segmentation_batch_size": 32}
        assert config.hyperparameters == {"clustering": {"threshold": 0.7}}

    @pytest.mark.parametrize("name", ["subprocess.Popen", "os.system", "pyannote.audio.pipelines.SpeakerDiarizationX"])
    def test_names_other_code(self, tmp_path, name):
        with pytest.raises(CheckpointRefused, match=name.replace(".", r"\.")):
            read_config(write_config(tmp_path, name=name))

    def test_preprocessors_are_code_too(self, tmp_path):
        file = write_config(tmp_path)
        file.write_text(file.read_text() + "preprocessors: {audio: {name: os.system, params: {command: id}}}\n")
        with pytest.raises(CheckpointRefused):
            read_config(file)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "just text",
            "[1, 2]",
            "pipeline: SpeakerDiarization",
            "a: [",
            "!!python/object/apply:os.system [id]",
            "\x00",
        ],
    )
    def test_damaged(self, tmp_path, text):
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(ModelCorrupt):
            read_config(tmp_path / "config.yaml")

    def test_missing(self, tmp_path):
        with pytest.raises(ModelMissing):
            read_config(tmp_path / "config.yaml")


class TestFolder:
    def test_beside_the_config(self, tmp_path):
        config = write_config(tmp_path)
        write_weights(tmp_path / "segmentation/pytorch_model.bin", tmp_path / "embedding/pytorch_model.bin")
        files = files_in(tmp_path)
        assert files.config == config
        assert files.segmentation == tmp_path / "segmentation/pytorch_model.bin"
        assert files.embedding == tmp_path / "embedding/pytorch_model.bin"
        assert files.plda is None

    def test_where_the_config_says(self, tmp_path):
        write_config(tmp_path, segmentation="$model/first", embedding="models/voice.bin")
        write_weights(tmp_path / "first/pytorch_model.bin", tmp_path / "models/voice.bin")
        write_weights(tmp_path / "segmentation/pytorch_model.bin")  # a decoy
        files = files_in(tmp_path)
        assert files.segmentation == tmp_path / "first/pytorch_model.bin"
        assert files.embedding == tmp_path / "models/voice.bin"

    def test_absolute(self, tmp_path):
        write_weights(tmp_path / "elsewhere/seg.bin", tmp_path / "elsewhere/emb.bin")
        folder = tmp_path / "pipeline"
        folder.mkdir()
        elsewhere = tmp_path / "elsewhere"
        write_config(folder, segmentation=str(elsewhere / "seg.bin"), embedding=str(elsewhere / "emb.bin"))
        assert files_in(folder).embedding == elsewhere / "emb.bin"

    def test_plda_needs_both_files(self, tmp_path):
        write_config(tmp_path)
        write_weights(tmp_path / "segmentation/pytorch_model.bin", tmp_path / "embedding/pytorch_model.bin")
        write_weights(tmp_path / "plda" / PLDA[0])
        assert files_in(tmp_path).plda is None
        write_weights(tmp_path / "plda" / PLDA[1])
        assert files_in(tmp_path).plda == tmp_path / "plda"

    def test_names_what_is_missing(self, tmp_path):
        write_config(tmp_path)
        write_weights(tmp_path / "segmentation/pytorch_model.bin")
        with pytest.raises(ModelMissing, match="embedding"):
            files_in(tmp_path)


def test_pipelines_on_the_hub_name_their_gated_repositories():
    gated = {name: {file.repository for file in pipeline.gated} for name, pipeline in HUB_PIPELINES.items()}
    assert gated == {
        "pyannote/speaker-diarization-3.1": {"pyannote/speaker-diarization-3.1", "pyannote/segmentation-3.0"},
        "pyannote/speaker-diarization-community-1": {"pyannote/speaker-diarization-community-1"},
    }
