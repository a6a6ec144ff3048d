# ruff: noqa: INP001, T201, S603 - a script that prints, and starts what it installed itself
"""Run Wortlaut and its peers on the same recordings, the same weights and the same number of threads.

    python bench/peers/compare.py --model FOLDER [--runs 3] [--threads 1] [--only NAME ...] FILE...

Each peer gets a virtual environment under the cache folder. Runs are interleaved, because a machine gets slower and
faster over the minutes, and medians are reported. Standard library only; results go to bench/results as JSON and as
a table. Files: 16 kHz (senko reads nothing else), FLAC or WAV, one language.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from memory import PeakMemory

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
CACHE = Path(os.environ.get("WORTLAUT_BENCH_CACHE") or Path.home() / ".cache" / "wortlaut-bench")
TIMEOUT = 3600
REFERENCE = "wortlaut"


@dataclass(frozen=True)
class Program:
    """A program in one way of running it. `steps` are what pip installs, in order; none: this very Python."""

    name: str
    driver: str
    variant: str = ""
    venv: str = ""
    steps: tuple[tuple[str, ...], ...] = ()
    note: str = ""


FASTER_WHISPER = {
    "driver": "drive_faster_whisper.py",
    "venv": "faster-whisper-1.2.1",
    "steps": (("faster-whisper==1.2.1", "av<19"),),  # it cannot decode with PyAV 19
}
PROGRAMS = (
    Program(REFERENCE, "drive_wortlaut.py", "words"),
    Program("wortlaut + speakers", "drive_wortlaut.py", "speakers"),
    Program("faster-whisper", note="text alone, no VAD", variant="plain", **FASTER_WHISPER),
    Program("faster-whisper + words", note="VAD, word times", variant="words", **FASTER_WHISPER),
    Program("faster-whisper batched", note="VAD, word times, batch 8", variant="batched", **FASTER_WHISPER),
    Program(
        "whisperX",
        "drive_whisperx.py",
        venv="whisperx-3.8.6",
        steps=(("whisperx==3.8.6",),),
        note="alignment with random weights of the same shape: its cost, not its quality; no diarization",
    ),
    Program(
        "senko",
        "drive_senko.py",
        venv="senko-0.2.2",
        steps=(("torch==2.13.0",), ("senko==0.2.2",)),  # torch first: a CPU build where the index has one
        note="speakers alone",
    ),
)


@dataclass
class Runs:
    """What the runs of one program gave."""

    installed_mb: float | None = None
    runs: list[dict[str, Any]] = field(default_factory=list)
    cold: list[dict[str, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    chosen = _arguments()
    programs = [program for program in PROGRAMS if not chosen.only or program.name in chosen.only]
    found = {program.name: Runs(installed_mb=install(program)) for program in programs}
    for round_number in range(chosen.runs):
        for program in programs:
            print(f"round {round_number + 1} of {chosen.runs}: {program.name}", file=sys.stderr)
            _run_once(program, chosen, found[program.name])
    report = {"about": _about(chosen), "programs": {name: summary(runs) for name, runs in found.items()}}
    write(report, chosen.output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with whisper-base for CTranslate2")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--language", default="en")
    parser.add_argument("--cold", type=Path, help="a clip of about 10 s for the time to the first word")
    parser.add_argument("--only", nargs="*", choices=[program.name for program in PROGRAMS])
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("files", nargs="+", type=Path)
    return parser.parse_args()


def python_of(program: Program) -> Path:
    return CACHE / program.venv / "bin" / "python" if program.venv else Path(sys.executable)


def install(program: Program) -> float | None:
    """Make the program's environment unless it is there; return its size in 10^6 bytes."""
    if not program.venv:
        return None
    folder = CACHE / program.venv
    finished = folder / "installed"
    if not finished.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        for packages in program.steps:
            subprocess.run([str(python_of(program)), "-m", "pip", "install", "--quiet", *packages], check=True)
        finished.touch()
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return round(sum(path.stat().st_size for path in files) / 1e6)


def _run_once(program: Program, chosen: argparse.Namespace, into: Runs) -> None:
    command = [str(python_of(program)), str(HERE / program.driver), "--model", str(chosen.model)]
    command += ["--threads", str(chosen.threads), "--language", chosen.language, "--variant", program.variant]
    try:
        answer, _ = _watched([*command, *map(str, chosen.files)])
        into.runs.append(answer)
        if chosen.cold:
            into.cold.append(_watched([*command, "--cold", str(chosen.cold)])[1])
    except (subprocess.SubprocessError, ValueError) as error:
        into.errors.append(str(error)[-2000:])


def _watched(command: Sequence[str]) -> tuple[dict[str, Any], dict[str, float]]:
    """Return a driver's answer, and the seconds of processor and clock until it came.

    Raises `ValueError` with the end of its output if it gave none.
    """
    started, spent_before = time.perf_counter(), os.times()
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        PeakMemory(process.pid) as memory,
    ):
        try:
            output, errors = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    wall, spent = time.perf_counter() - started, os.times()
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    if process.returncode or not lines:
        raise ValueError(f"exit code {process.returncode}: {errors[-1500:]}")
    answer = json.loads(lines[-1].removeprefix("RESULT "))
    answer["peak_mb"] = max(memory.megabytes, answer.get("peak_mb", 0.0))
    user = spent.children_user - spent_before.children_user
    system = spent.children_system - spent_before.children_system
    return answer, {"wall": wall, "cpu": user + system}


def summary(runs: Runs) -> dict[str, Any]:
    """Return the medians over the runs, per second of audio where that is the measure."""
    if not runs.runs:
        return {"errors": runs.errors, "installed_mb": runs.installed_mb}
    return {
        "installed_mb": runs.installed_mb,
        "peak_mb": round(median(run["peak_mb"] for run in runs.runs)),
        "load_cpu": _median([run["load"]["cpu"] for run in runs.runs]),
        "stages": stages(runs.runs),
        "cold_wall": _median([cold["wall"] for cold in runs.cold]),
        "cold_cpu": _median([cold["cpu"] for cold in runs.cold]),
        "runs": len(runs.runs),
        "errors": runs.errors,
        "files": runs.runs[-1]["files"],
    }


def stages(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return for each stage the median over the runs of its seconds, summed over the files."""
    sums: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        names = {name for file in run["files"] for name in file["stages"]}
        for name in names:
            for kind in ("cpu", "wall"):
                spent = [file["stages"].get(name, {}).get(kind) for file in run["files"]]
                known = [seconds for seconds in spent if seconds is not None]
                if known:
                    sums.setdefault(name, {}).setdefault(kind, []).append(sum(known))
    return {name: {kind: round(median(values), 3) for kind, values in kinds.items()} for name, kinds in sums.items()}


def _median(values: Sequence[float]) -> float | None:
    return round(median(values), 3) if values else None


def _about(chosen: argparse.Namespace) -> dict[str, Any]:
    return {
        "files": [str(file) for file in chosen.files],
        "threads": chosen.threads,
        "runs": chosen.runs,
        "model": chosen.model.name,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "notes": {program.name: program.note for program in PROGRAMS if program.note},
    }


def table(report: Mapping[str, Any]) -> str:
    """Return the report as Markdown. Ratios: how often a program's processor time is Wortlaut's; above 1 is dearer."""
    programs: Mapping[str, Any] = report["programs"]
    basis = programs.get(REFERENCE, {}).get("stages", {}).get("whole", {}).get("cpu")
    head = [
        "program",
        "CPU s",
        "ratio",
        "wall s",
        "peak MB",
        "load CPU s",
        "cold start s",
        "cold CPU s",
        "installed MB",
    ]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for name, entry in programs.items():
        whole = entry.get("stages", {}).get("whole", {})
        ratio = round(whole["cpu"] / basis, 2) if basis and whole else None
        figures = [whole.get("cpu"), ratio, whole.get("wall"), entry.get("peak_mb"), entry.get("load_cpu")]
        figures += [entry.get("cold_wall"), entry.get("cold_cpu"), entry.get("installed_mb")]
        rows.append([name, *("" if value is None else str(value) for value in figures)])
    about = report["about"]
    notes = [f"- {name}: {note}" for name, note in about["notes"].items() if name in programs]
    failed = [f"- {name} failed: {entry['errors'][0]!r}" for name, entry in programs.items() if entry["errors"]]
    caption = (
        f"{about['model']}, int8, beam 5, {about['threads']} thread(s), {about['machine']}; medians of {about['runs']}"
    )
    return "\n".join([caption, "", *(f"| {' | '.join(row)} |" for row in rows), "", *notes, *failed, ""])


def write(report: Mapping[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%d-%H%M")
    (folder / f"peers-{stamp}.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    (folder / f"peers-{stamp}.md").write_text(table(report), encoding="utf-8")
    print(table(report))


if __name__ == "__main__":
    main()
