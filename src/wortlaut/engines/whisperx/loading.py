"""The installed whisperX: found, imported without its surprises, and loaded without running a pickle.

whisperX's detector is a checkpoint that torch 2.6 and later refuse as it is, or that pyannote.audio 4 reads by running
whatever is in it. Here it is read under the list of globals that it needs, and no other.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import logging
import pickle
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from packaging.version import InvalidVersion, Version

from wortlaut.diarization.pyannote.loading import import_pyannote
from wortlaut.errors import ExtraMissing, ModelError
from wortlaut.options import Decoding
from wortlaut.safe_loading import SAFE_GLOBALS, guarded_loading

OLDEST = Version("3.7.4")
"""The oldest whisperX that is supported."""

INSTALL = "pip install 'wortlaut[whisperx]'"

FAILURES = (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, LookupError)
"""What whisperX lets through of its parts: torch, CTranslate2, pandas, nltk, the hub."""


@dataclass(frozen=True, slots=True)
class WhisperxModel:
    """whisperX's recognition and its detector, warm. One call at a time: whisperX keeps state in the pipeline."""

    pipeline: Any
    detector: Any
    limits: Mapping[str, float]  # chunk_size in seconds, vad_onset, vad_offset
    device: str
    compute_type: str
    turn: threading.Lock


def require_whisperx() -> Version:
    """Return the installed version. Raises `ExtraMissing` if there is none or it is too old. Imports nothing."""
    try:
        version = Version(importlib.metadata.version("whisperx"))
    except (importlib.metadata.PackageNotFoundError, InvalidVersion) as error:
        raise ExtraMissing("whisperX is not installed.", hint=f"Install it with `{INSTALL}`.") from error
    if version < OLDEST:
        raise ExtraMissing(
            f"The engine whisperx needs whisperX {OLDEST} or later; {version} is installed.",
            hint=f"Install it with `{INSTALL}`.",
        )
    return version


def import_whisperx(module: str = "whisperx") -> ModuleType:
    """Import a module of whisperX. pyannote's telemetry stays off, and whisperX's log goes to stderr with ours.

    Left alone, whisperX logs to stdout, where the transcript belongs. Raises `ExtraMissing`.
    """
    import_pyannote()
    log = logging.getLogger("whisperx")
    if not log.handlers:  # whisperX takes a logger without handlers as a request for its own
        log.addHandler(logging.NullHandler())
    try:
        return importlib.import_module(module)
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        raise ExtraMissing(
            f"whisperX cannot be imported: {error}.", hint="`wortlaut doctor` names the versions that fit together."
        ) from error


def load_model(
    folder: Path, *, decoding: Decoding, task: str, device: str = "auto", compute_type: str = "auto", threads: int = 1
) -> WhisperxModel:
    """Load whisperX with a Whisper model from a folder. `compute_type` auto: what whisperX itself takes.

    Raises `ExtraMissing`, `CheckpointRefused`, or `ModelError` if whisperX cannot load it.
    """
    require_whisperx()
    whisperx = import_whisperx()
    chosen = _device(device)
    computing = {"cuda": "float16"}.get(chosen, "float32") if compute_type == "auto" else compute_type
    try:
        with guarded_loading(SAFE_GLOBALS["whisperx-vad"]), stdout_kept():
            pipeline = whisperx.load_model(
                str(folder),
                chosen,
                compute_type=computing,
                asr_options=asr_options(decoding),
                task=task,
                local_files_only=True,
                threads=threads,
            )
    except (*FAILURES, pickle.UnpicklingError) as error:
        raise ModelError(f"whisperX cannot load {folder.name}: {error}.", hint="Try --engine wortlaut.") from error
    limits: Mapping[str, float] = pipeline._vad_params  # noqa: SLF001 whisperX gives them no other name
    return WhisperxModel(pipeline, pipeline.vad_model, limits, chosen, computing, threading.Lock())


def asr_options(decoding: Decoding) -> dict[str, object]:
    """Return our decoding options under whisperX's names."""
    return {
        "beam_size": decoding.beam_size,
        "best_of": decoding.best_of,
        "patience": decoding.patience,
        "length_penalty": decoding.length_penalty,
        "repetition_penalty": decoding.repetition_penalty,
        "no_repeat_ngram_size": decoding.no_repeat_ngram_size,
        "temperatures": list(decoding.temperatures),
        "compression_ratio_threshold": decoding.compression_ratio_threshold,
        "log_prob_threshold": decoding.logprob_threshold,
        "no_speech_threshold": decoding.no_speech_threshold,
        "suppress_tokens": list(decoding.suppress_tokens),
        "suppress_blank": decoding.suppress_blank,
        "suppress_numerals": decoding.suppress_numerals,
        "initial_prompt": decoding.initial_prompt,
        "hotwords": decoding.hotwords,
    }


def stdout_kept() -> contextlib.AbstractContextManager[object]:
    """Send what whisperX prints while it loads to stderr: stdout is for the transcript."""
    return contextlib.redirect_stdout(sys.stderr)


def _device(device: str) -> str:
    if device != "auto":
        return device
    torch = importlib.import_module("torch")
    return "cuda" if torch.cuda.is_available() else "cpu"
