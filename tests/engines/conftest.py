"""A whisperX that is played: the parts of its interface that the engine uses, without its weights."""

from __future__ import annotations

import contextlib
import importlib
import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from wortlaut.engines.whisperx import aligning, loading

WORDS = ({"word": "Good", "start": 0.1, "end": 0.4, "score": 0.9}, {"word": "2"})


@dataclass
class PlayedWhisperx:
    """What it was asked, and what it shall answer."""

    regions: list[tuple[float, float]] = field(default_factory=lambda: [(0.5, 1.5), (2.0, 3.0)])
    texts: list[str] = field(default_factory=lambda: [" Good 2."])
    loaded: dict = field(default_factory=dict)
    guards: list[tuple[str, ...]] = field(default_factory=list)
    transcribed: list[dict] = field(default_factory=list)
    aligner_error: Exception | None = None
    is_guarded: bool = False


class Vad:
    """whisperX's base class for detectors."""

    @staticmethod
    def merge_chunks(segments, chunk_size, onset, offset):
        assert (chunk_size, onset, offset) == (30, 0.5, 0.363)
        pairs = [(segment.start, segment.end) for segment in segments]
        return [{"start": pairs[0][0], "end": pairs[-1][1], "segments": pairs}]


class Pipeline:
    """whisperX's FasterWhisperPipeline."""

    _vad_params = {"chunk_size": 30, "vad_onset": 0.5, "vad_offset": 0.363}  # noqa: RUF012 as whisperX has it

    def __init__(self, played):
        self.played = played
        self.vad_model = Detector(played)

    def detect_language(self, audio):
        assert len(audio) <= 30 * 16_000
        return "en"

    def transcribe(self, audio, **asked):
        assert isinstance(self.vad_model, Vad)
        assert isinstance(audio, np.ndarray)
        sound = self.vad_model.preprocess_audio(audio)
        chunks = self.vad_model.merge_chunks(
            self.vad_model({"waveform": sound, "sample_rate": 16_000}), 30, onset=0.5, offset=0.363
        )
        self.played.transcribed.append(asked | {"chunks": chunks, "samples": len(audio)})
        texts = self.played.texts
        return {"segments": [{"text": texts[i % len(texts)], "avg_logprob": -0.2} for i in range(len(chunks))][:9]}


class Detector(Vad):
    def __init__(self, played):
        self.played = played

    def preprocess_audio(self, audio):
        return audio[None]

    def __call__(self, audio):
        assert audio["waveform"].ndim == 2
        return self.played.regions

    def merge_chunks(self, scores, chunk_size, onset, offset):
        return [{"start": scores[0][0], "end": scores[-1][1], "segments": scores}] if scores else []


def module(name, **content):
    made = ModuleType(name)
    vars(made).update(content)
    return made


@pytest.fixture
def played(monkeypatch):
    """whisperX 3.8.6 as it seems to be installed."""
    played = PlayedWhisperx()

    def load_model(folder, device, **asked):
        print("whisperX talks")  # noqa: T201 as it does
        played.loaded = {"folder": folder, "device": device, "is_guarded": played.is_guarded, **asked}
        return Pipeline(played)

    def load_align_model(language, device, *, model_cache_only=False):
        if played.aligner_error:
            raise played.aligner_error
        return "network", {"language": language}

    def align(segments, network, metadata, audio, device):
        assert (network, device) == ("network", "cpu")
        return {"word_segments": list(WORDS) if "Good" in segments[0]["text"] else [{"word": "a"}]}

    @contextlib.contextmanager
    def guarded_loading(allowed):
        played.guards.append(tuple(allowed))
        played.is_guarded = True
        yield
        played.is_guarded = False

    modules = {
        "whisperx": module("whisperx", load_model=load_model, load_align_model=load_align_model, align=align),
        "whisperx.vads": module("whisperx.vads"),
        "whisperx.vads.vad": module("whisperx.vads.vad", Vad=Vad),
        "whisperx.alignment": module(
            "whisperx.alignment", DEFAULT_ALIGN_MODELS_TORCH={"en": "BASE"}, load_align_model=load_align_model
        ),
        "torch": module(
            "torch",
            cuda=SimpleNamespace(is_available=lambda: False),
            hub=SimpleNamespace(get_dir=lambda: "/nowhere"),
        ),
        "torchaudio": module("torchaudio"),
        "torchaudio.pipelines": module("torchaudio.pipelines", BASE=SimpleNamespace(_path="base.pth")),
    }
    for name, made in modules.items():
        monkeypatch.setitem(sys.modules, name, made)
    monkeypatch.setattr(loading, "import_pyannote", lambda: None)
    monkeypatch.setattr(loading, "guarded_loading", guarded_loading)
    monkeypatch.setattr(aligning, "guarded_loading", guarded_loading)
    versions = {"whisperx": "3.8.6", "pyannote.audio": "4.0.7"}
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: versions.get(name) or real(name))
    return played
