"""Every way of installing that the pages show is tried, with the wheels built here in place of an index's."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(?:\$ )?((?:pip|pipx|uvx|uv) .*)$", re.MULTILINE)
LINES = sorted(
    {
        shlex.join(shlex.split(line, comments=True))
        for page in PAGES
        for block in FENCE.findall(page.read_text(encoding="utf-8"))
        for line in LINE.findall(block)
    }
)
AFTER = {"pip install --no-index": "pip download"}
"""A line that uses what another one has fetched."""


@pytest.fixture
def place(tmp_path, dist, command_dist, models_dir, sample_conversation):
    """A folder with a recording, and the environment of somebody who has a new virtual environment active."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "interview.m4a").symlink_to(sample_conversation)
    venv.create(tmp_path / "venv", with_pip=True)
    for name in ("pipx", "uv", "uvx"):
        (tmp_path / "venv" / "bin" / name).symlink_to(Path(sys.executable).parent / name)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    wheels = [*filter(None, [kept.get("PIP_FIND_LINKS")]), str(dist), str(command_dist)]
    given = {
        "PATH": f"{tmp_path}/bin:{tmp_path}/venv/bin:/usr/bin:/bin",
        "PIP_FIND_LINKS": " ".join(wheels),
        "UV_FIND_LINKS": ",".join(wheels[-2:]),
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "WORTLAUT_MODELS_DIR": str(models_dir),
        "WORTLAUT_OFFLINE": "1",
    }
    return tmp_path / "here", {**kept, **given}


def said(place, line):
    folder, environment = place
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_there_are_lines_to_try():
    assert {line.split()[0] for line in LINES} == {"pip", "pipx", "uvx"}
    assert len(LINES) >= 6


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform == "win32", reason="the lines are for a shell of Unix")
@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_pages_installs_what_works(line, place):
    for start, before in AFTER.items():
        if line.startswith(start):
            said(place, next(other for other in LINES if other.startswith(before)))
    written = said(place, line)
    if "transcribe" in line:
        assert "originally from Chicago" in written
    elif "install" in line:
        assert "originally from Chicago" in said(place, "wortlaut transcribe interview.m4a")
        assert "wortlaut" in said(place, "wortlaut --version")
    if "whisperx-command" in line:
        assert "--align_model" in said(place, "whisperx --help")
    if "[server" in line and "install" in line:
        assert "--workers" in said(place, "COLUMNS=200 wortlaut serve --help")


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform == "win32", reason="the lines are for a shell of Unix")
@pytest.mark.parametrize(
    "tool", ["pipx install {wheel} && wortlaut", "pipx run --spec {wheel} wortlaut", "uvx --from {wheel} wortlaut"]
)
def test_the_wheel_as_a_file_works_too(tool, place, dist):
    (wheel,) = dist.glob("*.whl")
    assert "originally from Chicago" in said(place, f"{tool.format(wheel=wheel)} transcribe interview.m4a")
