"""whisperX's Python names: `import wortlaut.compat.whisperx as whisperx`.

The names, signatures and shapes are those of whisperX 3.8.6; `DiarizationPipeline` and `use_auth_token` also stand
where older versions had them. Every module is loaded when one of its names is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wortlaut.compat.whisperx.alignment import align, load_align_model
    from wortlaut.compat.whisperx.asr import load_model
    from wortlaut.compat.whisperx.audio import load_audio
    from wortlaut.compat.whisperx.diarize import DiarizationPipeline, assign_word_speakers
    from wortlaut.compat.whisperx.log_utils import get_logger, setup_logging

__all__ = [
    "DiarizationPipeline",
    "align",
    "assign_word_speakers",
    "get_logger",
    "load_align_model",
    "load_audio",
    "load_model",
    "setup_logging",
]

_HOMES = {
    "DiarizationPipeline": "diarize",
    "align": "alignment",
    "assign_word_speakers": "diarize",
    "get_logger": "log_utils",
    "load_align_model": "alignment",
    "load_audio": "audio",
    "load_model": "asr",
    "setup_logging": "log_utils",
}
_MODULES = frozenset(
    {"SubtitlesProcessor", "alignment", "asr", "audio", "diarize", "log_utils", "schema", "utils", "vads"}
)


def __getattr__(name: str) -> Any:  # noqa: ANN401 a module attribute can be anything
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
