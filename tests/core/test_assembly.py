"""Which implementations and models stand behind the seams, and that they work together on real speech."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest

import wortlaut
from wortlaut.assembly import UNIVERSAL_ALIGNER, Transcriber, open_store
from wortlaut.assembly.provenance import aligning_model, character_heads, models_for
from wortlaut.errors import (
    Cancelled,
    ExtraMissing,
    InvalidOption,
    MediaNotFound,
    ModelMissing,
    UnknownLanguage,
    UnknownModel,
)
from wortlaut.options import Decoding, Options, Speakers
from wortlaut.settings import Settings


@pytest.fixture(scope="module")
def transcriber(models_dir):
    with Transcriber(Settings(models_dir=models_dir, offline=True)) as one:
        yield one


def test_a_model_whose_heads_are_known_times_its_own_words():
    assert aligning_model(Options(model="base")) == "base"
    assert aligning_model(Options(model="tiny.en")) == "tiny.en"
    assert aligning_model(Options(model="large-v3")) == UNIVERSAL_ALIGNER


def test_a_folder_of_ones_own_is_timed_by_the_universal_aligner(tmp_path, monkeypatch):
    for name in ("model.bin", "config.json"):
        (tmp_path / name).touch()
    assert aligning_model(Options(model=str(tmp_path))) == UNIVERSAL_ALIGNER
    (tmp_path / "base").mkdir()
    monkeypatch.chdir(tmp_path)
    assert character_heads("base")  # a folder that happens to be called so is not meant


@pytest.mark.models
def test_the_path_of_a_known_model_times_words_as_its_name_does(models_dir, sample_conversation):
    folder = models_dir / "whisper-base"
    assert character_heads(str(folder)) == character_heads("base")
    with Transcriber(Settings(models_dir=models_dir, threads=1)) as transcriber:
        named, pointed_at = (
            transcriber.transcribe(sample_conversation, Options(model=model, speakers=None, language="en")).words
            for model in ("base", str(folder))
        )
    assert named == pointed_at


@pytest.mark.models
def test_a_copy_that_nobody_knows_is_timed_by_the_universal_aligner(models_dir, sample_conversation, tmp_path):
    """And not by the copy's own heads, though both are called base and may be loaded at once."""
    for file in (models_dir / "whisper-base").iterdir():
        if not file.name.startswith("."):
            (tmp_path / file.name).symlink_to(file)
    with Transcriber(Settings(models_dir=models_dir, threads=1)) as transcriber:
        copied, named = (
            transcriber.transcribe(sample_conversation, Options(model=model, speakers=None, language="en")).words
            for model in (str(tmp_path), "base")
        )
    assert [(word.text, round(word.start, 1)) for word in copied] == [
        (word.text, round(word.start, 1)) for word in named
    ]


def test_only_what_is_asked_for_is_fetched():
    assert set(models_for(Options(speakers=None, words=False))) == {"recognition", "detection", "segmentation"}
    assert set(models_for(Options())) == {"recognition", "detection", "alignment", "segmentation", "embedding"}


def test_offline_without_models_fails_at_once_and_says_what_would_help(tmp_path):
    with pytest.raises(ModelMissing) as raised:
        Transcriber(Settings(models_dir=tmp_path, offline=True)).transcribe("any.wav")
    assert "wortlaut models pull base silero-vad segmentation-3.0 campplus`" in raised.value.hint


def test_the_token_reaches_the_store_and_nobody_prints_it(tmp_path):
    settings = Settings(models_dir=tmp_path, hf_token="hf_secret")
    assert open_store(settings).hub.token == "hf_secret"
    assert "hf_secret" not in repr(settings)
    assert "hf_secret" not in repr(open_store(settings))


def test_unknown_names_are_refused_before_anything_is_loaded(transcriber):
    with pytest.raises(UnknownLanguage):
        transcriber.transcribe("any.wav", Options(language="klingon"))
    with pytest.raises(UnknownModel):
        transcriber.transcribe("any.wav", Options(model="enormous"))
    with pytest.raises(MediaNotFound):
        transcriber.transcribe("no such file.wav")


@pytest.mark.models
def test_pyannote_without_its_extra_is_said_before_anything_runs(transcriber, sample_conversation, monkeypatch):
    for module in ("yaml", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, module, None)
    heard = []
    with pytest.raises(ExtraMissing) as raised:
        transcriber.transcribe(sample_conversation, Options(diarizer="pyannote"), heard.append)
    assert "wortlaut[pyannote]" in raised.value.hint
    assert heard == []


@pytest.mark.models
def test_two_people_on_the_telephone(transcriber, sample_conversation):
    transcript = transcriber.transcribe(sample_conversation)
    assert transcript.language == "en"
    assert transcript.speakers == ("SPEAKER_00", "SPEAKER_01")
    assert "This is Diane in New Jersey." in transcript.text
    assert transcript.warnings == ()
    words = transcript.words
    assert all(0 <= word.start < word.end <= transcript.duration for word in words)
    assert all(before.end <= after.start + 1e-6 for before, after in pairwise(words))
    assert all(word.speaker for word in words)
    assert sum(word.source == "aligned" for word in words) >= 0.9 * len(words)
    assert len(transcript.provenance.models["recognition"]["model.bin"]) == 64
    assert transcript.provenance.devices["recognize"].startswith("cpu int8")


@pytest.mark.models
def test_speakers_and_word_times_can_be_left_out(transcriber, sample_conversation):
    transcript = transcriber.transcribe(sample_conversation, Options(speakers=None, words=False, language="English"))
    assert transcript.turns == ()
    assert {word.source for word in transcript.words} == {"interpolated"}
    assert {word.speaker for word in transcript.words} == {None}


@pytest.mark.models
def test_an_english_only_model_hotwords_and_an_exact_number_of_speakers(transcriber, sample_conversation):
    options = Options(model="tiny.en", speakers=Speakers(3, 3), decoding=Decoding(hotwords="Sheila, Diane"))
    transcript = transcriber.transcribe(sample_conversation, options)
    assert len(transcript.speakers) == 3
    assert "Sheila" in transcript.text


@pytest.mark.models
def test_work_can_be_stopped_and_the_next_call_is_none_the_worse(transcriber, sample_conversation):
    def stop(progress):
        if progress.stage == "recognize":
            raise Cancelled

    with pytest.raises(Cancelled):
        transcriber.transcribe(sample_conversation, Options(speakers=None), stop)
    assert transcriber.transcribe(sample_conversation, Options(speakers=None)).words


@pytest.mark.models
def test_known_text_gets_times_and_too_long_a_recording_is_refused(transcriber, sample_conversation, monkeypatch):
    words = transcriber.align(sample_conversation, "Hello. Hello. Oh, hello.", "en")
    assert [word.text.strip() for word in words] == ["Hello.", "Hello.", "Oh,", "hello."]
    monkeypatch.setattr("wortlaut.alignment.whisper.LONGEST_WINDOW", 20.0)
    with pytest.raises(InvalidOption, match="at most 20 s"):
        transcriber.align(sample_conversation, "Hello.", "en")


@pytest.mark.models
def test_the_one_function(sample_conversation, monkeypatch, models_dir):
    monkeypatch.setenv("WORTLAUT_MODELS_DIR", str(models_dir))
    heard = []
    transcript = wortlaut.transcribe(sample_conversation, speakers="1-2", language="en", listener=heard.append)
    assert len(transcript.speakers) <= 2
    assert {progress.stage for progress in heard} >= {"decode", "detect", "recognize", "diarize"}
