"""The wheel, installed into an empty environment, does the main job: every extra, on every Python (`make wheel-test`).

Slow: each case installs everything anew. The variables of uv and pip apply, so that a folder of wheels or a list of
constraints can be given: UV_FIND_LINKS, UV_CONSTRAINT, PIP_FIND_LINKS, PIP_CONSTRAINT.
"""

from __future__ import annotations

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

slow = [pytest.mark.slow, pytest.mark.timeout(1800)]


def interpreter(version):
    """A Python of this version on PATH or where pyenv and uv keep them; one that cannot run does not count."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    fetched = Path.home() / ".local" / "share" / "uv" / "python"
    found = [*kept.glob(f"{version}.*/bin/python"), *fetched.glob(f"cpython-{version}.*/bin/python3")]
    for candidate in filter(None, [shutil.which(f"python{version}"), *map(str, sorted(found))]):
        asked = [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


@pytest.fixture
def installed(dist, run, tmp_path):
    """Return what installs the wheel into a new environment and returns the folder with its commands.

    Without extras as people do, with pip; with an extra by uv, which resolves alike and does not copy what it has.
    """

    def install(version, extra, *options, name="venv"):
        python = interpreter(version)
        if python is None:
            pytest.skip(f"there is no Python {version} on this machine")
        (wheel,) = dist.glob("*.whl")
        folder = tmp_path / name
        run(python, "-m", "venv", str(folder))
        inside = str(folder / "bin" / "python")
        uv = [sys.executable, "-m", "uv", "pip", "install", "--python", inside]
        tool = uv if extra else [inside, "-m", "pip", "install"]
        run(*tool, "--quiet", *options, f"{wheel}[{extra}]" if extra else str(wheel))
        return folder / "bin"

    yield install
    shutil.rmtree(tmp_path, ignore_errors=True)  # hundreds of megabytes, many times


class TestSlowly:
    pytestmark = slow

    @pytest.mark.models
    @pytest.mark.parametrize("version", VERSIONS)
    def test_the_extra_brings_the_command_whisperx(self, installed, command_dist, works, run, version):
        there = installed(version, "whisperx-command", "--find-links", str(command_dist))
        works(there)
        assert "--align_model" in run(str(there / "whisperx"), "--help")
        assert not (installed(version, "", name="bare") / "whisperx").exists()

    def test_the_archives_hold_what_is_needed_and_no_more(self, dist):
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

    @pytest.mark.models
    @pytest.mark.parametrize("extra", PROVES)
    @pytest.mark.parametrize("version", VERSIONS)
    def test_the_wheel_works(self, installed, works, run, tmp_path, sample_conversation, version, extra):
        commands = installed(version, NEEDS.get(extra, extra))
        works(commands)
        run(str(commands / "python"), "-c", f"import {PROVES[extra]}")
        if extra == "server":
            assert "--workers" in run(str(commands / "wortlaut"), "serve", "--help", COLUMNS="200")
        if extra == "docx":
            target = tmp_path / "out"
            run(str(commands / "wortlaut"), "transcribe", str(sample_conversation), "-o", str(target), "-f", "docx")
            assert zipfile.is_zipfile(target / "sample.docx")

    @pytest.mark.parametrize("extra", HEAVY)
    @pytest.mark.parametrize("version", VERSIONS)
    def test_there_are_wheels_for_an_extra_with_pytorch(self, dist, version, extra):
        """Nothing but metadata is fetched: what would be installed is found, and none of it has to be built."""
        (wheel,) = dist.glob("*.whl")
        options = ("--no-header", "--no-annotate", "--python-platform", "x86_64-manylinux_2_28")
        only_wheels = ("--only-binary", ":all:", "--no-binary", "julius,antlr4-python3-runtime")
        done = subprocess.run(
            [sys.executable, "-m", "uv", "pip", "compile", *options, *only_wheels, "--python-version", version, "-"],
            input=f"wortlaut[{extra}] @ {wheel.as_uri()}",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert "torch==" in done.stdout

    @pytest.mark.models
    @pytest.mark.peer
    @pytest.mark.parametrize("extra", HEAVY)
    @pytest.mark.parametrize("version", VERSIONS)
    def test_the_wheel_works_with_pytorch(self, installed, works, run, version, extra):
        """A run of pyannote's own pipelines needs a token and is not part of this."""
        commands = installed(version, extra)
        works(commands)
        run(str(commands / "python"), "-c", f"import {HEAVY[extra]}")


def test_no_extra_is_forgotten():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {*PROVES, *HEAVY, "whisperx-command"} == {"", *project["optional-dependencies"]}


@pytest.mark.models
def test_the_wheel_works_with_the_packages_that_are_here(works, run, tmp_path):
    """The row of every day: nothing is fetched. The wheel stands before this environment's packages."""
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT))
    (wheel,) = tmp_path.glob("*.whl")
    uv = (sys.executable, "-m", "uv", "--offline", "--quiet")
    run(*uv, "venv", "--python", sys.executable, str(tmp_path / "venv"))
    run(*uv, "pip", "install", "--no-deps", "--python", str(tmp_path / "venv"), str(wheel))
    (site,) = (tmp_path / "venv").glob("[Ll]ib/**/site-packages")
    (site / "packages-that-are-here.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path))
    commands = next(path for name in ("bin", "Scripts") if (path := tmp_path / "venv" / name).is_dir())
    assert str(tmp_path) in run(str(commands / "python"), "-c", "import wortlaut; print(wortlaut.__file__)")
    works(commands)
