"""`.ci/newest` as a nightly job: it says what is newer than the lock, and by its exit status whether anything broke."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAKE_PYTHON = """#!/bin/sh
# Makes itself into a virtual environment, has packages, and runs no tests.
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *"pip freeze"*) cat "$(dirname "$0")/../../../freeze" ;;
  *"pip install"*"$CONFLICT"*) test -z "$CONFLICT" ;;
  *pytest*) exit "$BROKEN" ;;
esac
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script for a shell of Unix")


@pytest.fixture
def newest(tmp_path):
    """Return what runs a copy of the script with a Python that has `freeze` installed."""
    (tmp_path / "docker").mkdir()
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / "docker" / "ci.lock", tmp_path / "docker")
    shutil.copy(ROOT / ".ci" / "newest", tmp_path / ".ci")
    (tmp_path / "python").write_text(FAKE_PYTHON)
    (tmp_path / "python").chmod(0o755)

    def run(freeze, *, broken=0, conflict=""):
        (tmp_path / "freeze").write_text(freeze)
        settings = {"PYTHON": str(tmp_path / "python"), "BROKEN": str(broken), "CONFLICT": conflict}
        return subprocess.run(
            [str(tmp_path / ".ci" / "newest")],
            env={"PATH": "/usr/bin:/bin", **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    return run


def locked(package):
    return re.search(rf"^{package}==([^ ;]+)", (ROOT / "docker" / "ci.lock").read_text(), re.MULTILINE)[1]


def test_what_is_as_locked_is_not_listed_however_its_name_is_written(newest):
    done = newest(f"numpy==99.0\nRuamel.Yaml=={locked('ruamel-yaml')}\nHTTPX=={locked('httpx')}\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Not as in docker/ci.lock:",
        "numpy==99.0",
        "Everything works with it. `make lock` takes it over.",
    ]


def test_tests_that_fail_end_the_job_with_the_suspects(newest):
    done = newest("numpy==99.0\n", broken=1)
    assert done.returncode == 1
    assert "BROKEN by one of these, or by the machine:\nnumpy==99.0" in done.stdout


def test_where_nothing_is_newer_no_package_is_accused(newest):
    done = newest(f"numpy=={locked('numpy')}\n", broken=1)
    assert done.returncode == 1
    assert "so not by a package" in done.stdout


def test_packages_that_do_not_fit_together_end_it_too(newest):
    assert newest("", conflict="--upgrade-strategy").returncode != 0


def test_it_installs_every_extra_without_pytorch():
    import tomllib

    heavy = {"bench", "ctc", "pyannote", "whisperx", "whisperx-command"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"'\.\[([\w,-]+)\]'", (ROOT / ".ci" / "newest").read_text())
    assert set(extras.split(",")) == {*project["optional-dependencies"]} - heavy
