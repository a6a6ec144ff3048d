"""whisperX behind the seams, with a whisperX that is played. With the real one: test_whisperx_peer.py."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
import urllib.error
import wave
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.assembly import Transcriber
from wortlaut.audio import SpeechRegion, Window
from wortlaut.diarization.pyannote import token
from wortlaut.engines.whisperx.aligning import SKIPPED, WhisperxAligner, load_alignment_model, timed_words
from wortlaut.engines.whisperx.loading import import_whisperx, load_model, require_whisperx
from wortlaut.engines.whisperx.recognizing import WhisperxDetector, WhisperxPacker, WhisperxRecognizer
from wortlaut.errors import CheckpointRefused, ExtraMissing, InvalidOption, ModelError, ModelMissing, TokenMissing
from wortlaut.notice import ANNOUNCEMENTS, Notice
from wortlaut.options import Decoding, Options, Speakers
from wortlaut.safe_loading import WHISPERX_VAD
from wortlaut.settings import Settings
from wortlaut.testing import ScriptedAligner, silence
from wortlaut.transcript import Passage

REGIONS = [SpeechRegion(0.5, 1.5), SpeechRegion(2.0, 3.0)]


@pytest.fixture
def model(played):
    return load_model(Path("whisper-base"), decoding=Decoding(hotwords="Wortlaut"), task="transcribe")


def test_without_whisperx_it_is_said_how_to_get_it(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ExtraMissing) as raised:
        Transcriber(Settings()).transcribe("any.wav", Options(engine="whisperx"))
    assert "pip install 'wortlaut[whisperx]'" in raised.value.hint


def test_an_old_whisperx_is_refused(played, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "3.1.1")
    with pytest.raises(ExtraMissing, match=r"3\.1\.1"):
        require_whisperx()


def test_a_whisperx_that_cannot_be_imported_is_no_traceback(played, monkeypatch):
    monkeypatch.setitem(sys.modules, "whisperx", None)
    with pytest.raises(ExtraMissing, match="cannot be imported"):
        import_whisperx()


def test_its_log_stays_off_stdout(played):
    import_whisperx()
    assert logging.getLogger("whisperx").handlers  # else whisperX would make one that writes to stdout


def test_it_is_loaded_under_exactly_the_list_of_its_checkpoint(model, played, capsys):
    assert played.guards == [WHISPERX_VAD]
    assert played.loaded["is_guarded"]
    assert not played.is_guarded
    assert played.loaded["local_files_only"]
    assert played.loaded["compute_type"] == "float32"  # whisperX's own on a CPU
    assert played.loaded["asr_options"]["hotwords"] == "Wortlaut"
    assert capsys.readouterr().out == ""  # stdout is for the transcript


def test_a_refused_checkpoint_stays_refused(played, monkeypatch):
    def refuse(*_, **__):
        raise CheckpointRefused("it names posix.system")

    monkeypatch.setattr(sys.modules["whisperx"], "load_model", refuse)
    with pytest.raises(CheckpointRefused):
        load_model(Path("base"), decoding=Decoding(), task="transcribe")


def test_regions_lie_in_the_recording(model, played):
    played.regions = [(-0.1, 1.0), (2.0, 9.0), (9.5, 9.9)]
    assert WhisperxDetector(model).detect(silence(4.0)) == [SpeechRegion(0.0, 1.0), SpeechRegion(2.0, 4.0)]


@pytest.mark.parametrize("duration", [0.0, 3.0])
def test_nobody_speaks(model, played, duration):
    played.regions = []
    audio = silence(duration)
    assert WhisperxDetector(model).detect(audio) == []
    assert WhisperxPacker(model)(audio, []) == []


def test_windows_are_whisperxs(model):
    assert WhisperxPacker(model)(silence(4.0), REGIONS) == [Window(0.5, 3.0, tuple(REGIONS))]


def test_each_window_becomes_a_passage_and_the_first_says_what_is_to_be_said(model, played):
    windows = [Window(start, start + 1.0, (SpeechRegion(start, start + 1.0),)) for start in (1.0, 4.0, 7.0)]
    said = [Notice("code", "message")]
    recognizer = WhisperxRecognizer(model, batch_size=2, said=lambda language: said if language == "de" else [])
    passages = list(recognizer.recognize(silence(9.0), windows, language="de"))
    assert [(p.start, p.end, p.text, p.language) for p in passages] == [
        (window.start, window.end, " Good 2.", "de") for window in windows
    ]
    assert [p.notices for p in passages] == [tuple(said), (), ()]
    assert [asked["language"] for asked in played.transcribed] == ["de", "de"]
    assert [chunk["start"] for chunk in played.transcribed[0]["chunks"]] == [0.0, 3.0]  # from the start of the batch
    assert played.transcribed[0]["samples"] == 4 * 16_000


def test_texts_that_are_missing_are_an_error(model):
    windows = [Window(float(start), start + 1.0, ()) for start in range(12)]
    with pytest.raises(ModelError, match="12 windows with 9"):
        list(WhisperxRecognizer(model, batch_size=12).recognize(silence(13.0), windows, language="en"))


def test_a_failure_of_whisperx_is_one_of_ours(model, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("CUDA failed")

    monkeypatch.setattr(model.pipeline, "transcribe", fail)
    with pytest.raises(ModelError, match="CUDA failed"):
        list(WhisperxRecognizer(model).recognize(silence(3.0), [Window(0.0, 1.0, ())], language="en"))


def test_words_get_whisperxs_times_and_the_rest_is_marked(played):
    aligner = WhisperxAligner(lambda _: load_alignment_model("en", device="cpu"), ScriptedAligner, "cpu")
    passages = [Passage(5.0, 7.0, " Good 2", "en"), Passage(8.0, 9.0, "  ", "en")]
    words, none = aligner.align(silence(10.0), passages)
    assert [(w.text, w.source) for w in words] == [(" Good", "aligned"), (" 2", "interpolated")]
    assert words[0].start == pytest.approx(5.1)
    assert words[0].confidence == pytest.approx(0.9)
    assert none == []
    assert aligner.notices("en") == ()
    assert played.guards == [()]  # a network for alignment names no class


def test_what_only_shows_in_use_counts_as_missing_too(played, monkeypatch):
    def without_data(*_):
        raise LookupError("Resource punkt_tab not found")

    monkeypatch.setattr(sys.modules["whisperx"], "align", without_data)
    with pytest.raises(ModelMissing, match="punkt_tab"):
        load_alignment_model("en", device="cpu")


def test_what_whisperx_may_fetch_is_said(played, caplog):
    caplog.set_level(logging.INFO, logger=ANNOUNCEMENTS)
    load_alignment_model("en", device="cpu")
    (record,) = [record for record in caplog.records if record.name == ANNOUNCEMENTS]
    assert "word times in en" in record.getMessage()
    assert "0.4 to 1.3 GB" in record.getMessage()


def test_offline_nothing_is_asked_of_the_network(played, caplog):
    caplog.set_level(logging.INFO, logger=ANNOUNCEMENTS)
    with pytest.raises(ModelMissing, match="network is not to be used"):
        load_alignment_model("en", device="cpu", is_offline=True)
    assert not [record for record in caplog.records if record.name == ANNOUNCEMENTS]
    load_alignment_model("nl", device="cpu", is_offline=True)  # from the hub's cache, which whisperX can be told


def test_another_aligner_takes_over_and_it_is_said(played):
    played.aligner_error = urllib.error.URLError("no such host")
    aligner = WhisperxAligner(lambda _: load_alignment_model("en", device="cpu"), ScriptedAligner, "cpu")
    (notice,) = aligner.notices("en")
    assert notice.code == SKIPPED
    assert "no such host" in notice.message
    (words,) = aligner.align(silence(3.0), [Passage(0.0, 2.0, "two words", "en")])
    assert [word.text for word in words] == ["two", " words"]


@given(
    st.text(max_size=40),
    st.lists(
        st.fixed_dictionaries(
            {"word": st.text("ab ", max_size=4)},
            optional={"start": st.floats(-1, 40), "end": st.floats(-1, 40), "score": st.floats(-2, 2)},
        ),
        max_size=5,
    ),
    st.booleans(),
)
def test_whatever_whisperx_finds_words_keep_the_text_and_are_in_order(text, found, is_same_text):
    if is_same_text:
        text = " ".join(each["word"] for each in found)
    words = timed_words(Passage(1.0, 4.0, text, "en"), found)
    assert "".join(word.text for word in words).split() == text.split()
    assert all(1.0 <= word.start < word.end <= 4.0 for word in words)
    assert all(one.end <= other.start for one, other in pairwise(words))
    assert all(word.confidence is None or 0 <= word.confidence <= 1 for word in words)


def test_chinese_is_cut_by_letters():
    found = [{"word": letter, "start": 0.1 * n, "end": 0.1 * n + 0.1} for n, letter in enumerate("你好吗")]
    words = timed_words(Passage(0.0, 1.0, "你好吗", "zh"), found)
    assert [word.source for word in words] == ["aligned"] * 3


def test_there_are_two_engines():
    with pytest.raises(InvalidOption, match="espresso"):
        Options(engine="espresso")


@pytest.fixture
def recording(tmp_path) -> Path:
    path = tmp_path / "recording.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16_000 * 4))
    for name in ("model.bin", "config.json"):
        (tmp_path / name).write_text("{}")
    return path


def transcribed(recording, tmp_path, **asked):
    options = Options(model=str(tmp_path), engine="whisperx", words=False, **asked)
    with Transcriber(Settings(models_dir=tmp_path / "models", offline=True)) as transcriber:
        return transcriber.transcribe(recording, options)


def test_the_way_through_gives_the_same_transcript(played, recording, tmp_path, monkeypatch):
    monkeypatch.setattr(token, "find_token", lambda *_: None)
    played.texts = [" Good morning."]
    transcript = transcribed(recording, tmp_path, languages=("en", "de"))
    assert transcript.text == "Good morning."
    assert transcript.language == "en"
    assert transcript.provenance.versions["whisperx"] == "3.8.6"
    assert transcript.provenance.options["engine"] == "whisperx"
    codes = [notice.code for notice in transcript.warnings]
    assert codes == ["whisperx-option-ignored", "whisperx-diarization-skipped"]


def test_nobody_asked_for_speakers_so_nothing_was_skipped(played, recording, tmp_path):
    assert transcribed(recording, tmp_path, speakers=None).warnings == ()


def test_what_whisperx_cannot_do_is_refused_before_it_is_loaded(played, recording, tmp_path):
    with pytest.raises(InvalidOption, match="fillers"):
        transcribed(recording, tmp_path, speakers=None, decoding=Decoding(verbatim=True))
    assert played.loaded == {}


def test_numbers_as_words_are_asked_of_whisperx_too(played, recording, tmp_path):
    transcribed(recording, tmp_path, speakers=None, numerals="words")
    assert played.loaded["asr_options"]["suppress_numerals"] is True


def test_a_ctc_network_takes_the_place_of_whisperxs_aligner(played, recording, tmp_path):
    """That it is looked for, and missing here, is enough to know that the option counts."""
    options = Options(model=str(tmp_path), engine="whisperx", aligner="ctc", language="en", speakers=None)
    with (
        Transcriber(Settings(models_dir=tmp_path / "models", offline=True)) as transcriber,
        pytest.raises((ModelMissing, ExtraMissing)),
    ):
        transcriber.transcribe(recording, options)


def test_a_pipeline_that_was_asked_for_is_not_skipped(played, recording, tmp_path):
    with pytest.raises((TokenMissing, ExtraMissing, ModelMissing)):
        transcribed(recording, tmp_path, speakers=Speakers(2, 2), diarizer="pyannote")
    assert played.loaded == {}  # said before whisperX is loaded
