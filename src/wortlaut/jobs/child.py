"""The process that does the work: `python -m wortlaut.jobs.child module:callable`.

Native code runs here, so that a crash, a hang or a lack of memory takes this process and nothing else.

- stdin brings one JSON object a line: {"work": "transcribe" | "detect" | "warm_up" | "describe", "media", "options",
  "result", "kept"} or {"cancel": true}. When it closes, the parent is gone and so are we, in the middle of whatever
  it is.
- stdout answers with one a line: {"stage", "done", "total"} while it goes on, then {"end": {...}} or {"error": {...}}.
  What libraries print goes to stderr.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from wortlaut.errors import Cancelled, OutOfMemory, WortlautError
from wortlaut.formats.whisperx_json import render
from wortlaut.jobs.errors import Failure
from wortlaut.jobs.options_json import options_from_json
from wortlaut.jobs.performer import Performer, load_performer
from wortlaut.jobs.stage_results import StageResults
from wortlaut.options import Progress
from wortlaut.storage import open_storage

REPORT = 0.2
"""Seconds between two progress messages of one stage: more would be noise."""

Plain = dict[str, Any]


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    channel = _own_stdout()
    _volunteer_for_out_of_memory()
    requests: queue.SimpleQueue[Plain] = queue.SimpleQueue()
    is_cancelled = threading.Event()
    threading.Thread(target=_read, args=(requests, is_cancelled), daemon=True).start()
    performer = load_performer(sys.argv[1])
    desk = _Desk(performer, channel, is_cancelled)
    while True:
        desk.serve(requests.get())


def _own_stdout() -> TextIO:
    """Keep stdout for messages and give libraries stderr in its place."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "w", encoding="utf-8", buffering=1)


def _volunteer_for_out_of_memory() -> None:
    """Let Linux end this process, and not the database or the service, when memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900", "ascii")


def _read(requests: queue.SimpleQueue[Plain], is_cancelled: threading.Event) -> None:
    with open(0, "rb", closefd=False) as lines:  # not sys.stdin: its lock would make an orderly end impossible
        for line in lines:
            message: Plain = json.loads(line)
            if "cancel" in message:
                is_cancelled.set()
            else:
                is_cancelled.clear()
                requests.put(message)
    os._exit(1)


def _results(request: Plain) -> StageResults | None:
    """Open the results of stages where the request says that they lie."""
    kept = request.get("kept")
    return StageResults(open_storage(kept["storage"]).objects, kept["scope"]) if kept else None


class _Desk:
    """Takes one request after the other."""

    def __init__(self, performer: Performer, channel: TextIO, is_cancelled: threading.Event) -> None:
        self._performer = performer
        self._channel = channel
        self._is_cancelled = is_cancelled
        self._last = ("", 0.0)

    def serve(self, request: Plain) -> None:
        """Answer a request. What is no error of ours ends the process: the parent reports it as a crash."""
        self._last = ("", 0.0)
        works: Mapping[str, Callable[[Plain], Plain]] = {
            "transcribe": self._transcribe,
            "detect": self._detect,
            "warm_up": self._warm_up,
            "describe": self._describe,
        }
        try:
            self._say(end=works[request["work"]](request))
        except WortlautError as error:
            self._say(error=Failure.of(error).to_json())
        except MemoryError:
            self._say(error=Failure.of(OutOfMemory()).to_json())

    def _transcribe(self, request: Plain) -> Plain:
        transcript = self._performer.transcribe(
            Path(request["media"]), options_from_json(request["options"]), self._listen, _results(request)
        )
        Path(request["result"]).write_bytes(render(transcript))
        made_by = transcript.provenance
        return {"duration": transcript.duration, "seconds": dict(made_by.seconds), "reused": dict(made_by.reused)}

    def _detect(self, request: Plain) -> Plain:
        guess = self._performer.detect_language(
            Path(request["media"]), options_from_json(request["options"]), self._listen
        )
        answer = {"language": guess.language, "probability": guess.probability}
        Path(request["result"]).write_text(json.dumps(answer), "utf-8")
        return {"duration": None, "seconds": {}, "reused": {}}

    def _warm_up(self, request: Plain) -> Plain:
        self._performer.warm_up(options_from_json(request["options"]), self._listen)
        return self._describe(request)

    def _describe(self, _request: Plain) -> Plain:
        return dict(self._performer.describe())

    def _listen(self, progress: Progress) -> None:
        if self._is_cancelled.is_set():
            raise Cancelled
        stage, said = self._last
        if stage != progress.stage or time.monotonic() - said >= REPORT:
            self._last = (progress.stage, time.monotonic())
            self._say(stage=progress.stage, done=float(progress.done), total=float(progress.total))

    def _say(self, **message: object) -> None:
        self._channel.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main()
