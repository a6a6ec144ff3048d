"""Checksums: what a file must be, and what is on record about files that were checked before.

Hashing 145 MB at each start costs a tenth of a second or more, so a file is hashed when it arrives and its
size, modification time and inode are recorded beside the checksum. As long as these agree, the file counts as
checked; if they differ, it is hashed again. This catches damage and mistakes. Who can write into the folder and
sets the clock back can deceive it, but could replace the program just as well; `ModelStore.verify` always hashes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from wortlaut.errors import ModelCorrupt

MANIFEST = ".wortlaut.json"
"""The record, inside the model's folder, so that both appear in one step."""

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Checksum:
    """`git-blob` is what the hub names for small files: SHA-1 over "blob SIZE NUL" and the contents."""

    kind: Literal["sha256", "git-blob"]
    digest: str


def sha256_of(path: Path) -> str:
    """Read a file once and return its SHA-256 in lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def matches(path: Path, checksum: Checksum) -> bool:
    """Read a file and compare."""
    if checksum.kind == "sha256":
        return sha256_of(path) == checksum.digest
    # names contents, protects nothing: the transport does
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest() == checksum.digest


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file that was hashed, and what it looked like then."""

    sha256: str
    size_bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileRecord:
        """Hash a file."""
        before = path.stat()
        return cls(sha256_of(path), before.st_size, before.st_mtime_ns, before.st_ino)

    def looks_unchanged(self, path: Path) -> bool:
        """Compare without reading the contents."""
        now = path.stat()
        return (now.st_size, now.st_mtime_ns, now.st_ino) == (self.size_bytes, self.mtime_ns, self.inode)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was checked in a folder, and where it came from."""

    source: str
    files: Mapping[str, FileRecord]

    @classmethod
    def of(cls, folder: Path, names: Iterable[str], *, source: str) -> Manifest:
        """Hash the named files of a folder."""
        return cls(source, {name: FileRecord.of(folder / name) for name in names})

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """Return the record of a folder, None if there is none or it cannot be read."""
        try:
            raw = json.loads((folder / MANIFEST).read_text("utf-8"))
            return cls(str(raw["source"]), {name: FileRecord(**record) for name, record in raw["files"].items()})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, folder: Path) -> None:
        """Write in one step, so that a reader never sees half of it."""
        raw = {"source": self.source, "files": {name: asdict(record) for name, record in self.files.items()}}
        draft = folder / f"{MANIFEST}.{os.getpid()}"
        draft.write_text(json.dumps(raw, indent=1), "utf-8")
        draft.replace(folder / MANIFEST)

    def recheck(self, folder: Path, *, is_thorough: bool) -> Manifest:
        """Return the record as it is now; raise `ModelCorrupt` at the first file that is not what it was.

        Only files that look changed are hashed, or all of them if the check `is_thorough`.
        """
        return replace(
            self,
            files={
                name: _recheck(folder / name, record, is_thorough=is_thorough) for name, record in self.files.items()
            },
        )


def _recheck(path: Path, record: FileRecord, *, is_thorough: bool) -> FileRecord:
    try:
        if not is_thorough and record.looks_unchanged(path):
            return record
        now = FileRecord.of(path)
    except OSError as error:
        raise ModelCorrupt(f"{path} cannot be read: {error.strerror}.") from error
    if now.sha256 != record.sha256:
        raise ModelCorrupt(f"{path} is damaged or was changed: its SHA-256 is {now.sha256}, not {record.sha256}.")
    return now


def remember(manifest: Manifest, folder: Path) -> None:
    """Write the record where that is possible; a store that may only be read is hashed each time instead."""
    with contextlib.suppress(OSError):
        manifest.write(folder)
