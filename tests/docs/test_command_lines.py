"""Command lines of the pages are run, without a network, with the sample in place of every recording."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from os import environ
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`((?:wortlaut|python -m wortlaut)[^`\n]+)`")
START = re.compile(r"(?:\w+=\S+ )*(?:wortlaut|python -m wortlaut[.\w]*)\s")
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b(?!=)|\.\.\.|…")
"""What the reader is to fill in: such a line shows a form and is no example."""

NOT_RUN = {
    "wortlaut compare interview.mp3": "whisperX is not installed; tests/comparison compare with a stand-in",
    "wortlaut models pull large-v3-turbo": "needs a network and 1.6 GB; tests/models pull from a server of their own",
    "wortlaut serve": "runs until it is stopped; tests/server start it and ask it",
    "WORTLAUT_WYOMING=true wortlaut serve": "runs until it is stopped; tests/server/test_wyoming.py talks to it",
    "python -m wortlaut.compat.whisperx talk.mp3": "takes `small`, as whisperX does; the tests have `base` only",
    "wortlaut transcribe meeting.mp4 --diarizer pyannote": "needs PyTorch, pyannote.audio and a token",
    "wortlaut transcribe --engine whisperx": "is the beginning of a line, and needs an installed whisperX",
}
"""Lines that are checked for their commands and options only (test_pages.py), and why."""

HERE_IN_PLACE_OF = {"large-v2": "base"}
"""A model that the tests have, for one that they have not."""

RECORDINGS = ("interview.m4a", "call.wav", "noisy.mp3", "talk.mp3", "meeting.mp4", "recordings/interview.m4a")
HEAVY = ("transcribe", "whisperx", "bundle", "import", "doctor", "demo", "verify")
NAME_ALONE = re.compile(r"wortlaut(?: models| keys)? [a-z]+(?: --[a-z-]+)?")
"""The name of a command, or of one of its options, in running text: no example."""


def lines() -> Iterator[str]:
    """Every line of the blocks of code, and what stands in running text with an option or a file."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for _, language, block in FENCE.findall(text):
            if language in {"console", "sh", "bash", "shell"}:
                yield from (line.removeprefix("$ ") for line in block.replace("\\\n", " ").splitlines())
        yield from (span for span in SPAN.findall(FENCE.sub("", text)) if not NAME_ALONE.fullmatch(span))


def without_comment(line: str) -> str:
    return re.sub(r"\s+#.*", "", line).strip()


EXAMPLES = sorted(
    {without_comment(line) for line in lines() if START.match(line) and not PLACEHOLDER.search(without_comment(line))}
)


def marked(line: str) -> object:
    is_heavy = any(word in shlex.split(line) for word in HEAVY)
    return pytest.param(line, marks=pytest.mark.slow if is_heavy else ())


@pytest.fixture(scope="module")
def environment(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Commands named as on the pages, run with this checkout's code."""
    folder = tmp_path_factory.mktemp("commands")
    for name, module in (("wortlaut", "-m wortlaut"), ("python", "")):
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
        (folder / name).chmod(0o755)
    given = {"WORTLAUT_MODELS_DIR": str(models_dir), "WORTLAUT_OFFLINE": "1", "PYTHONPATH": str(ROOT / "src")}
    return {**environ, **given, "PATH": f"{folder}:{environ['PATH']}"}


@pytest.fixture
def here(tmp_path: Path, sample_conversation: Path) -> Path:
    """A folder with all that the pages speak of: recordings, and what was made of them before."""
    for name in RECORDINGS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(sample_conversation)
    rate, mono = wavfile.read(sample_conversation)
    wavfile.write(tmp_path / "stereo-call.wav", rate, np.stack([mono, np.zeros_like(mono)], axis=1))
    wavfile.write(tmp_path / "call.wav.stereo", rate, np.stack([np.zeros_like(mono), mono], axis=1))
    segment = {"start": 1.0, "end": 3.0, "text": "Hello there.", "speaker": "SPEAKER_00"}
    transcript = json.dumps({"segments": [segment], "language": "en"})
    for name in ("talk.json", "out/interview.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(transcript)
    (tmp_path / "talk.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nHello there.\n\n")
    (tmp_path / "model.bin").symlink_to(sample_conversation.parents[1] / "whisper-base" / "model.bin")
    return tmp_path


def run(line: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout + done.stderr


def test_what_is_not_run_is_on_the_pages() -> None:
    assert set(NOT_RUN) <= set(EXAMPLES)
    assert len(set(EXAMPLES) - set(NOT_RUN)) >= 15


@pytest.mark.models
@pytest.mark.skipif(sys.platform == "win32", reason="the lines are for a shell of Unix")
@pytest.mark.parametrize("line", [marked(line) for line in EXAMPLES if line not in NOT_RUN])
def test_a_line_of_the_pages_runs(line: str, here: Path, environment: dict[str, str]) -> None:
    for theirs, ours in HERE_IN_PLACE_OF.items():
        line = line.replace(theirs, ours)
    if "import" in line:
        run("wortlaut models bundle -o models.tar silero-vad segmentation-3.0", here, environment)
        environment = {**environment, "WORTLAUT_MODELS_DIR": str(here / "models")}
    if "call.wav --channels split" in line and "stereo" not in line:
        (here / "call.wav.stereo").replace(here / "call.wav")
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    said = run(line, here, environment)
    written = [path for path in here.rglob("*") if path.is_file() and before.get(path) != path.stat().st_mtime_ns]
    assert said.strip() or written, "it neither says nor writes anything"
    if "transcribe" in line or "whisperx" in line:
        texts = [path.read_text(errors="replace") for path in written if path.suffix != ".docx"]
        assert any("originally from Chicago" in text for text in [said, *texts])
