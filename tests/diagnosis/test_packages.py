from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from wortlaut.diagnosis.finding import Installation
from wortlaut.diagnosis.packages import (
    KNOWN_BREAKS,
    look_at_combinations,
    look_at_extras,
    look_at_requirements,
    required,
    version_of,
)

HERE = Installation(Path(), Path())


@pytest.fixture
def installed(monkeypatch) -> dict[str, str]:
    """Play the packages that are installed."""
    versions: dict[str, str] = {}

    def version(package: str) -> str:
        if package not in versions:
            raise importlib.metadata.PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(importlib.metadata, "version", version)
    return versions


@pytest.fixture
def requires(monkeypatch) -> None:
    texts = ["numpy>=1.26", "av>=14", 'jiwer>=4; extra == "eval"', 'old; python_version < "3"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: texts)


@pytest.mark.usefixtures("requires")
class TestRequirements:
    def test_good(self, installed):
        installed.update(numpy="2.4.6", av="18.1.0")
        findings = list(look_at_requirements(HERE))
        assert [(finding.name, finding.state) for finding in findings] == [("numpy", "ok"), ("av", "ok")]

    def test_missing(self, installed):
        installed.update(numpy="2.4.6")
        missing = list(look_at_requirements(HERE))[1]
        assert (missing.state, missing.next_step) == ("problem", "pip install 'av>=14'")

    def test_too_old(self, installed):
        installed.update(numpy="1.25.0", av="18.1.0")
        old = next(iter(look_at_requirements(HERE)))
        assert old.state == "problem"
        assert "1.25.0" in old.detail
        assert ">=1.26" in old.detail


def test_extras_are_optional(installed):
    assert {finding.state for finding in look_at_extras(HERE)} == {"ok"}
    installed["torch"] = "2.5.1+cpu"
    assert [finding.name for finding in look_at_extras(HERE) if finding.state == "note"] == ["torch"]


class TestCombinations:
    def broken(self) -> list[str]:
        return [finding.detail for finding in look_at_combinations(HERE) if finding.state != "ok"]

    @pytest.mark.parametrize(
        ("versions", "effect"),
        [
            ({"whisperx": "3.7.4", "pyannote.audio": "3.4.0", "lightning": "2.6.6"}, "whisperX stops"),
            ({"pyannote.audio": "3.4.0", "lightning": "2.6.0"}, "by itself stops"),
            ({"torch": "2.13.0+cpu", "torchaudio": "2.11.0"}, "libc10_cuda"),
            ({"torch": "2.8.0", "torchaudio": "2.7.1"}, "built for the torch"),
            ({"torch": "2.15.0", "torchaudio": "2.11.0"}, "CUDA 13.2"),
            ({"pyannote.audio": "3.4.0", "torchaudio": "2.11.0"}, "cannot be imported"),
            ({"pyannote.audio": "3.3.2", "pyannote.metrics": "4.2.0"}, "neighbours"),
            ({"pyannote.audio": "4.0.7", "torch": "2.7.1"}, "needs torch 2.8"),
            ({"ctranslate2": "4.8.5", "nvidia-cudnn-cu12": "8.9.7.29"}, "cuDNN 9"),
        ],
    )
    def test_known_to_break(self, installed, monkeypatch, versions, effect):
        monkeypatch.setattr(sys, "platform", "linux")
        installed.update(versions)
        assert any(effect in detail for detail in self.broken())

    @pytest.mark.parametrize(
        "versions",
        [
            {},
            {"whisperx": "3.7.4", "pyannote.audio": "3.4.0", "lightning": "2.5.5"},
            {
                "whisperx": "3.8.6",
                "pyannote.audio": "4.0.7",
                "lightning": "2.6.6",
                "torch": "2.8.0",
                "torchaudio": "2.8.0",
            },
            {"pyannote.audio": "3.3.2", "torch": "2.6.0", "torchaudio": "2.6.0"},
            {"torch": "2.8.0+cpu", "torchaudio": "2.8.0+cpu"},
            {"pyannote.audio": "4.0.7", "torch": "2.14.1", "torchaudio": "2.11.0"},
            {"ctranslate2": "4.8.5", "nvidia-cudnn-cu12": "9.10.2.21"},
        ],
    )
    def test_fine(self, installed, versions):
        installed.update(versions)
        assert self.broken() == []

    def test_every_entry_is_tested_above(self):
        assert len(KNOWN_BREAKS) == 9

    def test_a_version_that_is_none(self, installed):
        installed["torch"] = "nightly build"
        assert version_of("torch") is None
        assert self.broken() == []


def test_real_metadata():
    """This very installation: the requirements are read from it and met by it."""
    assert {"numpy", "ctranslate2", "onnxruntime", "av"} <= {requirement.name for requirement in required()}
    assert {finding.state for finding in look_at_requirements(HERE)} == {"ok"}
    assert version_of("numpy") > Version("1.26")
