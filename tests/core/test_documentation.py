"""What the documentation says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wortlaut import settings
from wortlaut.cli.exits import EXIT_CODES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_every_setting_and_exit_code_is_documented():
    text = (ROOT / "docs" / "settings.md").read_text()
    for name, field in settings.Settings.model_fields.items():
        alias = field.validation_alias
        names = [str(choice).upper() for choice in alias.choices[:2]] if alias else [f"WORTLAUT_{name.upper()}"]
        assert all(f"`{spelled}`" in text for spelled in names), name
    assert all(f"| {code} |" in text for code in EXIT_CODES.values())


def test_the_library_examples_compile():
    for code in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        compile(code, "README.md", "exec")


def test_the_options_that_the_readme_shows_exist():
    from typer.testing import CliRunner

    from wortlaut.cli.app import app

    runner = CliRunner()
    for line in re.findall(r"^\$ wortlaut (.*)$", (ROOT / "README.md").read_text(), re.MULTILINE):
        command = line.split()[0]
        if command.startswith("-"):
            continue
        known = runner.invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", line.split("#")[0]):
            assert option in known, f"{option} of {line}"
