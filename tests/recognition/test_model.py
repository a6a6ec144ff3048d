"""The loaded model: encoding, remembering, alignment heads, and folders that are no models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from weakref import ref

import ctranslate2
import numpy as np
import pytest

from wortlaut.audio import Audio
from wortlaut.errors import InvalidOption, ModelCorrupt, ModelMissing
from wortlaut.options import Decoding
from wortlaut.recognition.features import log_mel_in_context
from wortlaut.recognition.model import EncodedWindow, EncodedWindows, WhisperModel, _put_together
from wortlaut.recognition.recognizer import WhisperRecognizer

from .conftest import window


def audio_of(seconds: float) -> Audio:
    time = np.arange(round(seconds * 16_000)) / 16_000
    return Audio.from_array((0.2 * np.sin(2 * np.pi * 300 * time * (1 + time))).astype(np.float32))


def names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def stored(value: float) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(np.full((1, 1, 1), value, np.float32))


def encoded(memory, audio, start, *, end=9.0, is_padded=True):
    return EncodedWindow(ref(audio, memory.forget), start, end, is_padded)


def test_the_oldest_output_gives_way():
    audio, memory = audio_of(1), EncodedWindows(capacity=2)
    for start in (0.0, 1.0):
        memory.remember(encoded(memory, audio, start), stored(start))
    assert memory.find(encoded(memory, audio, 0.0)) is not None
    memory.remember(encoded(memory, audio, 2.0), stored(2.0))
    assert memory.find(encoded(memory, audio, 1.0)) is None
    assert memory.find(encoded(memory, audio, 0.0)) is not None
    assert memory.find(encoded(memory, audio, 2.0)) is not None


def test_recordings_are_not_mixed_up_and_are_let_go_of():
    one, other, memory = audio_of(1), audio_of(1), EncodedWindows(capacity=9)
    memory.remember(encoded(memory, one, 0.0), stored(1.0))
    assert memory.find(encoded(memory, other, 0.0)) is None
    assert memory.find(encoded(memory, one, 0.0, is_padded=False)) is None
    memory.remember(encoded(memory, other, 0.0), stored(2.0))
    assert len(memory) == 2
    del one
    assert len(memory) == 1
    assert memory.find(encoded(memory, other, 0.0)) is not None


def test_two_recordings_at_once_do_not_push_each_other_out():
    one, other, memory = audio_of(1), audio_of(1), EncodedWindows(capacity=1)
    with memory.room(2), memory.room(1):
        for audio in (one, other):
            for start in (0.0, 1.0):
                memory.remember(encoded(memory, audio, start), stored(start))
        assert all(memory.find(encoded(memory, audio, start)) for audio in (one, other) for start in (0.0, 1.0))
    memory.remember(encoded(memory, other, 2.0), stored(2.0))
    assert len(memory) == 1


def test_room_is_given_back_after_an_error():
    memory = EncodedWindows(capacity=1)
    with pytest.raises(InvalidOption), memory.room(2):
        raise InvalidOption
    assert memory.capacity == 1


def test_a_folder_that_is_not_there_is_a_missing_model(tmp_path):
    with pytest.raises(ModelMissing):
        WhisperModel.load(tmp_path / "nowhere")


@pytest.mark.parametrize("present", [(), ("config.json",), ("model.bin",)])
def test_a_folder_without_the_files_is_a_broken_model(tmp_path, present):
    for name in present:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelCorrupt, match="missing"):
        WhisperModel.load(tmp_path)


@pytest.mark.parametrize("content", ["", "no json", "[1]"])
def test_a_config_that_is_no_config_is_a_broken_model(tmp_path, content):
    (tmp_path / "model.bin").write_bytes(b"")
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ModelCorrupt):
        WhisperModel.load(tmp_path, alignment_heads=[(0, 0)])


@pytest.fixture(scope="module")
def tiny_en(models_dir):
    return WhisperModel.load(models_dir / "whisper-tiny.en", workers=1, threads=1)


@pytest.mark.models
def test_a_model_knows_itself(tiny_en):
    assert (tiny_en.is_multilingual, tiny_en.n_mels) == (False, 80)
    assert (tiny_en.device, tiny_en.compute_type, tiny_en.workers) == ("cpu", "int8", 1)
    assert tiny_en.engine.compute_type.startswith("int8")
    assert tiny_en.engine.num_workers == 1


@pytest.mark.models
@pytest.mark.parametrize(("seconds", "states"), [(5.0, 250), (5.123, 257), (0.01, 1)])
def test_without_padding_there_are_fifty_states_a_second(tiny_en, seconds, states):
    assert tiny_en.encode(audio_of(6), 0.0, seconds, is_padded=False).shape == [1, states, 384]


@pytest.mark.models
def test_padded_output_is_that_of_the_engine_on_a_full_context(tiny_en):
    audio = audio_of(3)
    encoded = np.asarray(tiny_en.encode(audio, 1.0, 3.0))
    features = log_mel_in_context(audio.clip(1.0, 3.0), 80)[np.newaxis]
    expected = tiny_en.engine.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(features)))
    assert encoded.shape == (1, 1500, 384)
    np.testing.assert_array_equal(encoded, np.asarray(expected))


@pytest.mark.models
def test_a_window_is_encoded_once(tiny_en):
    audio = audio_of(2)
    first = tiny_en.encode(audio, 0.0, 2.0, is_padded=False)
    assert tiny_en.encode(audio, 0.0, 2.0, is_padded=False) is first
    same_sound = Audio(audio.samples)
    again = tiny_en.encode(same_sound, 0.0, 2.0, is_padded=False)
    assert again is not first
    np.testing.assert_array_equal(np.asarray(again), np.asarray(first))


@pytest.mark.models
def test_alignment_heads_can_be_chosen_for_a_folder_that_must_not_change(models_dir, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in (models_dir / "whisper-tiny.en").iterdir():
        (folder / file.name).symlink_to(file)
    folder.chmod(0o555)
    before = (folder / "config.json").read_bytes()
    audio = audio_of(3)

    def path_of(heads):
        model = WhisperModel.load(folder, workers=1, threads=1, alignment_heads=heads)
        encoded = model.encode(audio, 0.0, 3.0, is_padded=False)
        tokens = model.tokenizer.encode(" One two three four five six seven.")
        return model.engine.align(encoded, [model.tokenizer.sot], [tokens], 300)[0].alignments

    listed = [tuple(head) for head in json.loads(before)["alignment_heads"]]
    assert path_of(listed) == path_of(None)
    assert path_of([(0, 0)]) != path_of([(3, 5)])
    assert (folder / "config.json").read_bytes() == before
    assert names_in(folder) == names_in(models_dir / "whisper-tiny.en")
    folder.chmod(0o755)


def test_where_links_are_not_allowed_files_are_copied(monkeypatch, tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "config.json").write_text('{"alignment_heads": [[1, 1]], "lang_ids": [3]}')

    def refuse(*_args):
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with _put_together(tmp_path, [(2, 2)], None) as folder:
        assert (folder / "model.bin").read_bytes() == b"weights"
        assert json.loads((folder / "config.json").read_text()) == {"alignment_heads": [[2, 2]], "lang_ids": [3]}
    assert not folder.exists()


@pytest.mark.models
def test_a_truncated_model_is_a_broken_model(models_dir, tmp_path):
    source = models_dir / "whisper-tiny.en"
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(source / name, tmp_path / name)
    with (source / "model.bin").open("rb") as file:
        (tmp_path / "model.bin").write_bytes(file.read(1_000_000))
    with pytest.raises(ModelCorrupt):
        WhisperModel.load(tmp_path)


@pytest.mark.models
@pytest.mark.parametrize("content", [b"", b"not a model at all, but long enough to be read as one" * 10])
def test_random_bytes_are_a_broken_model(models_dir, tmp_path, content):
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(models_dir / "whisper-tiny.en" / name, tmp_path / name)
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(ModelCorrupt):
        WhisperModel.load(tmp_path)


@pytest.mark.models
def test_float16_on_a_cpu_is_refused_with_advice(models_dir):
    if "float16" in ctranslate2.get_supported_compute_types("cpu"):
        pytest.skip("this CPU computes in float16")
    with pytest.raises(InvalidOption) as raised:
        WhisperModel.load(models_dir / "whisper-tiny.en", compute_type="float16")
    assert "int8" in raised.value.hint


@pytest.mark.models
def test_the_same_text_twice_and_from_features_or_from_encoder_output(tiny_en):
    audio = audio_of(10)
    recognizer = WhisperRecognizer(tiny_en, decoding=Decoding(temperatures=(0.0,)), task="transcribe")
    [first] = recognizer.recognize(audio, [window(0)], language="en")
    [second] = recognizer.recognize(Audio(audio.samples), [window(0)], language="en")
    assert first == second
    tokenizer = tiny_en.tokenizer
    features = log_mel_in_context(audio.clip(0.0, 10.0), 80)[np.newaxis]
    [result] = tiny_en.engine.generate(
        ctranslate2.StorageView.from_array(np.ascontiguousarray(features)),
        [[tokenizer.sot, tokenizer.no_timestamps]],
        suppress_tokens=[-1],
        max_length=2 * 446,
    )
    spoken = tuple(token for token in result.sequences_ids[0] if token < tokenizer.eot)
    assert first.tokens in (spoken, ())
