# ruff: noqa: INP001, T201, S603 - a script that prints, and starts what it installed itself
"""Run Wortlaut and its peers on the same recordings, the same weights and the same number of threads.

    python bench/peers/compare.py [--model FOLDER] [--runs 3] [--threads 1] [--only NAME ...] [--cold CLIP] [FILE...]

Each program gets a virtual environment under the cache folder. Runs are interleaved, because a machine gets slower and
faster over the minutes, and medians are reported. Results go to bench/results as JSON and as a table. Files: 16 kHz
(senko reads nothing else), FLAC or WAV, one language; without any, the sample conversation that the tests use.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from memory import PeakMemory

from wortlaut.settings import Settings

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
CACHE = Path(os.environ.get("WORTLAUT_BENCH_CACHE") or Path.home() / ".cache" / "wortlaut-bench")
TIMEOUT = 3600
COLD_SECONDS = 10
REFERENCE = "wortlaut"
KINDS = ("cpu", "wall")


@dataclass(frozen=True)
class Program:
    """A program in one way of running it. `steps` are what pip installs into `venv`, in order."""

    name: str
    driver: str
    venv: str
    steps: tuple[tuple[str, ...], ...]
    variant: str = ""
    note: str = ""


FASTER_WHISPER = {
    "driver": "drive_faster_whisper.py",
    "venv": "faster-whisper-1.2.1",
    "steps": (("faster-whisper==1.2.1", "av<19"),),  # it cannot decode with PyAV 19
}
WORTLAUT = {"driver": "drive_wortlaut.py", "venv": "wortlaut", "steps": (("--editable", str(HERE.parents[1])),)}
WHISPERX = {"driver": "drive_whisperx.py", "venv": "whisperx-3.8.6", "steps": (("whisperx==3.8.6",),)}
PROGRAMS = (
    Program(REFERENCE, note="text and word times", variant="words", **WORTLAUT),
    Program("wortlaut + speakers", note="text, word times and speakers", variant="speakers", **WORTLAUT),
    Program("faster-whisper", note="text alone, no VAD", variant="plain", **FASTER_WHISPER),
    Program("faster-whisper + words", note="VAD, word times", variant="words", **FASTER_WHISPER),
    Program("faster-whisper batched", note="VAD, text alone, batch 8", variant="batched", **FASTER_WHISPER),
    Program(
        "faster-whisper batched + words", note="VAD, word times, batch 8", variant="batched-words", **FASTER_WHISPER
    ),
    Program("whisperX", note="its VAD, text alone, batch 8", variant="recognize", **WHISPERX),
    Program(
        "whisperX + words + speakers",
        note="alignment and diarization with random weights of the same shapes: their cost, not their quality",
        variant="speakers",
        **WHISPERX,
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
    report = {"about": _about(chosen, found), "programs": {name: summary(runs) for name, runs in found.items()}}
    write(report, chosen.output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder with a Whisper for CTranslate2; default: whisper-base")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--language", default="en")
    parser.add_argument("--cold", type=Path, help="a clip of about 10 s for the time to the first word")
    parser.add_argument("--only", nargs="*", choices=[program.name for program in PROGRAMS])
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("files", nargs="*", type=Path)
    return with_defaults(parser.parse_args())


def with_defaults(chosen: argparse.Namespace) -> argparse.Namespace:
    """Fill in what `make models` has put into the model folder."""
    models = Settings().models_dir
    sample = models / "sample-conversation" / "sample.wav"
    chosen.model = chosen.model or models / "whisper-base"
    chosen.files = chosen.files or [sample]
    chosen.cold = chosen.cold or beginning(sample, CACHE / "cold.wav")
    return chosen


def beginning(recording: Path, target: Path) -> Path:
    """Cut the first seconds of a WAV file, for the time to the first word."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(recording)) as source, wave.open(str(target), "wb") as cut:
        cut.setparams(source.getparams())
        cut.writeframes(source.readframes(COLD_SECONDS * source.getframerate()))
    return target


def python_of(program: Program) -> Path:
    return CACHE / program.venv / "bin" / "python"


def install(program: Program) -> float:
    """Make the program's environment unless it is there; return its size in 10^6 bytes."""
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
    """Return a driver's answer, and how many seconds of processor and clock it took to come.

    Raises `ValueError` with the end of its output if it gave none.
    """
    started, lines, wall = time.perf_counter(), [], 0.0
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        PeakMemory(process.pid) as memory,
        _no_longer_than(TIMEOUT, process),
    ):
        for line in process.stdout or ():
            if line.startswith("RESULT "):
                lines.append(line)
                wall = time.perf_counter() - started
        process.wait()
        errors.seek(0)
        said = errors.read()
    if process.returncode or not lines:
        raise ValueError(f"exit code {process.returncode}: {said[-1500:]}")
    answer = json.loads(lines[-1].removeprefix("RESULT "))
    answer["peak_mb"] = max(memory.megabytes, answer.get("peak_mb", 0.0))
    return answer, {"wall": wall, "cpu": answer.get("cpu", 0.0)}


@contextmanager
def _no_longer_than(seconds: float, process: subprocess.Popen[str]) -> Iterator[None]:
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


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
        "cold": runs.cold,
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
            for kind in KINDS:
                spent = [file["stages"].get(name, {}).get(kind) for file in run["files"]]
                known = [seconds for seconds in spent if seconds is not None]
                if known:
                    sums.setdefault(name, {}).setdefault(kind, []).append(sum(known))
    return {name: {kind: round(median(values), 3) for kind, values in kinds.items()} for name, kinds in sums.items()}


def _median(values: Sequence[float]) -> float | None:
    return round(median(values), 3) if values else None


def _about(chosen: argparse.Namespace, found: Mapping[str, Runs]) -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d"),
        "files": [str(file) for file in chosen.files],
        "audio_seconds": _audio_seconds(found),
        "threads": chosen.threads,
        "runs": chosen.runs,
        "model": chosen.model.name,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "notes": {program.name: program.note for program in PROGRAMS if program.note},
    }


def _audio_seconds(found: Mapping[str, Runs]) -> float | None:
    """Return how long the recordings are, from the first program that says so."""
    for run in (run for runs in found.values() for run in runs.runs):
        durations = [file.get("duration") for file in run["files"]]
        if None not in durations:
            return round(sum(durations), 1)
    return None


def table(report: Mapping[str, Any]) -> str:
    """Return the report as Markdown. Ratios: how often a program's processor time is Wortlaut's; above 1 is dearer."""
    programs: Mapping[str, Any] = report["programs"]
    basis = programs.get(REFERENCE, {}).get("stages", {}).get("whole", {}).get("cpu")
    seconds = report["about"]["audio_seconds"]
    head = [
        "program",
        "CPU s",
        "ratio",
        "wall s",
        "real-time factor",
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
        real_time = round(whole["wall"] / seconds, 3) if seconds and whole else None
        figures = [whole.get("cpu"), ratio, whole.get("wall"), real_time, entry.get("peak_mb"), entry.get("load_cpu")]
        figures += [entry.get("cold_wall"), entry.get("cold_cpu"), entry.get("installed_mb")]
        rows.append([name, *("" if value is None else str(value) for value in figures)])
    about = report["about"]
    notes = [f"- {name}: {note}" for name, note in about["notes"].items() if name in programs]
    failed = [f"- {name} failed: {entry['errors'][0]!r}" for name, entry in programs.items() if entry["errors"]]
    caption = (
        f"{about['date']}: {about['audio_seconds']} s of audio, {about['model']}, int8, beam 5, "
        f"{about['threads']} thread(s), {about['machine']}; medians of {about['runs']}"
    )
    return "\n".join([caption, "", *_markdown(rows), "", *notes, *failed, "", *_markdown(stage_rows(programs)), ""])


def stage_rows(programs: Mapping[str, Any]) -> list[list[str]]:
    """Return the seconds of each stage of each program, by the processor and by the clock where they are known."""
    rows = [["program", "stage", "CPU s", "wall s"], ["---", "---", "---:", "---:"]]
    for name, entry in programs.items():
        for stage, kinds in sorted(entry.get("stages", {}).items()):
            if stage != "whole":
                rows.append([name, stage, *(str(round(kinds[kind], 2)) if kind in kinds else "" for kind in KINDS)])
    return rows


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]


def write(report: Mapping[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%d-%H%M")
    (folder / f"peers-{stamp}.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    (folder / f"peers-{stamp}.md").write_text(table(report), encoding="utf-8")
    print(table(report))


if __name__ == "__main__":
    main()
