from __future__ import annotations

import os
import shutil
import sys
from types import SimpleNamespace

import pytest

from wortlaut.diagnosis import system
from wortlaut.diagnosis.finding import Installation
from wortlaut.diagnosis.system import (
    GIB,
    container_memory,
    existing,
    look_at_disk,
    look_at_memory,
    look_at_processors,
    look_at_python,
    look_at_write_permission,
    processor_quota,
    refusal_to_write,
)


@pytest.fixture
def installation(tmp_path) -> Installation:
    return Installation(tmp_path / "not" / "yet" / "there", tmp_path)


def write(folder, **files: str) -> None:
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("--", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


class TestContainers:
    @pytest.mark.parametrize(("text", "quota"), [("max 100000\n", None), ("150000 100000\n", 1.5), ("nonsense", None)])
    def test_processors_version_2(self, tmp_path, text, quota):
        (tmp_path / "cpu.max").write_text(text)
        assert processor_quota(tmp_path) == quota

    @pytest.mark.parametrize(("text", "quota"), [("-1\n", None), ("50000\n", 0.5)])
    def test_processors_version_1(self, tmp_path, text, quota):
        (tmp_path / "cpu").mkdir()
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(text)
        (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
        assert processor_quota(tmp_path) == quota

    @pytest.mark.parametrize(
        ("file", "text", "limit"),
        [
            ("memory.max", "max\n", None),
            ("memory.max", "1073741824\n", GIB),
            ("memory/memory.limit_in_bytes", "536870912\n", GIB // 2),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
        ],
    )
    def test_memory(self, tmp_path, file, text, limit):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
        assert container_memory(tmp_path) == limit

    def test_no_control_group_at_all(self, tmp_path):
        assert processor_quota(tmp_path) is None
        assert container_memory(tmp_path) is None


@pytest.mark.parametrize(("quota", "state"), [(None, "ok"), (1.0, "ok"), (0.5, "note")])
def test_processors(installation, monkeypatch, quota, state):
    monkeypatch.setattr(system, "processor_quota", lambda: quota)
    assert [finding.state for finding in look_at_processors(installation)] == [state]


@pytest.mark.parametrize(
    ("physical", "container", "state"),
    [(16 * GIB, None, "ok"), (16 * GIB, GIB // 2, "note"), (GIB // 2, None, "note"), (None, None, "ok")],
)
def test_memory_is_what_the_container_grants(installation, monkeypatch, physical, container, state):
    monkeypatch.setattr(system, "physical_memory", lambda: physical)
    monkeypatch.setattr(system, "container_memory", lambda: container)
    assert [finding.state for finding in look_at_memory(installation)] == [state]


@pytest.mark.parametrize(("version", "state"), [((3, 11, 0), "ok"), ((3, 10, 14), "problem")])
def test_python(installation, monkeypatch, version, state):
    monkeypatch.setattr(sys, "version_info", version)
    assert [finding.state for finding in look_at_python(installation)] == [state]


@pytest.mark.parametrize(("free", "states"), [(10 * GIB, ["ok", "ok"]), (GIB, ["ok", "note"]), (0, ["note", "note"])])
def test_disk(installation, monkeypatch, free, states):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert [finding.state for finding in look_at_disk(installation)] == states


class TestWriting:
    def test_where_a_folder_would_be_made(self, installation, tmp_path):
        assert existing(installation.models_dir) == tmp_path
        assert [finding.state for finding in look_at_write_permission(installation)] == ["ok", "ok"]
        assert not list(tmp_path.iterdir())

    def test_refused(self, tmp_path, monkeypatch):
        def refuse(**_: object) -> None:
            raise PermissionError(13, os.strerror(13))

        monkeypatch.setattr(system.tempfile, "TemporaryFile", refuse)
        assert refusal_to_write(tmp_path) == "Permission denied"
        findings = list(look_at_write_permission(Installation(tmp_path, tmp_path)))
        assert [finding.state for finding in findings] == ["problem", "note"]  # models that are there can be used
