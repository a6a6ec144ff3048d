"""A subject that follows a script, for tests of what measures it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wortlaut.errors import MediaInvalid, WortlautError
from wortlaut.options import Options
from wortlaut.transcript import Transcript, Word

EXIT_CODE_OF_A_CRASH = 3


@dataclass(frozen=True)
class ScriptedSubject:
    """Answers by file name; what the script does not know is no recording.

    `crashes_on` names files that take the whole process down, as native code does.
    """

    transcripts: Mapping[str, Transcript | WortlautError]
    aligned: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)
    crashes_on: frozenset[str] = frozenset()
    seconds_to_load: float = 0.0

    def __call__(self) -> ScriptedSubject:
        """Be a factory as well: the script travels into the measured process."""
        time.sleep(self.seconds_to_load)
        return self

    def transcribe(self, media: Path, options: Options, /) -> Transcript:  # noqa: ARG002 the protocol's signature
        if media.name in self.crashes_on:
            os._exit(EXIT_CODE_OF_A_CRASH)
        return _said(self.transcripts.get(media.name, MediaInvalid()))

    def align(self, media: Path, text: str, language: str, /) -> list[Word]:  # noqa: ARG002 the protocol's signature
        if media.name not in self.aligned:
            raise MediaInvalid
        return list(self.aligned[media.name])


def _said(answer: Transcript | WortlautError) -> Transcript:
    if isinstance(answer, WortlautError):
        raise answer
    return answer
