from __future__ import annotations

import io
import json

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from wortlaut.cli import doctor as command
from wortlaut.diagnosis.finding import Finding, Installation

FINE = Finding("area", "thing", "ok", "fine")
NOTED = Finding("network", "hub", "note", "far [away]", "Come [closer].")
BROKEN = Finding("models", "base", "problem", "gone", "Fetch it.")
SECRET = "hf_ThisMustNeverBeSeenAnywhere"  # a fake


@pytest.fixture
def invoke(monkeypatch, tmp_path):
    """Run the command with played findings; return its exit code, its output and what it examined."""
    monkeypatch.setenv("WORTLAUT_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    app = typer.Typer()
    app.command()(command.doctor)

    def run(*findings: Finding, arguments: tuple[str, ...] = ()):
        examined: list[Installation] = []

        def examine(installation: Installation) -> list[Finding]:
            examined.append(installation)
            return list(findings)

        monkeypatch.setattr(command, "examine", examine)
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.output, examined[0]

    return run


@pytest.mark.parametrize(
    ("findings", "code", "verdict"),
    [
        ((FINE, NOTED), 0, "Wortlaut will work here."),
        ((FINE, BROKEN), 1, "until the problem above is solved"),
        ((BROKEN, BROKEN), 1, "until the 2 problems above are solved"),
    ],
)
def test_verdict_and_exit_code(invoke, findings, code, verdict):
    exit_code, output, _ = invoke(*findings)
    assert exit_code == code
    assert verdict in output


def test_says_what_to_do(invoke):
    output = invoke(FINE, NOTED)[1]
    assert "Come [closer]." in output
    assert "far [away]" in output


def test_json(invoke):
    code, output, _ = invoke(NOTED, BROKEN, arguments=("--json",))
    assert code == 1
    assert json.loads(output)[1] == {
        "area": "models",
        "name": "base",
        "state": "problem",
        "detail": "gone",
        "next_step": "Fetch it.",
    }


def test_settings_say_where_to_look(invoke, monkeypatch, tmp_path):
    monkeypatch.setenv("WORTLAUT_MODELS_DIR", str(tmp_path / "m"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    _, output, examined = invoke(FINE)
    assert (examined.models_dir, examined.is_offline, examined.endpoint) == (
        tmp_path / "m",
        True,
        "https://mirror.example",
    )
    assert examined.token is not None
    assert examined.token.reveal() == SECRET
    assert SECRET not in output


def test_settings_that_cannot_be_read_are_a_finding(invoke, monkeypatch):
    monkeypatch.setenv("WORTLAUT_BATCH_SIZE", "hf_secret_in_the_wrong_place")
    code, output, _ = invoke(FINE)
    assert code == 1
    assert "WORTLAUT_BATCH_SIZE" in output or "batch_size" in output
    assert "hf_secret" not in output


def test_config_file_that_is_no_toml_is_a_finding(invoke, tmp_path):
    (tmp_path / "config.toml").write_text("models_dir =")
    code, output, _ = invoke(FINE)
    assert code == 1
    assert "settings" in output


def test_narrow_terminal_cuts_no_advice_short():
    stream = io.StringIO()
    advice = "pip install " + " ".join(f"package-{number}" for number in range(30))
    command.show([Finding("area", "thing", "note", "detail", advice)], Console(file=stream, width=40))
    assert advice in stream.getvalue()
