"""The real whisperX, where it is installed: `pip install 'wortlaut[whisperx]'`."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from wortlaut.assembly import Transcriber
from wortlaut.options import Options
from wortlaut.settings import Settings

pytestmark = [pytest.mark.peer, pytest.mark.models, pytest.mark.timeout(1200), pytest.mark.filterwarnings("default")]


@pytest.fixture
def recording(models_dir) -> Path:
    pytest.importorskip("whisperx", exc_type=ImportError)
    return next(models_dir.glob("*/sample.wav"))


def test_the_installed_whisperx_gives_a_transcript_and_says_what_it_left_out(recording, models_dir, capsys):
    options = Options(engine="whisperx", language="en")
    with Transcriber(Settings(models_dir=models_dir, threads=1, offline=True)) as transcriber:
        transcript = transcriber.transcribe(recording, options)
    assert "New Jersey" in transcript.text
    assert all(word.start < word.end <= transcript.duration for word in transcript.words)
    assert transcript.provenance.versions["whisperx"] == importlib.metadata.version("whisperx")
    codes = {notice.code for notice in transcript.warnings}
    named = {word.speaker for word in transcript.words} - {None}
    assert named or "whisperx-diarization-skipped" in codes
    assert capsys.readouterr().out == ""
