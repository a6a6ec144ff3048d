"""The pyannote back end with real torch, real pyannote.audio and the two real checkpoints that crash people.

Run by `bench/matrix.py` in an environment for each supported combination. WORTLAUT_CHECKPOINTS names the folder with
segmentation-3.0.bin and whisperx-vad.bin. The embedding and PLDA weights of pyannote's pipelines are behind terms and
a token: here a WeSpeaker network and a PLDA with random numbers stand in, so these tests say that everything fits
together, and nothing about who is told apart from whom.
"""

from __future__ import annotations

import functools
import io
import os
import pickle
import socket
import sys
import threading
import warnings
import wave
from pathlib import Path

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.pyannote.diarizer import PyannoteDiarizer
from wortlaut.diarization.pyannote.files import PLDA, files_in
from wortlaut.diarization.pyannote.loading import choose_device, import_pyannote, load_model, load_pipeline
from wortlaut.errors import Cancelled, CheckpointRefused, DeviceUnavailable, ExtraMissing, ModelCorrupt, ModelMissing
from wortlaut.options import Speakers
from wortlaut.safe_loading import SAFE_GLOBALS, guarded_loading

pytestmark = [
    pytest.mark.torch,
    # What torch, lightning and pyannote warn about each other, by version, is not ours to keep clean.
    pytest.mark.filterwarnings("default"),
]

FILES = {"segmentation-3.0": "segmentation-3.0.bin", "whisperx-vad": "whisperx-vad.bin"}
EACH_GLOBAL = [(family, name) for family, names in SAFE_GLOBALS.items() for name in names]

CONFIG_3_1 = """
version: 3.1.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: AgglomerativeClustering
    embedding: pyannote/wespeaker-voxceleb-resnet34-LM
    embedding_batch_size: 2
    embedding_exclude_overlap: true
    segmentation: pyannote/segmentation-3.0
    segmentation_batch_size: 1
    segmentation_step: 0.5
params:
  clustering:
    method: centroid
    min_cluster_size: 12
    threshold: 0.7045654963945799
  segmentation:
    min_duration_off: 0.0
"""

CONFIG_COMMUNITY_1 = """
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_batch_size: 1
    segmentation_step: 0.5
    embedding: $model/embedding
    embedding_batch_size: 2
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering:
    threshold: 0.6
    Fa: 0.07
    Fb: 0.8
  segmentation:
    min_duration_off: 0.0
"""


@pytest.fixture(scope="module")
def torch():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_pyannote()
        import torch

        return torch


@pytest.fixture(scope="module")
def checkpoints(torch) -> Path:
    folder = Path(os.environ.get("WORTLAUT_CHECKPOINTS", "checkpoints"))
    if not all((folder / name).is_file() for name in FILES.values()):
        pytest.fail("The checkpoints are missing: run `python bench/matrix.py`.")
    return folder


@pytest.fixture(scope="module")
def sample() -> Audio:
    """Twelve seconds of the conversation on the telephone that pyannote.audio carries; two people speak from 1.7 on."""
    import pyannote.audio

    with wave.open(str(Path(pyannote.audio.__file__).parent / "sample" / "sample.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        file.setpos(5 * SAMPLE_RATE)
        pcm = np.frombuffer(file.readframes(12 * SAMPLE_RATE), np.int16)
    return Audio.from_array(pcm.astype(np.float32) / 32768)


@pytest.fixture(scope="module")
def embedding(torch, tmp_path_factory) -> Path:
    """A WeSpeaker ResNet34 with random weights, saved the way pyannote saves its models."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = WeSpeakerResNet34()
    file = tmp_path_factory.mktemp("embedding") / "pytorch_model.bin"
    specifications = Specifications(problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0)
    saved = {
        "pytorch-lightning_version": "2.1.0",
        "state_dict": model.state_dict(),
        "hparams_name": "kwargs",
        "hyper_parameters": dict(model.hparams),
        "pyannote.audio": {
            "versions": {"torch": torch.__version__, "pyannote.audio": "3.1.0"},  # a TorchVersion, as in the original
            "architecture": {"module": "pyannote.audio.models.embedding.wespeaker", "class": "WeSpeakerResNet34"},
            "specifications": specifications,
        },
    }
    torch.save(saved, file)
    return file


def save_plda(folder: Path) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    size = 256, 128
    np.savez(folder / PLDA[1], mean1=np.zeros(size[0]), mean2=np.zeros(size[1]), lda=rng.normal(size=size))
    np.savez(folder / PLDA[0], mu=np.zeros(size[1]), tr=np.eye(size[1]), psi=np.linspace(2.0, 0.1, size[1]))


def pipeline_folder(folder: Path, config: str, checkpoints: Path, embedding: Path, *, has_plda: bool) -> Path:
    (folder / "config.yaml").write_text(config)
    for role, file in {"segmentation": checkpoints / FILES["segmentation-3.0"], "embedding": embedding}.items():
        (folder / role).mkdir()
        (folder / role / "pytorch_model.bin").symlink_to(file)
    if has_plda:
        save_plda(folder / "plda")
    return folder


@pytest.fixture(scope="module", params=["3.1", "community-1"])
def diarizer(request, torch, checkpoints, embedding, tmp_path_factory) -> PyannoteDiarizer:
    import pyannote.audio

    is_community = request.param == "community-1"
    if is_community and pyannote.audio.__version__.startswith("3"):
        pytest.skip("community-1 needs pyannote.audio 4")
    folder = tmp_path_factory.mktemp("pipeline")
    config = CONFIG_COMMUNITY_1 if is_community else CONFIG_3_1
    pipeline_folder(folder, config, checkpoints, embedding, has_plda=is_community)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(socket.socket, "connect", refuse_to_connect)
        return PyannoteDiarizer(files_in(folder), device="cpu")


def refuse_to_connect(*_: object) -> None:
    raise AssertionError("the network was used")


class RunsCode:
    """What an attacker puts into a checkpoint: unpickling it makes the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


class TestRealCheckpoints:
    def test_segmentation_answers_for_three_speakers(self, torch, checkpoints):
        model = load_model(checkpoints / "segmentation-3.0.bin")
        with torch.inference_mode():
            answer = model(torch.zeros(1, 1, 10 * SAMPLE_RATE))
        assert tuple(answer.shape) == (1, 589, 7)  # frames; subsets of up to two of three speakers
        assert not model.training

    def test_voice_activity_detector_of_whisperx(self, torch, checkpoints):
        model = load_model(checkpoints / "whisperx-vad.bin", family="whisperx-vad")
        with torch.inference_mode():
            answer = model(torch.zeros(1, 1, 5 * SAMPLE_RATE))
        assert 0 <= float(answer.min()) <= float(answer.max()) < 0.5  # nobody speaks in silence

    def test_omegaconf_need_not_be_installed(self, torch, checkpoints, monkeypatch):
        monkeypatch.setitem(sys.modules, "omegaconf", None)
        for name in [name for name in sys.modules if name.startswith("omegaconf.")]:
            monkeypatch.delitem(sys.modules, name)
        assert load_model(checkpoints / "whisperx-vad.bin", family="whisperx-vad") is not None

    @pytest.mark.parametrize("file", FILES.values())
    def test_they_do_crash_without_us(self, torch, checkpoints, file):
        with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
            torch.load(checkpoints / file, map_location="cpu", weights_only=True)

    @pytest.mark.parametrize(("family", "name"), EACH_GLOBAL)
    def test_every_global_is_needed(self, torch, checkpoints, family, name):
        others = [other for other in SAFE_GLOBALS[family] if other != name]
        with guarded_loading(others), pytest.raises(CheckpointRefused) as refused:
            torch.load(checkpoints / FILES[family], map_location="cpu")
        assert f"{name.removeprefix('builtins.')}," in refused.value.message
        assert "wortlaut models inspect" in refused.value.hint

    def test_weights_are_those_of_the_unguarded_load(self, torch, checkpoints):
        file = checkpoints / "segmentation-3.0.bin"
        unguarded = torch.load(file, map_location="cpu", weights_only=False)["state_dict"]
        guarded = load_model(file).state_dict()
        assert all(torch.equal(guarded[name], unguarded[name]) for name in unguarded)


class TestAttacks:
    @pytest.fixture
    def attack(self, torch, tmp_path) -> Path:
        torch.save({"state_dict": {}, "extra": RunsCode(tmp_path / "executed")}, tmp_path / "attack.bin")
        return tmp_path / "attack.bin"

    def assert_refused(self, attack: Path) -> None:
        with pytest.raises(CheckpointRefused, match="mkdir") as refused:
            load_model(attack)
        assert str(attack) in refused.value.message
        assert f"`wortlaut models inspect {attack}`" in refused.value.hint
        assert not (attack.parent / "executed").exists()

    def test_the_attack_works_without_us(self, torch, attack):
        torch.load(attack, weights_only=False)
        assert (attack.parent / "executed").is_dir()

    def test_refused(self, attack):
        self.assert_refused(attack)

    def test_refused_whatever_the_environment_says(self, attack, monkeypatch):
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
        self.assert_refused(attack)

    def test_refused_though_somebody_patched_torch(self, torch, attack, monkeypatch):
        genuine = torch.load
        monkeypatch.setattr(torch, "load", lambda *a, **k: genuine(*a, **(k | {"weights_only": False})))
        self.assert_refused(attack)

    def test_hidden_in_the_old_format(self, torch, tmp_path):
        attack = tmp_path / "attack.bin"
        torch.save({"extra": RunsCode(tmp_path / "executed")}, attack, _use_new_zipfile_serialization=False)
        self.assert_refused(attack)

    def test_hidden_behind_lightning(self, torch, checkpoints, tmp_path):
        with guarded_loading(SAFE_GLOBALS["segmentation-3.0"]):
            checkpoint = torch.load(checkpoints / "segmentation-3.0.bin", map_location="cpu")
        checkpoint["hyper_parameters"]["_instantiator"] = "os.mkdir"
        torch.save(checkpoint, tmp_path / "attack.bin")
        with pytest.raises(CheckpointRefused, match=r"os\.mkdir"):
            load_model(tmp_path / "attack.bin")

    def test_hidden_in_the_architecture(self, torch, checkpoints, tmp_path):
        with guarded_loading(SAFE_GLOBALS["segmentation-3.0"]):
            checkpoint = torch.load(checkpoints / "segmentation-3.0.bin", map_location="cpu")
        checkpoint["pyannote.audio"]["architecture"]["module"] = "antigravity"
        torch.save(checkpoint, tmp_path / "attack.bin")
        with pytest.raises(CheckpointRefused, match="antigravity"):
            load_model(tmp_path / "attack.bin")
        assert "antigravity" not in sys.modules

    def test_a_script_is_no_checkpoint(self, torch, tmp_path):
        torch.jit.script(torch.nn.Linear(1, 1)).save(str(tmp_path / "script.bin"))
        with pytest.raises(ModelCorrupt):
            load_model(tmp_path / "script.bin")


class TestDamage:
    @pytest.fixture
    def folder(self, torch, checkpoints, embedding, tmp_path) -> Path:
        return pipeline_folder(tmp_path, CONFIG_3_1, checkpoints, embedding, has_plda=False)

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ("AgglomerativeClustering", "NoSuchClustering"),
            ("method: centroid", "no_such_parameter: 1"),
        ],
    )
    def test_config_that_does_not_fit(self, folder, right, wrong):
        config = folder / "config.yaml"
        config.write_text(config.read_text().replace(right, wrong))
        with pytest.raises(ModelCorrupt):
            load_pipeline(files_in(folder), device="cpu")

    def test_plda_with_a_pickle_inside(self, folder, tmp_path):
        import pyannote.audio

        if pyannote.audio.__version__.startswith("3"):
            pytest.skip("pyannote.audio 3 reads no PLDA")
        save_plda(folder / "plda")
        np.savez(folder / "plda" / PLDA[0], mu=np.array([RunsCode(tmp_path / "executed")]), tr=1, psi=1)
        with pytest.raises(ModelCorrupt):
            load_pipeline(files_in(folder), device="cpu")
        assert not (tmp_path / "executed").exists()

    def test_model_of_a_later_pyannote(self, torch, checkpoints, tmp_path):
        import pyannote.audio

        if pyannote.audio.__version__.startswith("3"):
            pytest.skip("pyannote.audio 3 does not check")
        with guarded_loading(SAFE_GLOBALS["segmentation-3.0"]):
            checkpoint = torch.load(checkpoints / "segmentation-3.0.bin", map_location="cpu")
        checkpoint["pyannote.audio"]["versions"]["pyannote.audio"] = "9.0.0"
        torch.save(checkpoint, tmp_path / "later.bin")
        with pytest.raises(ExtraMissing, match=r"9\.0\.0"):
            load_model(tmp_path / "later.bin")

    @pytest.mark.parametrize("kept_bytes", [0, 1, 1000, 1_000_000])
    def test_cut_short(self, torch, checkpoints, tmp_path, kept_bytes):
        (tmp_path / "cut.bin").write_bytes((checkpoints / "segmentation-3.0.bin").read_bytes()[:kept_bytes])
        with pytest.raises(ModelCorrupt):
            load_model(tmp_path / "cut.bin")

    @pytest.mark.parametrize(
        "content", [b"<html>not found</html>", b"\x80\x02", b"version https://git-lfs.github.com/spec/v1\n"]
    )
    def test_something_else(self, torch, tmp_path, content):
        (tmp_path / "other.bin").write_bytes(content)
        with pytest.raises(ModelCorrupt):
            load_model(tmp_path / "other.bin")

    def test_weights_without_a_model(self, torch, tmp_path):
        torch.save({"state_dict": {}}, tmp_path / "bare.bin")
        with pytest.raises(ModelCorrupt):
            load_model(tmp_path / "bare.bin")

    def test_missing(self, torch, tmp_path):
        with pytest.raises(ModelMissing):
            load_model(tmp_path / "nothing.bin")


class TestTheRestOfTheProcess:
    def test_everything_is_as_before(self, torch, checkpoints):
        load, registered = torch.load, set(torch.serialization.get_safe_globals())
        load_model(checkpoints / "segmentation-3.0.bin")
        assert torch.load is load
        assert set(torch.serialization.get_safe_globals()) == registered

    def test_also_after_a_failure(self, torch, tmp_path):
        load, registered = torch.load, set(torch.serialization.get_safe_globals())
        with pytest.raises(ModelMissing):
            load_model(tmp_path / "nothing.bin")
        assert torch.load is load
        assert set(torch.serialization.get_safe_globals()) == registered

    def test_what_others_registered_stays(self, torch, checkpoints):
        from pyannote.audio.core.task import Problem

        own = (Problem, "pyannote.audio.core.task.Problem")
        with torch.serialization.safe_globals([own]):
            load_model(checkpoints / "segmentation-3.0.bin")
            assert own in torch.serialization.get_safe_globals()

    def test_a_wrapper_put_around_us_stays_and_works(self, torch, checkpoints, monkeypatch):
        monkeypatch.setattr(torch, "load", torch.load)  # restored at the end
        with guarded_loading([]):
            inner = torch.load
            torch.load = wrapper = functools.partial(inner)
        assert torch.load is wrapper
        assert "state_dict" in torch.load(checkpoints / "segmentation-3.0.bin", map_location="cpu", weights_only=False)

    def test_other_threads_never_load_under_our_list(self, torch, checkpoints, monkeypatch):
        """While our load is under way, another thread tries the same file, which torch itself refuses."""
        file = checkpoints / "segmentation-3.0.bin"
        genuine, is_under_way, outcome = torch.serialization.load, threading.Event(), []

        def slow_load(*arguments, **options):
            is_under_way.set()
            other.join(0.5)
            return genuine(*arguments, **options)

        def load_elsewhere() -> None:
            is_under_way.wait(10)
            try:
                outcome.append(torch.load(file, map_location="cpu", weights_only=True))
            except pickle.UnpicklingError as error:
                outcome.append(error)

        monkeypatch.setattr(torch.serialization, "load", slow_load)
        other = threading.Thread(target=load_elsewhere)
        with guarded_loading(SAFE_GLOBALS["segmentation-3.0"]):
            other.start()
            torch.load(file, map_location="cpu")
            other.join(10)
        assert isinstance(outcome[0], pickle.UnpicklingError)

    def test_other_threads_keep_their_own_way_of_loading(self, torch, checkpoints):
        loaded = []

        def load_elsewhere() -> None:
            buffer = io.BytesIO((checkpoints / "segmentation-3.0.bin").read_bytes())
            loaded.append(torch.load(buffer, map_location="cpu", weights_only=False))

        with guarded_loading([]):
            other = threading.Thread(target=load_elsewhere)
            other.start()
            other.join(30)
        assert "state_dict" in loaded[0]

    def test_telemetry_is_off(self, torch, monkeypatch):
        monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "true")
        import_pyannote()
        assert os.environ["PYANNOTE_METRICS_ENABLED"] == "false"


class TestDiarizer:
    def test_keeps_the_contract(self, diarizer, sample):
        reached: list[float] = []
        diarization = diarizer.diarize(sample, speakers=Speakers(), advance=reached.append)
        assert diarization.turns
        assert list(diarization.turns) == sorted(diarization.turns, key=lambda turn: (turn.start, turn.end))
        assert all(0 <= turn.start < turn.end <= sample.duration for turn in diarization.turns)
        first_heard = list(dict.fromkeys(turn.speaker for turn in diarization.turns))
        assert first_heard == [f"SPEAKER_{number:02d}" for number in range(len(first_heard))]
        for one, next_one in zip(diarization.exclusive, diarization.exclusive[1:], strict=False):
            assert one.end <= next_one.start
        assert reached == sorted(reached)
        assert reached[-1] == sample.duration
        assert len(set(reached)) > 3

    def test_finds_the_speech(self, diarizer, sample):
        """segmentation-3.0 is real: somebody speaks for 9.8 of the 12 seconds, and not in the first 1.7."""
        turns = diarizer.diarize(sample, speakers=Speakers()).exclusive
        assert turns[0].start == pytest.approx(1.7, abs=0.3)
        assert sum(turn.end - turn.start for turn in turns) == pytest.approx(9.8, abs=0.7)

    def test_one_speaker(self, diarizer, sample):
        diarization = diarizer.diarize(sample, speakers=Speakers(1, 1))
        assert {turn.speaker for turn in diarization.turns} == {"SPEAKER_00"}
        assert not diarization.notices

    def test_twenty_speakers_are_not_to_be_had(self, diarizer, sample):
        diarization = diarizer.diarize(sample, speakers=Speakers(20, 20))
        found = len({turn.speaker for turn in diarization.turns})
        assert found == 20 or [notice.code for notice in diarization.notices] == ["speaker-count-not-met"]

    @pytest.mark.parametrize("seconds", [0, 0.01, 0.5, 12])
    def test_silence(self, diarizer, seconds):
        silence = Audio.from_array(np.zeros(round(seconds * SAMPLE_RATE), np.float32))
        assert diarizer.diarize(silence, speakers=Speakers()).turns == ()

    def test_samples_that_may_not_be_written(self, diarizer, sample):
        samples = sample.clip(5, 12).copy()
        samples.flags.writeable = False
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*not writable.*")
            assert diarizer.diarize(Audio.from_array(samples), speakers=Speakers()).turns

    def test_can_be_cancelled(self, diarizer, sample):
        def cancel(_: float) -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            diarizer.diarize(sample, speakers=Speakers(), advance=cancel)


@pytest.mark.parametrize("device", ["cuda:99", "toaster"])
def test_unknown_device(torch, device):
    if torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    with pytest.raises(DeviceUnavailable):
        choose_device(device)


def test_automatic_device_is_there(torch):
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
