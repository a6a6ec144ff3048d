"""docs/moving-from-whisperx.md leaves nothing out, and the little distribution points to something that is there."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest

from wortlaut.compat import whisperx
from wortlaut.compat.flags import COMPATIBLE_VERSION, FLAGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "moving-from-whisperx.md").read_text(encoding="utf-8")
ROWS = {
    name
    for line in PAGE.partition("## Flag by flag")[2].splitlines()
    if line.startswith("| `")
    for name in re.findall(r"`([^`]+)`", line.split("|")[1])
}
MODULES = ("alignment", "asr", "audio", "diarize", "schema", "utils", "vads", "SubtitlesProcessor")
OWN = {
    "alignment": {"ALIGN_MODEL", "AlignModel"},
    "asr": {"UNHEARD_OPTIONS", "read_decoding", "settings_for"},
    "audio": {"open_sound"},
    "SubtitlesProcessor": {"SHORT_LINE", "SHORT_LINE_LANGUAGES"},
    "utils": {"WRITERS"},
    "vads": {"Segment", "Stretch"},
}
"""What the modules have for themselves: no names of whisperX's."""


@pytest.mark.parametrize("flag", [flag.name for flag in FLAGS] + ["--version", "--python-version", "audio"])
def test_every_flag_has_its_row(flag):
    assert flag in ROWS


def test_no_row_for_a_flag_that_is_not_there():
    known = {name for flag in FLAGS for name in (flag.name, flag.short)} | {"--version", "-V", "--python-version", "-P"}
    assert {name for name in ROWS if name.startswith("-") and " " not in name} <= known


@pytest.mark.parametrize("name", whisperx.__all__)
def test_every_name_of_the_package_has_its_row(name):
    assert name in ROWS


def defined_in(module):
    """Return the public names that a module assigns or defines, imported ones left out."""
    body = ast.parse(Path(importlib.import_module(f"wortlaut.compat.whisperx.{module}").__file__).read_text()).body
    names = {each.name for each in body if isinstance(each, ast.ClassDef | ast.FunctionDef)}
    targets = [target for each in body if isinstance(each, ast.Assign) for target in each.targets]
    names |= {
        target.id for target in targets if isinstance(target, ast.Name) and target.id[1:].upper() == target.id[1:]
    }
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("module", MODULES)
def test_every_name_of_the_modules_has_its_row(module):
    wanted = {f"{module}.{name}" for name in defined_in(module) - OWN.get(module, set())}
    assert wanted
    assert wanted - ROWS - set(whisperx.__all__) - {f"{module}.{name}" for name in whisperx.__all__} == set()


def test_every_row_names_something():
    for name in ROWS:
        if name.startswith("-") or name == "audio":
            continue
        value = whisperx
        for part in name.split("."):
            value = getattr(value, part)


def test_the_version_is_the_one_that_is_compared_with():
    assert COMPATIBLE_VERSION in PAGE


def test_the_command_of_the_little_distribution_is_there():
    project = tomllib.loads((ROOT / "packaging" / "wortlaut-whisperx" / "pyproject.toml").read_text(encoding="utf-8"))
    [(name, target)] = project["project"]["scripts"].items()
    module, _, function = target.partition(":")
    assert name == "whisperx"
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ours["optional-dependencies"]["whisperx-command"] == [project["project"]["name"]]
    assert not {"whisperx"} & set(ours["scripts"]), "an installed whisperX keeps its command"
    assert callable(getattr(importlib.import_module(module), function))
