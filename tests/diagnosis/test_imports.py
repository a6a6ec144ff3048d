"""A package that is installed and cannot be loaded is found, whatever way it fails in."""

from __future__ import annotations

import importlib.util
import os
import re
import tomllib
from pathlib import Path

import pytest

from wortlaut.diagnosis import imports, packages
from wortlaut.diagnosis.imports import find_unloadable, module_of, required_packages

ROOT = Path(__file__).parents[2]


@pytest.fixture
def breaking(tmp_path, monkeypatch):
    def make(package, code):
        (tmp_path / f"{module_of(package)}.py").write_text(code)

    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT / 'src'}")
    return make


def test_all_that_is_required_can_be_loaded_here():
    assert find_unloadable(required_packages(), seconds=120) == {}


def test_a_package_that_raises_and_one_that_takes_the_process_along(breaking):
    breaking("av", "raise ImportError('libav.so: no such file')")
    breaking("typer", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert find_unloadable(["rich", "av", "typer", "scipy"], seconds=120) == {
        "av": "ImportError: libav.so: no such file",
        "typer": "Illegal instruction",
    }


def test_a_machine_that_is_merely_slow_accuses_nobody():
    assert find_unloadable(["scipy"], seconds=0.0) == {}


def test_every_required_package_is_imported_by_the_name_it_has():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        name = re.match(r"[\w.-]+", requirement)[0]
        assert importlib.util.find_spec(module_of(name)), name


def test_extras_are_not_required():
    assert "numpy" in required_packages()
    assert "fastapi" not in required_packages()


def test_a_copy_that_was_never_installed_has_nothing_to_compare_with(monkeypatch):
    monkeypatch.setattr(imports, "DISTRIBUTION", "no-such-distribution")
    assert required_packages() == []


def test_it_becomes_a_problem_with_a_way_out(monkeypatch):
    monkeypatch.setattr(packages, "required_packages", lambda: ["numpy", "not-installed", "onnxruntime"])
    monkeypatch.setattr(packages, "find_unloadable", lambda names: dict.fromkeys(names, "ImportError: x"))
    (finding,) = packages.try_to_load(None)
    assert (finding.name, finding.state) == ("numpy", "problem")
    assert "ImportError: x" in finding.detail
    assert finding.next_step == "pip install --force-reinstall 'numpy'"


def test_where_all_is_well_one_line_says_so(monkeypatch):
    monkeypatch.setattr(packages, "find_unloadable", lambda _: {})
    (finding,) = packages.try_to_load(None)
    assert finding.state == "ok"
