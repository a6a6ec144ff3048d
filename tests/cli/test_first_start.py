"""What the first start says: one announcement, in the reader's language, before anything is fetched."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wortlaut import assembly
from wortlaut.cli import app
from wortlaut.cli.progress import announce_downloads
from wortlaut.models.announcement import announcement
from wortlaut.models.catalog import DEFAULT_MODELS, find_entry
from wortlaut.models.store import ModelStore
from wortlaut.notice import ANNOUNCEMENTS
from wortlaut.transcript import Segment, Transcript, Turn, Word

ROOT = Path(__file__).parents[2]


@pytest.fixture
def announcements():
    """Show them as the command line does, and leave the logger as it was."""
    logger = logging.getLogger(ANNOUNCEMENTS)
    before = logger.handlers, logger.level, logger.propagate
    announce_downloads()
    yield logger
    logger.handlers, logger.level, logger.propagate = before


@pytest.mark.parametrize(("language", "said"), [("en", "After that no network is needed."), ("de", "Danach ist kein")])
def test_it_is_said_in_the_readers_language(language, said, announcements, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("WORTLAUT_LANG", language)
    announce_downloads()  # on the stderr that is captured now
    announcements.info("%s", announcement([find_entry(name) for name in DEFAULT_MODELS], tmp_path))
    written = capsys.readouterr().err
    assert said in written
    assert f"{tmp_path} (WORTLAUT_MODELS_DIR" in written
    assert len(written.splitlines()) == 10


@pytest.fixture
def demo(announcements, monkeypatch, capsys, tmp_path):
    """Run the demo on a machine that has no models; fetching and transcribing are only pretended."""
    words = (Word(" Hello.", 0.0, 0.5, 0.9, "SPEAKER_00"),)
    transcript = Transcript((Segment(words, "en"),), (Turn(0.0, 0.5, "SPEAKER_00"),), "en", 1.0)
    monkeypatch.setenv("WORTLAUT_MODELS_DIR", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(ModelStore, "find_unlisted", lambda *_: None)
    monkeypatch.setattr(ModelStore, "_install", lambda *_: tmp_path)
    monkeypatch.setattr(assembly.Transcriber, "warm_up", lambda *_: None)
    monkeypatch.setattr(assembly.Transcriber, "transcribe", lambda *_: transcript)
    monkeypatch.setattr(sys, "argv", ["wortlaut", "demo"])

    def run():
        with pytest.raises(SystemExit) as left:
            app.run()
        assert not left.value.code
        return capsys.readouterr()

    return run


def test_the_demo_announces_all_it_fetches_at_once(demo):
    """The sample and the models; without the models nothing is transcribed, without the sample there is no demo."""
    out, err = demo()
    assert err.count("is fetched now, once:") == 1
    for name in ("sample-conversation", *DEFAULT_MODELS):
        assert f"  {name} (" in err
    assert "Without base, silero-vad nothing is transcribed" in err
    assert "SPEAKER_00 speaks for 0.5 s and says 1 words." in out
    assert "of processor time" in out


def test_the_demo_speaks_german_too(demo, monkeypatch):
    monkeypatch.setenv("WORTLAUT_LANG", "de")
    out, err = demo()
    assert "SPEAKER_00: Hello." in out
    assert "SPEAKER_00 spricht 0.5 s und sagt 1 Wörter." in out
    assert "Sprache: en. Warnungen: keine." in out
    assert "s Prozessorzeit" in out
    assert "wird jetzt einmal geholt:" in err


def test_the_command_line_starts_where_there_are_no_modules_of_unix():
    """Windows has none of these."""
    missing = ("resource", "fcntl", "pwd", "grp", "termios")
    code = f"import sys; sys.modules |= dict.fromkeys({missing!r}); import wortlaut.cli.app, wortlaut.cli.demo as d; "
    command = [sys.executable, "-c", code + "print(d._cost(10, 2, 1))"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "10 s of sound took 2.0 s here (5x real time), 1.0 s of processor time.\n"
