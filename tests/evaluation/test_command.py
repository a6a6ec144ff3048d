"""`wortlaut eval` from the command line to stdout, with a scripted subject."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from wortlaut.cli import evaluate as command
from wortlaut.errors import ExtraMissing, InputError
from wortlaut.evaluation.scripted import ScriptedSubject
from wortlaut.transcript import Segment, Transcript, Word

HEARD = Transcript((Segment((Word("Hello", 0.0, 0.5), Word(" word.", 0.5, 1.0)), "en"),), (), "en", 1.0)


@pytest.fixture
def talks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "MakeTranscriber", lambda _: ScriptedSubject({"a.wav": HEARD, "b.wav": HEARD}))
    folder = tmp_path / "talks"
    folder.mkdir()
    entries = [{"id": name, "audio": f"{name}.wav", "lang": "en", "duration": 1.0} for name in "ab"]
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    for name in "ab":
        (folder / f"{name}.ref.txt").write_text("hello world", encoding="utf-8")
    return folder


def run(*arguments: str) -> tuple[str, str]:
    app = typer.Typer()
    app.command()(command.evaluate)
    result = CliRunner().invoke(app, arguments)
    if result.exception:
        raise result.exception
    return result.stdout, result.stderr


def test_json_is_all_that_goes_to_stdout(talks: Path) -> None:
    output, _ = run(str(talks), "--json")
    parsed = json.loads(output)
    assert parsed["sets"]["talks"]["wer"] == 50
    assert [row["name"] for row in parsed["per_file"]["talks"]] == ["a", "b"]
    assert "percent" in parsed["about"]


def test_tables_say_what_is_measured_and_how_sure_it_is(talks: Path) -> None:
    output, _ = run(str(talks), "--quiet")
    assert "WER" in output
    assert "50.0" in output
    assert "bootstrap" in output


def test_a_limit_and_detection_reach_the_measurement(talks: Path) -> None:
    figures = json.loads(run(str(talks), "--json", "--limit", "1", "--detect-language")[0])["sets"]["talks"]
    assert (figures["files"], figures["language_right"]) == (1, 100)


def test_a_folder_without_sets_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        run(str(tmp_path))


def test_a_missing_extra_is_named_with_its_remedy(talks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("wortlaut.evaluation.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(ExtraMissing, match="jiwer") as caught:
        run(str(talks))
    assert "wortlaut[eval]" in caught.value.hint


@pytest.mark.models
def test_the_real_transcriber_is_a_subject(models_dir: Path) -> None:
    from wortlaut.assembly import Transcriber
    from wortlaut.evaluation.observing import Subject
    from wortlaut.settings import Settings

    subject: Subject = command.MakeTranscriber(Settings(models_dir=models_dir))()
    assert isinstance(subject, Transcriber)
