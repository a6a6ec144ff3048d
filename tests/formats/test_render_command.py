"""`wortlaut render` and `wortlaut check` on files."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from wortlaut.cli.render import VIOLATED, check, render
from wortlaut.errors import InputError, InvalidOption, MediaUnreadable, OutputUnwritable, UnknownFormat, WortlautError
from wortlaut.formats import FORMATS, RenderOptions
from wortlaut.formats.read import TranscriptInvalid
from wortlaut.subtitles.checker import check as violations_of
from wortlaut.subtitles.presets import PRESETS
from wortlaut.subtitles.subtitle_files import read_subtitles
from wortlaut.transcript import Segment, Transcript, Word

app = typer.Typer()
app.command()(render)
app.command()(check)


def run(*arguments):
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(result.exception, WortlautError):
        raise result.exception
    return result


@pytest.fixture
def transcript(tmp_path, conversation):
    path = tmp_path / "talk.json"
    path.write_bytes(FORMATS["json"].render(conversation))
    return path


def test_renders_beside_the_transcript(transcript, conversation):
    assert run("render", transcript).exit_code == 0
    assert transcript.with_suffix(".srt").read_bytes() == FORMATS["srt"].render(conversation)


@pytest.mark.parametrize("name", [each for each in FORMATS if each != "json"])
def test_renders_every_format(name, transcript, conversation):
    run("render", transcript, "-f", name)
    path = transcript.with_suffix(f".{FORMATS[name].extension}")
    assert path.read_bytes() == FORMATS[name].render(conversation, RenderOptions(recording="talk"))


def test_renders_to_stdout_with_options(transcript, conversation):
    result = run("render", transcript, "-f", "vtt", "-o", "-", "--preset", "netflix", "--no-speaker-labels")
    options = RenderOptions(preset="netflix", speaker_labels=False)
    assert result.stdout_bytes == FORMATS["vtt"].render(conversation, options)


def test_does_not_overwrite_the_transcript(transcript):
    before = transcript.read_bytes()
    with pytest.raises(InvalidOption):
        run("render", transcript, "-f", "json")
    assert transcript.read_bytes() == before


def test_errors_go_through(tmp_path, transcript):
    with pytest.raises(UnknownFormat):
        run("render", transcript, "-f", "pdf")
    with pytest.raises(InvalidOption):
        run("render", transcript, "--preset", "hbo")
    with pytest.raises(InputError):
        run("render", tmp_path / "missing.json")
    with pytest.raises(InputError):
        run("render", tmp_path)
    with pytest.raises(OutputUnwritable):
        run("render", transcript, "-o", tmp_path / "missing" / "talk.srt")
    (tmp_path / "noise.json").write_bytes(b"\x00\x01")
    with pytest.raises(TranscriptInvalid):
        run("render", tmp_path / "noise.json")


def test_a_file_that_may_not_be_read(transcript, monkeypatch):
    def deny(_):
        raise PermissionError(13, "denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", deny)
    with pytest.raises(MediaUnreadable):
        run("render", transcript)


def test_what_a_preset_renders_passes_its_check(transcript, tmp_path):
    path = tmp_path / "talk.srt"
    run("render", transcript, "-o", path, "--preset", "netflix")
    result = run("check", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert violations_of(read_subtitles(path.read_bytes()), PRESETS["netflix"]) == []


def test_what_happens_to_speech_that_is_too_fast_is_said(tmp_path):
    text = "Um, so this is a sentence of about sixty letters, uh, too many."
    words = [Word(f" {token}", at / 20, (at + 1) / 20, 0.9) for at, token in enumerate(f"{text} {text} {text}".split())]
    path = tmp_path / "fast.json"
    path.write_bytes(FORMATS["json"].render(Transcript((Segment(tuple(words), "en"),), (), "en", 3.0)))
    result = run("render", path, "--preset", "netflix")
    assert "'uh,' was left out of the subtitles" in result.stderr
    assert "s late" in result.stderr
    shown = path.with_suffix(".srt").read_text("utf-8")
    assert "uh," not in shown
    assert run("check", path.with_suffix(".srt")).exit_code == 0
    run("render", path, "-f", "vtt")
    assert "uh," in path.with_suffix(".vtt").read_text("utf-8")


def test_violations_are_listed_and_give_an_exit_code(tmp_path):
    path = tmp_path / "bad.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:00,500\nHi\n")
    result = run("check", path, "--preset", "bbc")
    assert result.exit_code == VIOLATED
    assert result.stdout == "cue 1: shown for 0.500 s, at least 1.000\n"
    assert "1 cues, 1 violations" in result.stderr
