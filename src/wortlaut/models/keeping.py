"""What is made out of a model once and kept on disk, so that later starts need not make it again."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from wortlaut.errors import ModelCorrupt
from wortlaut.models.integrity import Manifest, remember

INT8_PARTS = ".int8"
"""Where the parts of a Whisper lie in its folder (`whisper_int8`)."""

log = logging.getLogger(__name__)


def find_kept(folder: Path, made_of: str) -> Path | None:
    """Return the folder if it holds what was made of just that, undamaged; None otherwise.

    `made_of` names the original by its checksum, and the way of making.
    """
    record = Manifest.read(folder)
    if record is None or record.source != made_of:
        return None
    try:
        now = record.recheck(folder, is_thorough=False)
    except ModelCorrupt:
        return None
    if now != record:
        remember(now, folder)
    return folder


def discard_damaged(folder: Path) -> bool:
    """Hash what is kept, and delete it if it is not what it was; return whether it had to be."""
    record = Manifest.read(folder)
    try:
        if record is not None:
            record.recheck(folder, is_thorough=True)
    except ModelCorrupt:
        shutil.rmtree(folder)
        return True
    return False


def keep(folder: Path, made_of: str, make: Callable[[Path], None]) -> Path | None:
    """Return the folder, filled by `make` unless it is already; None where it cannot be written.

    It is complete or not there; of several processes one makes it, and the others wait.
    """
    from filelock import FileLock  # loads asyncio, for what is done once  # noqa: PLC0415

    try:
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            return find_kept(folder, made_of) or _make(folder, made_of, make)
    except (OSError, NotImplementedError) as error:  # NotImplementedError: a file system without locks
        log.info("%s cannot be written, so that it is made again at each start: %s", folder, error)
        return None


def _make(folder: Path, made_of: str, make: Callable[[Path], None]) -> Path:
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)  # of a process that was killed
    draft.mkdir()
    try:
        make(draft)
        Manifest.of(draft, sorted(file.name for file in draft.iterdir()), source=made_of).write(draft)
        shutil.rmtree(folder, ignore_errors=True)  # made of something else, or damaged
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder
