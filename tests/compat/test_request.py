"""What was typed, and what becomes of it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.compat.flags import FLAGS, read_arguments
from wortlaut.compat.request import read_listening, read_request, temperatures
from wortlaut.errors import InvalidOption
from wortlaut.options import Decoding, Options, Speakers
from wortlaut.settings import Settings
from wortlaut.speech.regions import Thresholds


def request(*arguments):
    return read_request(read_arguments(["talk.mp3", *arguments]))


def test_saying_nothing_is_whisperx_by_default():
    asked = request()
    assert asked.options == Options(model="small", speakers=None)
    assert asked.settings == {}
    assert (asked.media, asked.output_dir, asked.resolution) == ((Path("talk.mp3"),), Path(), "sentence")
    assert asked.formats == ("txt", "vtt", "srt", "tsv", "json", "aud")
    assert asked.listening == read_listening(30, None, None)
    assert (asked.notes, asked.log_level, asked.is_verbose, asked.shows_progress) == ((), "info", True, False)


def test_every_flag_of_decoding_arrives():
    decoding = request(
        *("--beam_size", "3", "--best_of", "2", "--patience", "1.5", "--length_penalty", "0.9"),
        *("--temperature", "0.1", "--temperature_increment_on_fallback", "0.4", "--suppress_tokens=-1,7"),
        *("--compression_ratio_threshold", "2.1", "--logprob_threshold", "None", "--no_speech_threshold", "0.5"),
        *("--initial_prompt", "Sie", "--hotwords", "Wortlaut", "--suppress_numerals"),
    ).options.decoding
    assert decoding == Decoding(
        beam_size=3,
        best_of=2,
        patience=1.5,
        length_penalty=0.9,
        temperatures=(0.1, 0.5, 0.9),
        compression_ratio_threshold=2.1,
        logprob_threshold=None,
        no_speech_threshold=0.5,
        suppress_tokens=(-1, 7),
        suppress_numerals=True,
        initial_prompt="Sie",
        hotwords="Wortlaut",
    )


def test_none_is_one_hypothesis():
    assert request("--beam_size", "None", "--best_of", "None").options.decoding == Decoding(beam_size=1, best_of=1)


def test_settings_are_what_was_said():
    asked = request(
        *("--model_dir", "here", "--model_cache_only", "True", "--device", "cuda:0", "--compute_type", "float32"),
        *("--threads", "3", "--batch_size", "8", "--hf_token", "hf_x"),
    )
    settings = Settings.model_validate(asked.settings)
    assert (settings.models_dir, settings.is_offline, settings.device) == (Path("here"), True, "cuda")
    assert (settings.compute_type, settings.threads, settings.batch_size) == ("float32", 3, 8)
    assert settings.hf_token.get_secret_value() == "hf_x"
    assert asked.notes == ()


@pytest.mark.parametrize(
    ("flags", "compute_type"),
    [
        (["--fp16", "False"], "float32"),
        (["--fp16", "False", "--compute_type", "int8"], "int8"),
        (["--fp16", "True"], None),
    ],
)
def test_no_fp16_is_float32(flags, compute_type):
    assert request(*flags).settings.get("compute_type") == compute_type


@pytest.mark.parametrize(
    ("flags", "language"),
    [
        (["--language", "Castilian"], "es"),
        (["--language", "Haitian Creole"], "ht"),
        (["--model", "tiny.en"], "en"),
        (["--model", "tiny.en", "--language", "de"], "en"),
        ([], None),
    ],
)
def test_language(flags, language):
    assert request(*flags).options.language == language


@pytest.mark.parametrize(
    ("flags", "speakers"),
    [
        ([], None),
        (["--diarize"], Speakers()),
        (["--diarize", "--min_speakers", "2"], Speakers(2, None)),
        (["--diarize", "--max_speakers", "3"], Speakers(1, 3)),
        (["--diarize", "--min_speakers", "2", "--max_speakers", "2"], Speakers(2, 2)),
        (["--min_speakers", "2"], None),
    ],
)
def test_speakers(flags, speakers):
    assert request(*flags).options.speakers == speakers


@pytest.mark.parametrize(
    ("flags", "resolution", "words"),
    [
        ([], "sentence", True),
        (["--segment_resolution", "chunk"], "chunk", True),
        (["--no_align"], "chunk", False),
        (["--task", "translate"], "chunk", False),
        (["--task", "translate", "--segment_resolution", "sentence"], "sentence", False),
    ],
)
def test_segments_are_windows_where_words_have_no_times(flags, resolution, words):
    asked = request(*flags)
    assert (asked.resolution, asked.options.words) == (resolution, words)


@pytest.mark.parametrize(
    "flags",
    [
        ["--no_align", "--max_line_width", "40"],
        ["--task", "translate", "--highlight_words", "True"],
        ["--diarize", "--min_speakers", "3", "--max_speakers", "2"],
        ["--diarize", "--min_speakers", "0"],
        ["--temperature_increment_on_fallback", "0"],
        ["--temperature_increment_on_fallback", "-0.2"],
        ["--temperature_increment_on_fallback", "nan"],
        ["--suppress_tokens", "a,b"],
        ["--beam_size", "0"],
        ["--device", "mps"],
        ["--chunk_size", "0"],
        ["--vad_onset", "1.5"],
        ["--max_line_width", "0"],
    ],
)
def test_what_makes_no_sense_is_refused(flags):
    with pytest.raises(InvalidOption):
        request(*flags)


NOTED = {
    "--vad_method": ["pyannote"],
    "--align_model": ["WAV2VEC2_ASR_LARGE_LV60K_960H"],
    "--interpolate_method": ["linear"],
    "--diarize_model": ["pyannote/speaker-diarization-3.1"],
    "--speaker_embeddings": [],
    "--condition_on_previous_text": ["True"],
    "--return_char_alignments": [],
    "--device_index": ["1"],
    "--chunk_size": ["60"],
    "--max_line_count": ["2"],
    "--min_speakers": ["2"],
}


@pytest.mark.parametrize("flag", NOTED)
def test_what_cannot_be_had_is_said_once(flag):
    [note] = request(flag, *NOTED[flag]).notes
    assert flag in note or "graphics card" in note


def test_an_align_model_that_can_run_is_used(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"")
    asked = request("--align_model", str(tmp_path))
    assert asked.notes == ()
    assert (asked.options.aligner, asked.options.align_model) == ("ctc", str(tmp_path))
    assert request("--align_model", str(tmp_path), "--no_align").options.align_model is None


@pytest.fixture(autouse=True)
def without_extras(monkeypatch):
    monkeypatch.setattr("wortlaut.alignment.ctc_catalog.find_spec", lambda _: None)


def test_what_whisperx_would_do_anyway_is_not_said():
    flags = ["--vad_method", "silero", "--interpolate_method", "nearest", "--condition_on_previous_text", "False"]
    assert request(*flags).notes == ()


def test_a_wrong_language_for_an_english_model_is_said():
    [note] = request("--model", "tiny.en", "--language", "German").notes
    assert "using English instead" in note
    assert request("--model", "tiny.en", "--language", "English").notes == ()


def test_vad_thresholds_are_the_detectors_own_unless_given():
    own = Thresholds()
    assert request("--vad_onset", "0.3").listening.thresholds == Thresholds(onset=0.3, offset=min(own.offset, 0.3))
    assert request("--vad_offset", "0.363").listening.thresholds == Thresholds(onset=own.onset, offset=0.363)
    assert request("--vad_onset", "0.1", "--vad_offset", "0.3").listening.thresholds.offset == 0.1
    assert request("--chunk_size", "10").listening.longest_window == 10


@given(st.floats(0, 1), st.floats(0.01, 2))
def test_temperatures_rise_by_the_step_up_to_one(first, step):
    found = temperatures(first, step)
    assert found[0] == pytest.approx(first, abs=1e-6)
    assert all(b - a == pytest.approx(step, abs=2e-6) for a, b in pairwise(found))
    assert found[-1] <= 1 + 1e-5
    assert found[-1] + step > 1 - 1e-5


def test_temperatures_without_a_step_is_one():
    assert temperatures(0.0, None) == (0.0,)
    assert temperatures(0.0, 0.2) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def test_defaults_are_of_the_type_that_is_parsed():
    values = read_arguments(["a"]).values
    assert {flag.destination for flag in FLAGS} | {"audio"} == set(values)
    for flag in FLAGS:
        if flag.choices:
            assert flag.default in (None, *flag.choices)
