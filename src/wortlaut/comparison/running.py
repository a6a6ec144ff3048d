"""One engine on one recording, in a process of its own, watched from outside.

The process is `wortlaut transcribe` itself, so that what is compared is what users get, loading of the models included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wortlaut.engines.whisperx.loading import require_whisperx
from wortlaut.errors import InvalidOption
from wortlaut.formats.read import read_json
from wortlaut.options import ENGINES
from wortlaut.transcript import Transcript

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took, its ended children included. None where the system does not say (Windows).

    `cpu`: user and system seconds. `peak_megabytes`: resident memory of the largest process.
    """

    wall: float
    cpu: float | None = None
    peak_megabytes: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What one engine made of the recording. `transcript` None: it failed, with that exit code."""

    engine: str
    cost: Cost
    exit_code: int = 0
    transcript: Transcript | None = None


def require_engines(engines: Sequence[str]) -> None:
    """Raise, before anything is run, `InvalidOption` or `ExtraMissing` if an engine is unknown or not installed."""
    for engine in engines:
        if engine not in ENGINES:
            raise InvalidOption(f"{engine!r} is no engine.", hint=f"The engines are {' and '.join(ENGINES)}.")
    if len(set(engines)) < len(engines) or len(engines) < 2:  # noqa: PLR2004 two are compared
        raise InvalidOption("A comparison needs two engines.", hint="Give --engines wortlaut,whisperx.")
    if "whisperx" in engines:
        require_whisperx()


def run(engine: str, media: Path, arguments: Sequence[str], *, python: str = sys.executable) -> Run:
    """Transcribe a recording with an engine. Its messages go to stderr; `arguments` are those of `transcribe`."""
    with tempfile.TemporaryDirectory(prefix="wortlaut-compare-") as folder:
        output = Path(folder, "transcript.json")
        command = [
            python,
            "-m",
            "wortlaut",
            "transcribe",
            str(media),
            "--engine",
            engine,
            "--format",
            "json",
            *arguments,
        ]
        with output.open("wb") as stdout:
            cost, code = _watched(command, stdout.fileno())
        return Run(engine, cost, code, None if code else read_json(output.read_bytes()))


def _watched(command: Sequence[str], stdout: int) -> tuple[Cost, int]:
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=stdout) as process:  # noqa: S603 our own command line
        try:
            if not hasattr(os, "wait4"):
                return Cost(time.perf_counter() - started), process.wait()
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
    unit_bytes = 1 if sys.platform == "darwin" else 1024  # getrusage(2)
    peak = usage.ru_maxrss * unit_bytes / MEGABYTE
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak), process.returncode
