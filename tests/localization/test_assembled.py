"""What is put together while the program runs, and what libraries say, is German too: each is provoked here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pydantic
import pytest
import typer

from wortlaut.cli.app import app
from wortlaut.cli.doctor import explain
from wortlaut.cli.help import USAGE_ERROR, complain, localized
from wortlaut.evaluation.tables import NOTES
from wortlaut.localization.catalog import catalog
from wortlaut.settings import Settings
from wortlaut.subtitles.checker import Rule, Violation

ROOT = Path(__file__).parents[2]
GERMAN = catalog("de")

WRONG_LINES = {
    "transcribe": "Das Argument",
    "nothing": "Den Befehl 'nothing' gibt es nicht.",
    "transcribe --nothing": "Diese Option gibt es nicht: --nothing",
    "transcribe a.wav --format": "Die Option '--format' braucht einen Wert.",
    "transcribe a.wav --threads two": "eine ganze Zahl",
    "transcribe a.wav --beam-size 0": "Der Wert muss mindestens 1 sein",
    "serve --workers -1": "--workers",
    "doctor more": "Damit ist nichts anzufangen: more",
    "doctor more and more": "Damit ist nichts anzufangen: more and more",
    "doctor --json=5": "nimmt keinen Wert",
}


@pytest.mark.parametrize(("line", "german"), WRONG_LINES.items())
def test_a_wrong_command_line(line: str, german: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(USAGE_ERROR) as caught:
        localized(typer.main.get_command(app), GERMAN)(line.split(), standalone_mode=False)
    complain(caught.value, GERMAN)
    said = capsys.readouterr().err
    assert german in said
    assert said.startswith(("Aufruf: ", "Fehler: "))
    assert not [word for word in ("Usage", "Error", "Invalid", "Input", "argument") if word in said], said


def test_the_help() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "120"}
    command = [sys.executable, "-m", "wortlaut", "--lang", "de", "keys", "create", "--help"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "Aufruf: " in said
    assert "Zeigt diese Hilfe." in said
    assert not [word for word in ("Usage", "Options", "Arguments", "Show this") if word in said]


def test_a_wrong_command_line_ends_as_it_always_did() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "WORTLAUT_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "wortlaut", "doctor", "more"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Error: Got unexpected extra argument" in done.stderr


@pytest.mark.parametrize("rule", get_args(Rule))
def test_a_broken_rule_of_subtitles(rule: Rule) -> None:
    message = Violation(3, rule, 1.5, 2.5).message
    assert GERMAN.translate(message).startswith("Untertitel 3: ")


@pytest.mark.parametrize(
    ("values", "german"),
    [
        ({"device": "gpu"}, "Erlaubt ist 'auto', 'cpu' oder 'cuda'"),
        ({"threads": "two"}, "Der Wert muss eine ganze Zahl sein"),
        ({"threads": -1}, "Der Wert muss mindestens 0 sein"),
        ({"is_offline": "perhaps"}, "Der Wert muss true oder false sein"),
    ],
)
def test_a_setting_that_makes_no_sense(values: dict[str, Any], german: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORTLAUT_LANG", "de")
    with pytest.raises(pydantic.ValidationError) as caught:
        Settings.model_validate(values)
    assert german in explain(caught.value)


def test_the_notes_of_a_measurement() -> None:
    assert GERMAN.translate(NOTES) != NOTES


def test_part_of_a_file() -> None:
    said = GERMAN.translate("The file ends early: 3.0 s of 9.0 s could be decoded.")
    assert said == "Die Datei endet zu früh: 3.0 s von 9.0 s ließen sich dekodieren."
