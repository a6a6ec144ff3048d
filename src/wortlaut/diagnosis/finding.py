"""What a probe says, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wortlaut.diarization.pyannote.token import Token

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    note: something to know, work is possible. problem: the main job, a transcript with speakers, cannot be done.
    `next_step` says what to do about it; only what is ok has none.
    """

    area: str
    name: str
    state: State
    detail: str
    next_step: str = ""

    def __post_init__(self) -> None:
        if self.state != "ok" and not self.next_step:
            raise ValueError(f"{self.name} is not ok and has no next step")


@dataclass(frozen=True, slots=True)
class Installation:
    """What is to be examined. `device` is the one configured."""

    models_dir: Path
    temporary_dir: Path
    is_offline: bool = False
    device: str = "auto"
    token: Token | None = None
    endpoint: str = "https://huggingface.co"
    service_dir: Path | None = None
    """Where the service keeps its database and its jobs; None without the extra `server`."""


Probe = Callable[[Installation], Iterable[Finding]]
