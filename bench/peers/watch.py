# ruff: noqa: INP001 - lies beside the scripts that import it
"""What every driver shares: its arguments, a watch for processor and clock, and the JSON line that it prints.

Standard library only: it runs inside each program's own virtual environment.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

Result = Mapping[str, object]
"""`text`, `words` [{text, start, end, speaker}], `turns` [{start, end, speaker}]; what is not given is left out."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="folder with whisper-base for CTranslate2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--language", default="en")
    parser.add_argument("--variant", default="", help="a way of running the program; each driver names its own")
    parser.add_argument("--cold", action="store_true", help="say when the first word is there, and stop")
    parser.add_argument("files", nargs="+")
    chosen = parser.parse_args()
    # Before any library is imported: most read these only once.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(chosen.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"  # telemetry is on by default there
    return chosen


@dataclass
class Watch:
    """Adds up the seconds of named stages."""

    stages: dict[str, dict[str, float]] = field(default_factory=dict)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        cpu, wall = cpu_seconds(), time.perf_counter()
        yield
        spent = self.stages.setdefault(stage, {"cpu": 0.0, "wall": 0.0})
        spent["cpu"] += cpu_seconds() - cpu
        spent["wall"] += time.perf_counter() - wall


def cpu_seconds() -> float:
    """User and system seconds of this process and its ended children."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_mb() -> float:
    """Largest resident memory of this process alone (on Linux), in 10^6 bytes; who started it watches the children.

    Not ru_maxrss: that one is inherited from whoever started the process.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6


def run(load: Callable[[Watch], Callable[[str, Watch], Result]], chosen: argparse.Namespace) -> None:
    """Load the program, let it work on every file and print one JSON line."""
    loading = Watch()
    with loading.measure("load"):
        work = load(loading)
    files = []
    for name in chosen.files:
        watch = Watch()
        with watch.measure("whole"):
            result = work(name, watch)
        files.append({"file": name, "stages": watch.stages, **result})
        if chosen.cold:
            say({"first_word": first_word(result), "cpu": cpu_seconds()})
            return
    say({"load": loading.stages["load"], "peak_mb": peak_mb(), "files": files})


def first_word(result: Result) -> str:
    return str(result.get("text", "")).strip().split(" ")[0]


def say(answer: Mapping[str, object]) -> None:
    # Programs print to stdout what they please; the line is found by how it starts.
    sys.stdout.write("\nRESULT " + json.dumps(answer, default=float) + "\n")
    sys.stdout.flush()


def turns(rows: Sequence[tuple[float, float, str]]) -> list[dict[str, object]]:
    return [{"start": start, "end": end, "speaker": speaker} for start, end, speaker in rows]
