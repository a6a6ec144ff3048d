"""Scripted stages behind a `Transcriber`, and the real whisperX in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import platformdirs
import pytest
from filelock import FileLock

import wortlaut.assembly
from wortlaut.audio import Audio, SpeechRegion
from wortlaut.compat.whisperx import alignment, asr, diarize
from wortlaut.errors import MediaNotFound
from wortlaut.pipeline import Pipeline
from wortlaut.speech.packing import pack
from wortlaut.testing import ScriptedAligner, ScriptedDecoder, ScriptedDetector, ScriptedDiarizer, ScriptedRecognizer
from wortlaut.transcript import Turn

PEER = "whisperx==3.8.6"
DRIVER = Path(__file__).parent / "peer_driver.py"

DURATION = 40.0
REGIONS = (SpeechRegion(1.0, 3.0), SpeechRegion(3.5, 9.0), SpeechRegion(20.0, 28.0))
TEXTS = (" Guten Tag. Wie geht es?", " Danke, gut.")
TURNS = (Turn(1.0, 5.0, "SPEAKER_00"), Turn(5.0, 9.0, "SPEAKER_01"), Turn(20.0, 28.0, "SPEAKER_00"))


@dataclass
class Stage:
    """What stands behind every `Transcriber` that is made in a test, and what was asked of it."""

    pipeline: Pipeline
    settings: list[object] = field(default_factory=list)
    options: list[object] = field(default_factory=list)
    batch_sizes: list[int | None] = field(default_factory=list)

    def transcriber(self, settings=None):
        self.settings.append(settings)
        return FakeTranscriber(self)


class FakeTranscriber:
    def __init__(self, stage):
        self.stage = stage

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None

    def warm_up(self, options, listener=None):
        self.stage.options.append(options)

    @contextmanager
    def stages(self, options, listener=None, *, batch_size=None):
        self.stage.options.append(options)
        self.stage.batch_sizes.append(batch_size)
        diarizer = self.stage.pipeline.diarizer if options.speakers else None
        yield replace(self.stage.pipeline, diarizer=diarizer)

    @contextmanager
    def diarizer(self, listener=None):
        yield self.stage.pipeline.diarizer

    def decode(self, media, listener=None):
        return self.stage.pipeline.decoder.decode(media)


class PickyDecoder:
    """Knows no file whose name says that it is missing."""

    def __init__(self, audio):
        self.decoder = ScriptedDecoder(audio)

    def decode(self, media, **advance):
        if "missing" in str(media):
            raise MediaNotFound(f"There is no file {str(media)!r}.")
        return self.decoder.decode(media, **advance)


@pytest.fixture
def stage(monkeypatch):
    audio = Audio.from_array(np.zeros(round(DURATION * 16000), np.float32))
    made = Stage(
        Pipeline(
            decoder=PickyDecoder(audio),
            detector=ScriptedDetector(REGIONS),
            pack=pack,
            recognizer=ScriptedRecognizer(TEXTS, "de"),
            aligner=ScriptedAligner(),
            diarizer=ScriptedDiarizer(TURNS),
        )
    )
    for module in (wortlaut.assembly, asr, alignment, diarize):
        monkeypatch.setattr(module, "Transcriber", made.transcriber)
    return made


@pytest.fixture
def whisperx_logging():
    """Leave the logger as it was found: it is the process's."""
    import logging

    logger = logging.getLogger("whisperx")
    before = SimpleNamespace(handlers=list(logger.handlers), level=logger.level, propagate=logger.propagate)
    yield logger
    for handler in set(logger.handlers) - set(before.handlers):
        handler.close()
    logger.handlers[:] = before.handlers
    logger.setLevel(before.level)
    logger.propagate = before.propagate


@dataclass(frozen=True)
class Peer:
    """whisperX's parser and writers in a process of their own; neither PyTorch nor a model is needed for these."""

    python: Path
    package: Path

    def ask(self, **request):
        done = subprocess.run(
            [self.python, "-X", "utf8", DRIVER],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
            timeout=120,
        )
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def peer():
    """The real whisperX, without its dependencies, installed once into the user's cache folder."""
    folder = platformdirs.user_cache_path("wortlaut-tests", ensure_exists=True) / PEER
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    with FileLock(f"{folder}.lock"):
        if not (folder / ".complete").exists():
            venv.create(folder, with_pip=True, clear=True)
            install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", PEER]
            subprocess.run(install, check=True, timeout=240)
            (folder / ".complete").touch()
    where = "import importlib.util as u; print(u.find_spec('whisperx').submodule_search_locations[0])"
    found = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True)
    return Peer(python, Path(found.stdout.strip()))
