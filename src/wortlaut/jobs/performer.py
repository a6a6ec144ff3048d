"""What a working process works with, as a seam: a `Transcriber` stands behind it, or a script in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from wortlaut.jobs.stage_results import StageResults
from wortlaut.options import Options
from wortlaut.stages import LanguageGuess, Listener, ignore
from wortlaut.transcript import Transcript


class Performer(Protocol):
    """Transcribes one recording after the other and keeps its models loaded."""

    def warm_up(self, options: Options, listener: Listener = ignore) -> None:
        """Fetch and load what these options need."""
        ...

    def describe(self) -> Mapping[str, object]:
        """Return `device`, `compute_type`, `batch_size`, `cuda_available` and `diarization_available`, as JSON.

        Loads nothing.
        """
        ...

    def transcribe(
        self, media: Path, options: Options, listener: Listener = ignore, results: StageResults | None = None
    ) -> Transcript:
        """Return who said what, when. `listener` may raise `Cancelled`. Raises `WortlautError`s.

        What `results` holds of stages is not computed again, and what is computed is added to it.
        """
        ...

    def detect_language(self, media: Path, options: Options, listener: Listener = ignore) -> LanguageGuess:
        """Return the language of a recording; `und` with probability 0 if nobody speaks."""
        ...


OpenPerformer = Callable[[], Performer]


def load_performer(name: str) -> Performer:
    """Call what `module:callable` names."""
    module, _, attribute = name.partition(":")
    return cast("OpenPerformer", getattr(import_module(module), attribute))()
