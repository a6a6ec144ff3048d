"""whisperX's README example and its command, with the real models on a real conversation."""

from __future__ import annotations

import json

import pytest

from wortlaut.cli.exits import exit_code
from wortlaut.compat import whisperx
from wortlaut.compat.whisperx.diarize import DiarizationPipeline

pytestmark = [pytest.mark.models, pytest.mark.usefixtures("whisperx_logging")]


def test_python_usage(sample_conversation, models_dir):
    device = "cpu"
    audio_file = str(sample_conversation)
    batch_size = 16
    compute_type = "int8"

    model = whisperx.load_model("base", device, compute_type=compute_type, download_root=str(models_dir))
    audio = whisperx.load_audio(audio_file)
    result = model.transcribe(audio, batch_size=batch_size)
    assert "Chicago" in result["segments"][0]["text"]
    assert result["language"] == "en"
    del model

    model_a, metadata = whisperx.load_align_model(
        language_code=result["language"], device=device, model_dir=str(models_dir)
    )
    result = whisperx.align(result["segments"], model_a, metadata, audio, device, return_char_alignments=False)
    assert len(result["segments"]) > 5
    del model_a

    diarize_model = DiarizationPipeline(token="hf_none", device=device, cache_dir=str(models_dir))
    diarize_segments = diarize_model(audio, min_speakers=2, max_speakers=2)
    assert set(diarize_segments["speaker"]) == {"SPEAKER_00", "SPEAKER_01"}

    result = whisperx.assign_word_speakers(diarize_segments, result)
    times = [(word["start"], word["end"]) for word in result["word_segments"]]
    assert len(times) > 50
    assert all(start < end <= 30 for start, end in times)
    assert times == sorted(times)
    assert {word["speaker"] for word in result["word_segments"]} == {"SPEAKER_00", "SPEAKER_01"}


def test_command(sample_conversation, models_dir, tmp_path):
    from contextlib import nullcontext

    from wortlaut.cli.output import prepare_folder, write_whole
    from wortlaut.compat.command_line import Edge, run
    from wortlaut.stages import ignore

    said = []
    edge = Edge(said.append, prepare_folder, write_whole, exit_code, lambda _: nullcontext(ignore))
    flags = ["--model", "base", "--diarize", "--model_dir", str(models_dir), "--vad_onset", "0.3", "--language", "en"]
    assert run([str(sample_conversation), *flags, "-o", str(tmp_path)], edge) == 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".txt", ".srt", ".vtt", ".tsv", ".json", ".aud"}
    result = json.loads((tmp_path / "sample.json").read_text(encoding="utf-8"))
    assert {word["speaker"] for word in result["word_segments"]} == {"SPEAKER_00", "SPEAKER_01"}
    assert any("Chicago" in word["word"] for word in result["word_segments"])
