"""The wheel, installed into an empty environment, does the main job. Slow: each case installs everything anew."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13")
PROVES = {
    "": "wortlaut",
    "bench": "matplotlib",
    "docx": "docx",
    "eval": "jiwer, pyannote.metrics, wortlaut.evaluation",
    "numerals": "text_to_num",
    "server": "wortlaut.server.app",
    "wyoming": "wortlaut.server.wyoming",
}
"""What each light extra is for, as something to import; only with the extra can it be."""

NEEDS = {"wyoming": "server,wyoming"}
"""An extra that adds to another one is of use with it only."""

HEAVY = {
    "ctc": "safetensors, torch, transformers, wortlaut.alignment.ctc_networks",
    "pyannote": "pyannote.audio, wortlaut.diarization.pyannote.loading",
    "whisperx": "whisperx, wortlaut.engines.whisperx.loading",
}
"""Extras that bring gigabytes of PyTorch. That the models behind them work is for the tests marked `torch`."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The folder with source archive and wheel; the wheel is built from the archive."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT))
    return folder


@pytest.fixture(scope="module")
def command_dist(tmp_path_factory):
    """The folder with the distribution that is nothing but the command `whisperx`."""
    folder = tmp_path_factory.mktemp("command")
    run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT / "packaging" / "wortlaut-whisperx"))
    return folder


def run(*command, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env={**kept, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def interpreter(version):
    """A Python of this version on PATH or where pyenv keeps them; one that cannot run does not count."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(kept.glob(f"{version}.*/bin/python")))]
    for candidate in filter(None, candidates):
        asked = [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def installed(dist, folder, version, extra, *options):
    """Install the wheel into a new environment; return the folder with its commands.

    Without extras as people do, with pip; with an extra by uv, which resolves alike and does not copy what it has.
    """
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    (wheel,) = dist.glob("*.whl")
    run(python, "-m", "venv", str(folder))
    inside = str(folder / "bin" / "python")
    install = (
        [sys.executable, "-m", "uv", "pip", "install", "--python", inside]
        if extra
        else [inside, "-m", "pip", "install"]
    )
    run(*install, "--quiet", *options, f"{wheel}[{extra}]" if extra else str(wheel))
    return folder / "bin"


def test_the_extra_brings_the_command_whisperx(dist, command_dist, tmp_path):
    there = installed(dist, tmp_path / "venv", "3.11", "whisperx-command", "--find-links", str(command_dist))
    assert "--align_model" in run(str(there / "whisperx"), "--help")
    assert not (installed(dist, tmp_path / "bare", "3.11", "") / "whisperx").exists()


def test_the_archives_hold_what_is_needed_and_no_more(dist):
    (wheel,) = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("wortlaut/py.typed", "wortlaut/jobs/migrations/0001_jobs.sql", "wortlaut/formats/page.css"):
        assert name in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if not name.startswith(("wortlaut/", "wortlaut-"))]
    assert wheel.stat().st_size < 2_000_000
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        sources = {name.split("/", maxsplit=1)[1] for name in opened.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "tests/conftest.py", "docker/requirements.lock"} <= sources


def test_no_extra_is_forgotten():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {*PROVES, *HEAVY, "whisperx-command"} == {"", *project["optional-dependencies"]}


@pytest.mark.models
@pytest.mark.parametrize("extra", PROVES)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_works(dist, tmp_path, models_dir, sample_conversation, version, extra):
    commands = installed(dist, tmp_path / "venv", version, NEEDS.get(extra, extra))
    works(commands, models_dir, sample_conversation)
    run(str(commands / "python"), "-c", f"import {PROVES[extra]}")
    if extra == "server":
        assert "--workers" in run(str(commands / "wortlaut"), "serve", "--help", COLUMNS="200")
    if extra == "docx":
        target = tmp_path / "out"
        run(str(commands / "wortlaut"), "transcribe", str(sample_conversation), "-o", str(target), "-f", "docx")
        assert zipfile.is_zipfile(target / "sample.docx")
    shutil.rmtree(tmp_path / "venv")  # hundreds of megabytes, 21 times


@pytest.mark.models
@pytest.mark.peer
@pytest.mark.parametrize("extra", HEAVY)
def test_the_wheel_works_with_pytorch(dist, tmp_path, models_dir, sample_conversation, extra):
    """A run of pyannote's own pipelines needs a token and is not part of this."""
    commands = installed(dist, tmp_path / "venv", "3.12", extra)
    works(commands, models_dir, sample_conversation)
    run(str(commands / "python"), "-c", f"import {HEAVY[extra]}")
    shutil.rmtree(tmp_path / "venv")


def works(commands, models_dir, sample):
    settings = {"WORTLAUT_MODELS_DIR": str(models_dir), "WORTLAUT_OFFLINE": "1"}
    findings = json.loads(run(str(commands / "wortlaut"), "doctor", "--json", **settings))
    assert not [finding for finding in findings if finding["state"] == "problem"]
    assert "originally from Chicago" in run(str(commands / "wortlaut"), "transcribe", str(sample), **settings)
