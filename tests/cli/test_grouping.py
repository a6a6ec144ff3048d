"""A command that takes dataclasses has one option a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from wortlaut.cli.grouping import grouped


@dataclass(frozen=True)
class Paper:
    size: Annotated[str, typer.Option("--size", "-s", help="How large.")] = "A4"
    sheets: Annotated[int, typer.Option(min=1)] = 1


@dataclass(frozen=True)
class Needed:
    name: Annotated[str, typer.Option()]


@pytest.fixture
def run():
    """Return a function from arguments to what the command was called with, or to typer's exit code."""
    calls = []
    app = typer.Typer(rich_markup_mode=None)

    @app.command("print")
    @grouped
    def print_(file: Annotated[str, typer.Argument()], paper: Paper, quiet: bool = False) -> None:
        """Put it on paper."""
        calls.append((file, paper, quiet))

    def run(*arguments):
        result = CliRunner().invoke(app, list(arguments))
        return (result.output if "--help" in arguments else calls[-1]) if not result.exit_code else result.exit_code

    return run


def test_fields_are_options_with_their_defaults(run):
    assert run("a.txt") == ("a.txt", Paper(), False)
    assert run("a.txt", "-s", "A3", "--sheets", "2", "--quiet") == ("a.txt", Paper("A3", 2), True)


def test_what_typer_checks_is_checked(run):
    assert run("a.txt", "--sheets", "0") == 2
    assert run() == 2


def test_help_is_that_of_the_command_and_of_the_fields(run):
    text = run("--help")
    assert "Put it on paper." in text
    assert "How large." in text
    assert "--paper" not in text


def test_a_field_without_default_must_be_given():
    app = typer.Typer()
    seen = []

    @app.command()
    @grouped
    def command(needed: Needed) -> None:
        seen.append(needed)

    assert CliRunner().invoke(app, []).exit_code == 2
    assert CliRunner().invoke(app, ["--name", "x"]).exit_code == 0
    assert seen == [Needed("x")]
