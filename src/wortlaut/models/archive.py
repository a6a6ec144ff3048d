"""Zip archives from strangers: nothing in them is believed before it is checked.

PyTorch stores its entries uncompressed, one after the other; only the source code in TorchScript archives is
compressed. So little may grow by unpacking, no two entries may share bytes and no name may occur twice: what breaks
these rules is a trap or damaged.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from wortlaut.errors import ModelCorrupt

_MOST_ENTRIES = 200_000
_LONGEST_COMMENT_BYTES = 1 << 16
_END = struct.Struct(
    "<4s4H2LH"
)  # end of central directory; https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
_END_SIGNATURE = b"PK\x05\x06"
_MOST_DIRECTORY_BYTES = 64 << 20
_MOST_COMPRESSED_BYTES = 64 << 20  # of all compressed entries together, unpacked
_LOCAL_HEADER_BYTES = 30
_SEE_LONG_FORM = 0xFFFFFFFF
_ENCRYPTED = 1  # flag
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


@dataclass(slots=True)
class Archive:
    """An open archive whose geometry has been checked."""

    _zip: zipfile.ZipFile
    _entries: dict[str, zipfile.ZipInfo]

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Open an archive. Raises `ModelCorrupt`."""
        _require_modest_directory(path)
        try:
            opened = zipfile.ZipFile(path)
        except _ZIP_ERRORS as error:
            raise ModelCorrupt(f"{path.name} is no sound zip archive: {error}.") from error
        try:
            return cls(opened, _checked_entries(opened, path))
        except ModelCorrupt:
            opened.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """The names of all entries, in the order of the directory."""
        return list(self._entries)

    def size_bytes(self, name: str) -> int:
        """Return the size of an entry."""
        return self._entry(name).file_size

    def read(self, name: str, *, most_bytes: int) -> bytes:
        """Return an entry, whose checksum is right. Raises `ModelCorrupt`, also if it is larger than allowed."""
        entry = self._entry(name)
        if entry.file_size > most_bytes:
            raise ModelCorrupt(f"{name} has {entry.file_size:,} bytes; at most {most_bytes:,} are read.")
        try:
            return self._zip.read(entry)
        except _ZIP_ERRORS as error:
            raise ModelCorrupt(f"{name} cannot be read: {error}.") from error

    def start(self, name: str, *, size_bytes: int = 256) -> bytes:
        """Return the first bytes of an entry. Raises `ModelCorrupt`."""
        try:
            with self._zip.open(self._entry(name)) as stream:
                return stream.read(size_bytes)
        except _ZIP_ERRORS as error:
            raise ModelCorrupt(f"{name} cannot be read: {error}.") from error

    def _entry(self, name: str) -> zipfile.ZipInfo:
        if name not in self._entries:
            raise ModelCorrupt(f"The archive has no {name}.")
        return self._entries[name]


def _require_modest_directory(path: Path) -> None:
    """Refuse an archive whose list of entries alone would fill the memory, before the list is read."""
    with path.open("rb") as stream:
        size_bytes = stream.seek(0, 2)
        stream.seek(max(0, size_bytes - _LONGEST_COMMENT_BYTES - _END.size))
        tail = stream.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) < at + _END.size:
        raise ModelCorrupt(f"{path.name} is cut off: a zip archive ends with its directory.")
    directory_bytes = _END.unpack_from(tail, at)[5]
    is_long_form = directory_bytes == _SEE_LONG_FORM  # the true size stands elsewhere, but the file's size bounds it
    if (size_bytes if is_long_form else directory_bytes) > _MOST_DIRECTORY_BYTES and not _is_mostly_data(
        path, tail, at
    ):
        raise ModelCorrupt(f"{path.name} has an absurdly long directory.")


def _is_mostly_data(path: Path, tail: bytes, at: int) -> bool:
    """Read the long form of the directory's size."""
    locator = at - 20
    if locator < 0 or tail[locator : locator + 4] != b"PK\x06\x07":
        return False
    (offset,) = struct.unpack_from("<Q", tail, locator + 8)
    with path.open("rb") as stream:
        try:
            stream.seek(offset)
        except (OSError, OverflowError, ValueError):
            return False
        record = stream.read(56)
    return (
        len(record) == 56  # noqa: PLR2004  (the size of the record)
        and record[:4] == b"PK\x06\x06"
        and struct.unpack_from("<Q", record, 40)[0] <= _MOST_DIRECTORY_BYTES
    )


def _checked_entries(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    entries = {info.filename: info for info in infos}
    if len(infos) > _MOST_ENTRIES or len(entries) != len(infos):
        raise ModelCorrupt(f"{path.name} has too many entries, or two of the same name.")
    for info in infos:
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            raise ModelCorrupt(f"{info.filename} in {path.name} contradicts itself about its size.")
        if info.flag_bits & _ENCRYPTED:
            raise ModelCorrupt(f"{info.filename} in {path.name} is encrypted.")
    if sum(info.file_size for info in infos if info.compress_type != zipfile.ZIP_STORED) > _MOST_COMPRESSED_BYTES:
        raise ModelCorrupt(f"{path.name} is compressed and grows when unpacked; checkpoints do not.")
    _require_disjoint(infos, archive.start_dir, path)
    return entries


def _require_disjoint(infos: list[zipfile.ZipInfo], directory_start: int, path: Path) -> None:
    """Entries may not share bytes: many that do are small on disk and huge when read."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise ModelCorrupt(f"{info.filename} in {path.name} overlaps another entry.")
        end = info.header_offset + _LOCAL_HEADER_BYTES + len(info.filename.encode()) + info.compress_size
    if end > directory_start:
        raise ModelCorrupt(f"{path.name} is cut off: an entry reaches beyond its end.")
