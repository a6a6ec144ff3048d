"""The documentation: every page in both languages, every link leads somewhere, every command and setting exists."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from wortlaut.cli.app import app
from wortlaut.server.settings import ServiceSettings
from wortlaut.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.glob("*.md") if not path.name.endswith(".de.md"))
EVERY_TEXT = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("bench/*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`]*`")


def german_of(page: Path) -> Path:
    return page.with_name(f"{page.stem}.de.md")


def identifier(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path) -> list[tuple[str, str]]:
    """The language and the text of each block of code."""
    return [(language, text) for _, language, text in FENCE.findall(page.read_text(encoding="utf-8"))]


def headings(page: Path) -> list[str]:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"^(#+) ", prose, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return slugs | set(re.findall(r'<a id="([^"]+)"', prose))


@pytest.mark.parametrize("page", PAGES, ids=identifier)
def test_every_page_is_there_in_german(page: Path) -> None:
    assert german_of(page).is_file()


def test_no_german_page_is_alone() -> None:
    alone = [
        path.name for path in DOCS.glob("*.de.md") if not path.with_name(path.name.replace(".de.md", ".md")).is_file()
    ]
    assert alone == []


@pytest.mark.parametrize("page", [page for page in PAGES if german_of(page).is_file()], ids=identifier)
def test_the_german_page_has_the_same_parts(page: Path) -> None:
    german = german_of(page)
    assert headings(german) == headings(page)
    assert len(blocks(german)) == len(blocks(page))
    rows = [text.read_text(encoding="utf-8").count("\n|") for text in (page, german)]
    assert rows[0] == rows[1], "a table has other rows"


def test_every_page_is_in_the_navigation() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))

    def named(entries: Any) -> Iterator[str]:
        for entry in entries if isinstance(entries, list) else entries.values():
            yield from [entry] if isinstance(entry, str) else named(entry)

    assert sorted(named(site["nav"])) == [page.name for page in PAGES]


@pytest.mark.parametrize("page", EVERY_TEXT, ids=identifier)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    dead = []
    for target in LINK.findall(CODE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            dead.append(target)
    assert dead == []


def commands(page: Path) -> Iterator[list[str]]:
    """Every `wortlaut ...` line of a page's blocks of code, cut into words."""
    for language, text in blocks(page):
        if language not in {"console", "sh", "bash", "shell"}:
            continue
        for line in text.replace("\\\n", " ").splitlines():
            command = re.sub(r"^\s*\$ ", "", line)
            if re.match(r"wortlaut\s", command):
                yield shlex.split(command, comments=True)


@pytest.mark.parametrize("page", EVERY_TEXT, ids=identifier)
def test_every_command_line_is_one_that_exists(page: Path) -> None:
    for words in commands(page):
        at: Any = typer.main.get_command(app)
        for word in words[1:]:
            if word in {"|", ">", "&&"}:
                break
            at = getattr(at, "commands", {}).get(word, at)
        if at.name == "whisperx":  # its options are argparse's, tested with it
            continue
        options = {name for parameter in at.params for name in (*parameter.opts, *parameter.secondary_opts)}
        options |= {"--help", "--lang", "--version", "--verbose"}
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= options, " ".join(words)


@pytest.mark.parametrize("page", EVERY_TEXT, ids=identifier)
def test_python_examples_compile(page: Path) -> None:
    for language, text in blocks(page):
        if language == "python":
            compile(text, str(page), "exec")


README_EXAMPLES = [text for language, text in blocks(ROOT / "README.md") if language == "python"]


@pytest.mark.models
@pytest.mark.parametrize(
    "example", [README_EXAMPLES[0], *(pytest.param(text, marks=pytest.mark.slow) for text in README_EXAMPLES[1:])]
)
def test_examples_of_the_readme_run(example: str, sample_conversation: Path, tmp_path: Path, models_dir: Path) -> None:
    for name in set(re.findall(r'"(\w+\.m4a)"', example)):
        (tmp_path / name).symlink_to(sample_conversation)
    environment = {**os.environ, "WORTLAUT_MODELS_DIR": str(models_dir), "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def names(settings: type[Any]) -> set[str]:
    """Return the first name that each setting has in the environment."""
    return {
        getattr(field.validation_alias, "choices", [f"WORTLAUT_{name.removeprefix('is_').upper()}"])[0]
        for name, field in settings.model_fields.items()
    }


@pytest.mark.parametrize("language", ["", ".de"])
def test_every_setting_is_documented(language: str) -> None:
    pages = [DOCS / f"{name}{language}.md" for name in ("settings", "service-reference")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    missing = {name for name in names(Settings) | names(ServiceSettings) if f"`{name}`" not in text}
    assert missing == set()


@pytest.mark.parametrize("language", ["", ".de"])
def test_every_extra_is_documented(language: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (DOCS / f"install{language}.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) >= {*project["optional-dependencies"]}


def test_generated_pages_are_what_the_source_says() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "make_troubleshooting.py"), "--check"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
