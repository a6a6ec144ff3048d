"""`wortlaut compare`, with engines that are played by a script."""

from __future__ import annotations

import importlib.metadata
import json
import stat
import sys

import pytest
from typer.testing import CliRunner

from wortlaut.cli import compare as command
from wortlaut.cli.app import app
from wortlaut.comparison.running import Cost, Run, require_engines, run
from wortlaut.errors import ExtraMissing, InvalidOption, MediaNotFound
from wortlaut.formats import get_format
from wortlaut.notice import Notice
from wortlaut.transcript import Segment, Transcript, Word


def transcript(text: str, *, speaker: str | None = None, warnings=()) -> Transcript:
    words = tuple(Word(f" {part}", at, at + 0.5, speaker=speaker) for at, part in enumerate(text.split()))
    return Transcript((Segment(words, "en"),), (), "en", 9.0, warnings=warnings)


@pytest.fixture
def engine(tmp_path):
    """A program that plays `wortlaut transcribe`: it writes what it was told to, or fails."""

    def play(content: bytes, *, code: int = 0) -> str:
        (tmp_path / "answer.json").write_bytes(content)
        script = tmp_path / "python"
        script.write_text(
            f"#!{sys.executable}\nimport pathlib, sys\n"
            f"here = pathlib.Path({str(tmp_path)!r})\n"
            "(here / 'asked').write_text('\\n'.join(sys.argv[1:]))\n"
            "ballast = bytearray(120_000_000)\n"
            "sys.stdout.buffer.write((here / 'answer.json').read_bytes())\n"
            f"sys.exit({code})\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return str(script)

    return play


def test_an_engine_runs_in_a_process_of_its_own_and_is_watched(engine, tmp_path):
    made = transcript("some words")
    python = engine(get_format("json").render(made))
    done = run("whisperx", tmp_path / "a.wav", ["--model=base"], python=python)
    assert done.transcript.words == made.words
    assert done.exit_code == 0
    assert done.cost.peak_megabytes > 100
    assert done.cost.cpu > 0
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:3] == ["-m", "wortlaut", "transcribe"]
    assert asked[asked.index("--engine") + 1] == "whisperx"
    assert asked[-1] == "--model=base"


def test_an_engine_that_fails_has_a_code_and_no_transcript(engine, tmp_path):
    done = run("wortlaut", tmp_path / "a.wav", [], python=engine(b"half a", code=4))
    assert (done.exit_code, done.transcript) == (4, None)


@pytest.mark.parametrize("engines", [["wortlaut"], [], ["wortlaut", "espresso"], ["wortlaut", "wortlaut"]])
def test_what_cannot_be_compared(engines):
    with pytest.raises(InvalidOption):
        require_engines(engines)


def test_a_missing_engine_is_said_before_anything_runs(monkeypatch, tmp_path):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    monkeypatch.setattr(command, "run", lambda *_: pytest.fail("an engine was run"))
    result = CliRunner().invoke(app, ["compare", str(tmp_path / "a.wav")])
    assert isinstance(result.exception, ExtraMissing)
    assert "pip install 'wortlaut[whisperx]'" in result.exception.hint


def test_a_missing_file_is_said_before_anything_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "require_engines", lambda _: None)
    monkeypatch.setattr(command, "run", lambda *_: pytest.fail("an engine was run"))
    result = CliRunner().invoke(app, ["compare", str(tmp_path / "a.wav")])
    assert isinstance(result.exception, MediaNotFound)


@pytest.fixture
def compared(monkeypatch, tmp_path):
    """Call the command with played engines."""
    (tmp_path / "a.wav").touch()
    notice = Notice("whisperx-diarization-skipped", "Nobody is named.")
    runs = {
        "wortlaut": Run("wortlaut", Cost(2.0, 1.5, 300.0), 0, transcript("one two three", speaker="SPEAKER_00")),
        "whisperx": Run("whisperx", Cost(9.0), 0, transcript("one too three", warnings=(notice,))),
    }
    asked = []

    def play(engine, _, arguments):
        asked.append((engine, arguments))
        return runs[engine]

    monkeypatch.setattr(command, "run", play)
    monkeypatch.setattr(command, "require_engines", lambda _: None)

    def call(*arguments):
        return CliRunner().invoke(app, ["compare", str(tmp_path / "a.wav"), *arguments], env={"COLUMNS": "120"})

    call.runs, call.asked = runs, asked
    return call


def test_germans_get_them_in_german(compared, monkeypatch):
    monkeypatch.setenv("WORTLAUT_LANG", "de")
    said = compared().stdout
    for shown in ("Prozessorzeit, s", "niemand benannt", "Wörter gemeinsam", "an einer Stelle", "[Klammern]"):
        assert shown in said
    assert not [word for word in ("words", "time", "place", "brackets") if word in said], said


def test_people_get_figures_warnings_and_marked_texts(compared):
    result = compared("--threads", "1", "--language", "en", "--offline")
    assert result.exit_code == 0
    for shown in (
        "1.5",
        "300",
        "?",
        "nobody named",
        "[two]",
        "[too]",
        "SPEAKER_00:",
        "Nobody is named.",
        "2 words in",
        "differ in 1 place",
        "[brackets]",
    ):
        assert shown in result.stdout
    assert "[one]" not in result.stdout
    assert compared.asked[0][0] == "wortlaut"
    assert set(compared.asked[1][1]) == {"--model=base", "--language=en", "--speakers=auto", "--threads=1", "--offline"}


def test_programs_get_everything(compared):
    told = json.loads(compared("--json").stdout)
    assert [one["engine"] for one in told["engines"]] == ["wortlaut", "whisperx"]
    assert told["engines"][0]["cost"] == {"wall": 2.0, "cpu": 1.5, "peak_megabytes": 300.0}
    assert told["engines"][1]["transcript"]["warnings"][0]["code"] == "whisperx-diarization-skipped"
    (found,) = told["agreement"]
    assert found["differences"] == [{"start": 1.0, "words": ["two", "too"]}]
    assert found["words_in_common"] == 2


def test_one_that_fails_is_shown_beside_the_other(compared):
    compared.runs["whisperx"] = Run("whisperx", Cost(1.0), 4, None)
    result = compared()
    assert result.exit_code == 4
    assert "failed" in result.stdout
    assert json.loads(compared("--json").stdout)["agreement"] == []
