"""The command from its arguments to its files; the stages follow a script."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import wortlaut.cli.whisperx
from wortlaut.cli.exits import exit_code
from wortlaut.cli.output import prepare_folder, write_whole
from wortlaut.compat.command_line import Edge, output_stems, run
from wortlaut.errors import Cancelled
from wortlaut.notice import Notice
from wortlaut.options import Speakers
from wortlaut.stages import ignore
from wortlaut.testing import BrokenStage

pytestmark = pytest.mark.usefixtures("whisperx_logging")


@pytest.fixture
def call(stage, tmp_path):
    """Run whisperX's command line; return the exit code, what was said, and the files by name."""

    def run_it(*arguments):
        said = []
        edge = Edge(said.append, prepare_folder, write_whole, exit_code, lambda _: nullcontext(ignore))
        code = run([*arguments, "--output_dir", str(tmp_path / "out")], edge)
        return code, said, {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}

    return run_it


def test_all_formats_under_the_name_of_the_recording(call, stage, capsys):
    code, said, files = call("/some/where/my talk.v2.mp3", "--diarize")
    assert (code, said) == (0, [])
    assert set(files) == {f"my talk.v2.{each}" for each in ("txt", "srt", "vtt", "tsv", "json", "aud")}
    assert files["my talk.v2.txt"].splitlines() == [
        "[SPEAKER_00]: Guten Tag.",
        "[SPEAKER_00]: Wie",
        "[SPEAKER_01]: geht es?",
        "[SPEAKER_00]: Danke, gut.",
    ]
    out = capsys.readouterr().out
    assert "whisperx.transcribe - INFO - Performing transcription..." in out
    assert "Transcript: [0.8 --> 9.2]  Guten Tag. Wie geht es?\n" in out
    assert "Progress" not in out


def test_the_json_file_has_whisperxs_keys_and_the_true_language(call):
    _, _, files = call("talk.mp3", "--output_format", "json", "--diarize")
    result = json.loads(files["talk.json"])
    assert result["language"] == "de"
    for segment in result["segments"]:
        assert {"start", "end", "text", "words", "speaker", "avg_logprob"} <= set(segment)
        assert "chars" not in segment
        for word in segment["words"]:
            assert list(word)[:5] == ["word", "start", "end", "score", "speaker"]
            assert segment["start"] <= word["start"] < word["end"] <= segment["end"]
    assert result["word_segments"] == [word for segment in result["segments"] for word in segment["words"]]


def test_nobody_asked_who_speaks(call, stage):
    _, _, files = call("talk.mp3", "-f", "json")
    result = json.loads(files["talk.json"])
    assert "speaker" not in result["segments"][0]
    assert "speaker" not in result["word_segments"][0]
    assert stage.pipeline.diarizer.asked == []


def test_characters_share_the_time_of_their_word(call):
    _, said, files = call("talk.mp3", "-f", "json", "--return_char_alignments")
    assert len(said) == 1
    [first, *_] = json.loads(files["talk.json"])["segments"]
    assert "".join(each["char"] for each in first["chars"]) == "Guten Tag."
    timed = [each for each in first["chars"] if "start" in each]
    assert "".join(each["char"] for each in timed) == "GutenTag."
    assert timed[0]["start"] == pytest.approx(first["start"], abs=1e-3)
    assert timed[4]["end"] == pytest.approx(first["words"][0]["end"], abs=1e-3)
    assert [each["start"] for each in timed] == sorted(each["start"] for each in timed)


def test_without_alignment_a_segment_is_a_window(call):
    _, _, files = call("talk.mp3", "-f", "txt", "--no_align")
    assert files["talk.txt"].splitlines() == ["Guten Tag. Wie geht es?", "Danke, gut."]
    _, _, files = call("talk.mp3", "-f", "txt", "--segment_resolution", "chunk", "--diarize")
    assert files["talk.txt"].splitlines() == [
        "[SPEAKER_00]: Guten Tag. Wie",
        "[SPEAKER_01]: geht es?",
        "[SPEAKER_00]: Danke, gut.",
    ]


def test_flags_reach_the_stages(call, stage):
    call("talk.mp3", "--diarize", "--min_speakers", "2", "--max_speakers", "4", "--threads", "2", "--model", "tiny")
    assert stage.pipeline.diarizer.asked == [Speakers(2, 4)]
    assert [settings.threads for settings in stage.settings] == [2]
    assert {options.model for options in stage.options} == {"tiny"}


def test_chunk_size_limits_windows(call, capsys):
    call("talk.mp3", "--chunk_size", "4")
    spans = [line.split("]")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("Transcript")]
    assert spans[0] == "Transcript: [0.8 --> 3.2"


def test_progress_is_printed_once_to_a_hundred(call, capsys):
    call("talk.mp3", "--print_progress", "True", "--verbose", "False")
    assert capsys.readouterr().out.splitlines() == [
        "Progress: 23.00%...",
        "Progress: 70.50%...",
        "Progress: 100.00%...",
    ]


def test_highlighted_words(call):
    _, _, files = call("talk.mp3", "-f", "srt", "--highlight_words", "True")
    assert "<u>Guten</u> Tag." in files["talk.srt"]


def test_a_broken_file_does_not_stop_the_others(call):
    code, said, files = call("a.mp3", "missing.mp3", "b.mp3", "-f", "txt")
    assert code == 3
    assert set(files) == {"a.txt", "b.txt"}
    [message] = said
    assert "missing.mp3" in message
    assert "[media-not-found]" in message


def test_results_are_written_before_the_next_file_is_begun(call, stage, tmp_path):
    decoder = stage.pipeline.decoder
    seen = []

    class Watching:
        def decode(self, media, **advance):
            seen.append({path.name for path in (tmp_path / "out").iterdir()})
            if media.stem == "last":
                raise Cancelled
            return decoder.decode(media, **advance)

    object.__setattr__(stage.pipeline, "decoder", Watching())
    with pytest.raises(Cancelled):
        call("first.mp3", "last.mp3", "-f", "txt")
    assert seen == [set(), {"first.txt"}]


def test_what_a_recording_says_about_itself_goes_to_stderr(call, stage):
    from dataclasses import replace

    audio = replace(stage.pipeline.decoder.decoder.audio, notices=(Notice("cut-short", "The file ends early.", 3.0),))
    object.__setattr__(stage.pipeline.decoder.decoder, "audio", audio)
    _, said, _ = call("talk.mp3", "-f", "txt")
    assert said == ["talk.mp3 at 3.0 s: The file ends early. [cut-short]"]
    _, said, _ = call("talk.mp3", "-f", "txt", "--log-level", "error")
    assert said == []


@pytest.mark.parametrize("silent", [(), ("--no_align",), ("--diarize",)])
def test_silence_gives_files_that_are_empty_and_valid(call, stage, silent):
    object.__setattr__(stage.pipeline.detector, "regions", ())
    code, _, files = call("talk.mp3", *silent)
    assert code == 0
    assert files["talk.txt"] == ""
    assert files["talk.vtt"] == "WEBVTT\n\n"
    assert json.loads(files["talk.json"])["segments"] == []


def test_a_stage_that_fails_has_its_exit_code(call, stage):
    from wortlaut.errors import OutOfMemory

    object.__setattr__(stage.pipeline, "recognizer", BrokenStage(OutOfMemory()))
    assert call("talk.mp3")[0] == 5


@pytest.mark.parametrize(
    ("media", "stems"),
    [
        (["a/x.mp3", "b/y.wav"], ["x", "y"]),
        (["x.mp3", "x.wav"], ["x", "x.wav"]),
        (["a/x.mp3", "b/x.mp3", "c/x.mp3"], ["x", "x.mp3", "x.2"]),
        (["x.mp3", "x.mp3"], ["x"]),
        ([".hidden", "no suffix"], [".hidden", "no suffix"]),
    ],
)
def test_no_result_is_written_over_another(media, stems):
    assert list(output_stems([Path(each) for each in media]).values()) == stems


def test_wrong_command_lines_leave_with_two(call, capsys):
    for arguments in (["a.mp3", "--verbose", "yes"], ["a.mp3", "--no_align", "--max_line_width", "4"]):
        with pytest.raises(SystemExit) as left:
            call(*arguments)
        assert left.value.code == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith("whisperx: error: ")


@pytest.fixture
def app():
    made = typer.Typer()
    made.command("other")(lambda: None)
    wortlaut.cli.whisperx.register(made)
    return made


def test_everything_behind_the_command_is_whisperxs(app):
    shown = CliRunner().invoke(app, ["whisperx", "--help"])
    assert shown.exit_code == 0
    assert "usage: whisperx [-h] [--model MODEL]" in shown.output
    assert "(default: small)" in shown.output
    shown = CliRunner().invoke(app, ["whisperx", "-V"])
    assert shown.output.startswith("whisperx 3.8.6 (Wortlaut ")
    assert CliRunner().invoke(app, ["whisperx"]).exit_code == 2


@pytest.mark.parametrize("order", [["talk.mp3", "-f", "txt", "-o", "OUT"], ["-ftxt", "-o", "OUT", "--", "talk.mp3"]])
def test_arguments_pass_through_in_any_order(app, stage, tmp_path, order):
    line = [str(tmp_path) if each == "OUT" else each for each in order]
    assert CliRunner().invoke(app, ["whisperx", *line]).exit_code == 0
    assert (tmp_path / "talk.txt").is_file()


def test_the_command_whisperx_is_the_command_of_that_name(monkeypatch):
    seen = []
    monkeypatch.setattr("wortlaut.cli.app.run", lambda: seen.append(list(sys.argv)))
    monkeypatch.setattr(sys, "argv", ["/bin/whisperx", "a.mp3", "--diarize"])
    wortlaut.cli.main_whisperx()
    assert seen == [["/bin/whisperx", "whisperx", "a.mp3", "--diarize"]]
