"""Where results go, and how they get there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from wortlaut.errors import MediaNotFound, OutputUnwritable

# fmt: off
MEDIA_SUFFIXES = frozenset({
    ".3g2", ".3gp", ".aac", ".ac3", ".aif", ".aiff", ".alac", ".amr", ".ape", ".avi", ".caf", ".divx", ".dts", ".flac",
    ".flv", ".m2ts", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts",
    ".mxf", ".oga", ".ogg", ".ogv", ".opus", ".ra", ".rm", ".rmvb", ".ts", ".vob", ".wav", ".webm", ".wma", ".wmv",
    ".wv",
})
"""What is taken from a folder; a file that is named itself is tried whatever it is called."""
# fmt: on


def find_media(paths: Iterable[Path]) -> list[Path]:
    """Return the files that are meant: named files as they are, folders with all recordings below them."""
    return [file for path in paths for file in (_inside(path) if path.is_dir() else [path])]


def _inside(folder: Path) -> list[Path]:
    if not os.access(folder, os.R_OK | os.X_OK):
        # Said when it is opened, so that the other files of the call are done all the same.
        return [folder]
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in MEDIA_SUFFIXES and file.is_file())
    if not found:
        raise MediaNotFound(f"There is no recording in the folder {folder}.", hint="Name the files themselves.")
    return found


def stems(media: Sequence[Path]) -> dict[Path, str]:
    """Give every file a name for its results: the file's own without its suffix, and never one name twice.

    `a.mp3` and `a.wav` become `a.mp3` and `a.wav`; files of one name from several folders are numbered.
    """
    plain = [path.stem for path in media]
    taken: set[str] = set()
    chosen: dict[Path, str] = {}
    for path, stem in zip(media, plain, strict=True):
        base = stem if plain.count(stem) == 1 else path.name
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}.{number}"
        taken.add(name)
        chosen[path] = name
    return chosen


def prepare_folder(folder: Path) -> None:
    """Make the folder and see that files can be written there: before hours of work, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputUnwritable(f"Nothing can be written to {folder}: {error.strerror or error}.") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also when the disk is full or Ctrl-C comes.

    A pipe or a device is written to: a file put in its place would take it away from everybody.
    """
    temporary: str | None = None
    target = path.resolve() if path.is_symlink() else path  # /dev/stdout is a link
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
    except BaseException as error:
        if temporary:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()
        if isinstance(error, OSError):
            raise OutputUnwritable(f"{path} cannot be written: {error.strerror or error}.") from error
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
