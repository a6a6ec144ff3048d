"""The edge: arguments to options, errors to exit codes, results to stdout and files. No engine runs here."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

import wortlaut.assembly
from wortlaut import errors
from wortlaut.cli import app
from wortlaut.cli.exits import EXIT_CODES, exit_code
from wortlaut.formats import FORMATS
from wortlaut.notice import Notice
from wortlaut.options import Options, Speakers
from wortlaut.transcript import Segment, Transcript, Turn, Word

WORDS = (Word(" Guten", 0.5, 0.8, 0.9, "SPEAKER_00"), Word(" Tag.", 0.8, 1.2, 0.8, "SPEAKER_00"))


def transcript(*, warnings=()):
    turns = (Turn(0.4, 1.3, "SPEAKER_00"),)
    return Transcript((Segment(WORDS, "de"),), turns, "de", 2.0, warnings=warnings)


class FakeTranscriber:
    """Answers by file name: an error class in `errors` of that name is raised, everything else is transcribed."""

    calls: list[tuple[Path, Options]]
    settings = None
    warnings = ()

    def __init__(self, settings):
        type(self).settings = settings

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None

    def transcribe(self, media, options, listener):
        self.calls.append((media, options))
        kind = getattr(errors, media.stem, None)
        if kind:
            raise kind
        if media.stem == "ctrl-c":
            signal.raise_signal(signal.SIGINT)
        return transcript(warnings=self.warnings)


@pytest.fixture
def fake(monkeypatch):
    FakeTranscriber.calls = []
    monkeypatch.setattr(wortlaut.assembly, "Transcriber", FakeTranscriber)
    monkeypatch.setattr(FakeTranscriber, "warnings", ())
    return FakeTranscriber


@pytest.fixture
def call(monkeypatch, capfdbinary):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["wortlaut", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            app.run()
        out, err = capfdbinary.readouterr()
        return left.value.code, out.decode(), err.decode()

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


def test_one_file_goes_to_stdout_and_nothing_else_does(fake, call, tmp_path):
    assert call("transcribe", "a.mp3") == (0, "[SPEAKER_00]: Guten Tag.\n", "")
    code, out, _ = call("transcribe", "a.mp3", "-f", "json")
    assert (code, json.loads(out)["language"]) == (0, "de")


def test_messages_and_help_are_german_where_german_is_asked_for(fake, call, monkeypatch):
    monkeypatch.setenv("WORTLAUT_LANG", "en")
    code, out, err = call("--lang", "de", "transcribe", "MediaNotFound.mp3")
    assert (code, out) == (exit_code(errors.MediaNotFound()), "")
    assert err == (
        "MediaNotFound.mp3: Es gibt keine solche Datei. [media-not-found]\n"
        "  Prüfen Sie den Pfad; relative Pfade beginnen im aktuellen Ordner.\n"
    )
    assert "Wörter" in call("--lang=de", "transcribe", "--help")[1]


def test_messages_follow_the_locale(fake, call, monkeypatch):
    monkeypatch.delenv("WORTLAUT_LANG")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert "Es gibt keine solche Datei. [media-not-found]" in call("transcribe", "MediaNotFound.mp3")[2]
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    assert "There is no such file. [media-not-found]" in call("transcribe", "MediaNotFound.mp3")[2]


def test_a_language_without_messages_is_refused(fake, call, monkeypatch):
    monkeypatch.setenv("WORTLAUT_LANG", "en")
    code, _, err = call("--lang", "tlh", "transcribe", "a.mp3")
    assert code == 2
    assert "tlh" in err


def test_warnings_are_german_too(fake, call, monkeypatch):
    monkeypatch.setenv("WORTLAUT_LANG", "en")
    monkeypatch.setattr(fake, "warnings", (Notice("low-confidence", "The text may be wrong here: loop.", 1.0, 2.0),))
    err = call("--lang", "de", "transcribe", "a.mp3")[2]
    assert err == "a.mp3 bei 1.0 s: Der Text kann hier falsch sein: loop. [low-confidence]\n"


def test_options_reach_the_pipeline(fake, call):
    call(
        *("transcribe", "a.mp3", "-m", "small", "-l", "de", "-s", "2-4", "--task", "translate", "--no-words"),
        *("--hotwords", "Wortlaut", "--initial-prompt", "Sie", "--beam-size", "3"),
    )
    [(media, options)] = fake.calls
    assert media == Path("a.mp3")
    assert (options.model, options.language, options.speakers) == ("small", "de", Speakers(2, 4))
    assert (options.task, options.words) == ("translate", False)
    assert (options.decoding.hotwords, options.decoding.initial_prompt, options.decoding.beam_size) == (
        "Wortlaut",
        "Sie",
        3,
    )


def test_the_command_line_beats_the_environment(fake, call, monkeypatch):
    monkeypatch.setenv("WORTLAUT_DEVICE", "cuda")
    monkeypatch.setenv("WORTLAUT_THREADS", "3")
    call("transcribe", "a.mp3", "--device", "cpu", "--offline")
    assert (fake.settings.device, fake.settings.threads, fake.settings.is_offline) == ("cpu", 3, True)


def test_files_are_written_for_each_recording(fake, call, tmp_path):
    code, out, _ = call("transcribe", "a.mp3", "b.mp3", "-o", tmp_path / "out", "-f", "srt,json")
    assert (code, out) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.json", "a.srt", "b.json", "b.srt"]


def test_several_files_without_a_folder_go_to_the_current_one(fake, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call("transcribe", "a.mp3", "b.mp3")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{stem}.{end}" for stem in "ab" for end in ("txt", "srt", "json")
    }


def test_all_formats_are_those_that_can_be_written_here(fake, call, tmp_path, monkeypatch):
    call("transcribe", "a.mp3", "-f", "all", "-o", tmp_path / "with")
    assert {path.suffix for path in (tmp_path / "with").iterdir()} == {
        f".{form.extension}" for form in FORMATS.values()
    }
    monkeypatch.setattr("wortlaut.formats.find_spec", lambda name: None)
    code, _, err = call("transcribe", "a.mp3", "-f", "all", "-o", tmp_path / "without")
    assert code == 0
    assert "Left out: docx" in err
    assert len(list((tmp_path / "without").iterdir())) == len(FORMATS) - 1


def test_one_bad_file_does_not_stop_the_others(fake, call, tmp_path):
    code, _, err = call("transcribe", "MediaInvalid.mp3", "good.mp3", "NoAudioStream.mp4", "-o", tmp_path, "-f", "txt")
    assert code == EXIT_CODES[errors.InputError]
    assert [path.name for path in tmp_path.iterdir()] == ["good.txt"]
    assert "MediaInvalid.mp3: The file is not a recording" in err
    assert "[media-invalid]" in err
    assert "[no-audio-stream]" in err
    assert "Traceback" not in err


def test_warnings_are_said_unless_quiet(fake, call, monkeypatch):
    monkeypatch.setattr(fake, "warnings", (Notice("media-truncated", "The file ends early.", 7.0),))
    assert "a.mp3 at 7.0 s: The file ends early. [media-truncated]" in call("transcribe", "a.mp3")[2]
    assert call("transcribe", "a.mp3", "-q")[2] == ""


def test_ctrl_c_stops_everything(fake, call, tmp_path):
    code, _, err = call("transcribe", "a.mp3", "ctrl-c.mp3", "never.mp3", "-o", tmp_path, "-f", "txt")
    assert code == 130
    assert err.startswith("The work was stopped on request. [cancelled]")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "arguments",
    [("transcribe",), ("transcribe", "a.mp3", "-s", "none"), ("transcribe", "a.mp3", "-f", "papyrus"), ("sing",)],
)
def test_a_wrong_command_line_is_exit_code_2(fake, call, arguments):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err
    assert fake.calls == []


def test_every_error_has_an_exit_code():
    def below(kind):
        return [kind, *(error for child in kind.__subclasses__() for error in below(child))]

    codes = {kind: exit_code(kind()) for kind in below(errors.WortlautError)}
    assert all(code in range(1, 131) for code in codes.values())
    assert codes[errors.MediaInvalid] == 3
    assert codes[errors.ModelMissing] == 4
    assert codes[errors.OutputUnwritable] == 5


def test_help_and_version_load_no_engine(call):
    code, out, _ = call("--help")
    assert code == 0
    assert "transcribe" in out
    assert call("--version")[1].startswith("wortlaut ")
