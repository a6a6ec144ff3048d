"""A performer that does what the recording says, for tests of programs around jobs: the "recording" is lines of text.

`say hello there` is a sentence of the transcript. `sleep 3`, `crash`, `exhaust` (runs out of memory), `killed`, `hang`,
`raise why` and `once FILE` (crashes unless the file exists) do what they are called; `note FILE what` adds a line to a
file. Anything else is no recording. A line that has been obeyed is a row of the stage `recognize`: what results of
stages hold is not obeyed again.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from wortlaut.errors import MediaInvalid, OutOfMemory
from wortlaut.jobs.stage_results import StageResults
from wortlaut.options import Options, Progress
from wortlaut.stages import LanguageGuess, Listener, ignore
from wortlaut.transcript import Provenance, Segment, Transcript, Turn, Word


@dataclass(frozen=True, slots=True)
class ObedientPerformer:
    """Obeys line by line."""

    def warm_up(self, options: Options, listener: Listener = ignore) -> None:  # noqa: ARG002 as the seam says
        if options.model == "tiny":
            raise MediaInvalid("warm-up failed as asked")

    def describe(self) -> Mapping[str, object]:
        return {
            "device": "cpu",
            "compute_type": "int8",
            "batch_size": int(os.environ.get("WORTLAUT_BATCH_SIZE", "8")),
            "cuda_available": False,
            "diarization_available": True,
        }

    def transcribe(
        self, media: Path, options: Options, listener: Listener = ignore, results: StageResults | None = None
    ) -> Transcript:
        content = media.read_bytes()
        print("libraries may print")  # noqa: T201 which must not disturb the protocol
        text = content.decode("utf-8", "replace") if not content.startswith(b"RIFF") else f"say riff {len(content)}"
        self._obey_all(media, text.splitlines(), listener, results)
        transcript = scripted_transcript(text, options)
        reused = results.reused if results else {}
        return replace(transcript, provenance=replace(transcript.provenance, reused=reused))

    def detect_language(self, media: Path, options: Options, listener: Listener = ignore) -> LanguageGuess:  # noqa: ARG002
        return LanguageGuess("de", 0.98)

    def _obey_all(self, media: Path, lines: list[str], listener: Listener, results: StageResults | None) -> None:
        if results is None:
            for line in lines:
                self._obey(media, line, listener)
            return
        shelf = replace(results, save_every=0.0).shelf("recognize", lines, _LINE)
        known = len(shelf.load())
        results.count("recognize", reused=known)
        for _ in shelf.filled((self._obey(media, line, listener) for line in lines[known:]), known):
            pass

    def _obey(self, media: Path, line: str, listener: Listener) -> str:
        verb, _, rest = line.partition(" ")
        listener(Progress("recognize", 0.0, 1.0))
        if verb == "say":
            return line
        if verb == "note":
            file, _, what = rest.partition(" ")
            with Path(file).open("a") as notes:
                notes.write(f"{what}\n")
        elif verb == "sleep":
            _sleep(float(rest), listener)
        elif verb == "hang":
            time.sleep(600)
        elif verb in _SIGNALS:
            os.kill(os.getpid(), _SIGNALS[verb])
        elif verb == "once":
            _crash_once(Path(rest))
        elif verb == "exhaust":
            raise OutOfMemory(f"batch {os.environ.get('WORTLAUT_BATCH_SIZE')}")
        elif verb == "raise":
            raise RuntimeError(rest)
        else:
            raise MediaInvalid(f"{media.name!r} is no recording.")
        return line


_LINE = TypeAdapter(str)
_SIGNALS = {"crash": signal.SIGSEGV, "killed": signal.SIGKILL}


def _sleep(seconds: float, listener: Listener) -> None:
    for step in range(int(seconds * 10)):
        time.sleep(0.1)
        listener(Progress("recognize", step / 10, seconds))


def _crash_once(flag: Path) -> None:
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGSEGV)


def scripted_transcript(text: str, options: Options) -> Transcript:
    spoken = [line.removeprefix("say ") for line in text.splitlines() if line.startswith("say ")]
    segments, turns = [], []
    for number, line in enumerate(spoken):
        speaker = f"SPEAKER_{number:02}" if options.speakers else None
        parts = line.split()
        segments.append(Segment(_words(parts, number, speaker), options.language or "en", -0.25))
        if speaker:
            turns.append(Turn(float(number), number + 1.0, speaker))
    provenance = Provenance(seconds={"recognize": 0.5})
    return Transcript(tuple(segments), tuple(turns), options.language or "en", float(len(spoken)), provenance)


def _words(parts: list[str], start: float, speaker: str | None) -> tuple[Word, ...]:
    step = 1 / len(parts)
    texts = [part if not index else f" {part}" for index, part in enumerate(parts)]
    return tuple(
        Word(text, start + index * step, start + (index + 1) * step, 0.9, speaker) for index, text in enumerate(texts)
    )


def open_obedient() -> ObedientPerformer:
    return ObedientPerformer()
