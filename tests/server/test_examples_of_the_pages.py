"""What the pages show is run against a service: every curl line, and the clients in Python."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
CURL = re.compile(r"^(?:\$ )?(curl .*)$", re.MULTILINE)


def blocks(page):
    return FENCE.findall(page.read_text(encoding="utf-8"))


def curl_lines():
    """Every line once, without the comment and the file it is written to."""
    found = [line for page in PAGES for _, text in blocks(page) for line in CURL.findall(text)]
    return sorted({shlex.join(shlex.split(line, comments=True)).partition(" '>'")[0] for line in found})


def python_example(page, word):
    (found,) = [text for language, text in blocks(DOCS / page) if language == "python" and word in text]
    return found


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folder in which one is, with the recordings that the pages speak of."""
    for name in ("talk.mp3", "meeting.mp4"):
        (tmp_path / name).write_bytes(b"say Guten Tag zusammen\nsay Hallo")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_lines_to_try():
    assert len(curl_lines()) >= 8


@pytest.mark.parametrize("line", curl_lines())
def test_a_curl_line_is_answered(line, here, base_url, http, finished):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    if "ID" in line:
        job = finished(http.post("/v1/jobs", files={"file": ("talk.wav", b"say Hallo", "audio/wav")}).json())
        line = line.replace("ID", job["id"])
    line = re.sub(r"localhost:9000|https://HOST", base_url, line)
    words = ["curl", "--fail-with-body", "--silent", "--show-error", *shlex.split(line)[1:]]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout or list(here.glob("result.*"))


@pytest.mark.parametrize("language", ["", ".de"])
def test_the_openai_client(language, here, base_url):
    code = python_example(f"service-clients{language}.md", "OpenAI").replace("http://localhost:9000", base_url)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert "Guten Tag zusammen" in done.stdout, done.stderr


@pytest.mark.parametrize("language", ["", ".de"])
def test_the_upload_that_can_be_resumed(language, here, base_url, http, finished):
    code = python_example(f"service{language}.md", "TusClient").replace("http://localhost:9000", base_url)
    done = subprocess.run(
        [sys.executable, "-c", code + "\nprint(upload_id)"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    job = finished(http.post("/v1/jobs", data={"upload": done.stdout.strip()}).json())
    assert job["state"] == "done"
