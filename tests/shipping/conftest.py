"""What the tests of the wheel share: the archives, commands in an environment like a user's, and the main job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(*command, **environment):
    """Run a command without this checkout's code; return what it says."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env={**kept, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def run():
    return _run


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """The folder with source archive and wheel; the wheel is built from the archive."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT))
    return folder


@pytest.fixture(scope="session")
def command_dist(tmp_path_factory):
    """The folder with the distribution that is nothing but the command `whisperx`."""
    folder = tmp_path_factory.mktemp("command")
    _run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT / "packaging" / "wortlaut-whisperx"))
    return folder


@pytest.fixture(scope="session")
def works(models_dir, sample_conversation):
    """Return what sees that an installed Wortlaut finds no problem here and does the main job."""
    settings = {"WORTLAUT_MODELS_DIR": str(models_dir), "WORTLAUT_OFFLINE": "1"}

    def judge(commands):
        findings = json.loads(_run(str(commands / "wortlaut"), "doctor", "--json", **settings))
        assert not [finding for finding in findings if finding["state"] == "problem"]
        said = _run(str(commands / "wortlaut"), "transcribe", str(sample_conversation), **settings)
        assert "originally from Chicago" in said

    return judge
