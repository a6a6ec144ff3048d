"""Models in one file, for a machine without a network: a tar archive that names the checksum of everything in it.

    index.json           {"format": 1, "models": {folder: {file: {"sha256": ..., "size_bytes": ...}}}}
    whisper-base/model.bin ...

A bundle may come from anywhere, so nothing in it is believed: only files that the catalog knows for a model are
taken, as plain bytes, under names that the catalog says; each must have the checksum of the index and, where the
catalog has one, that of the catalog. What lies in the store already and is sound is left alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wortlaut.errors import MediaNotFound, ModelError, OutputUnwritable, UnknownModel
from wortlaut.models.catalog import MODELS, find_entry
from wortlaut.models.entry import ModelEntry
from wortlaut.models.integrity import sha256_of
from wortlaut.models.store import ModelStore
from wortlaut.options import Progress
from wortlaut.stages import Listener, ignore

Delivery = Callable[[ModelEntry, Path], None]
"""Puts the files of a model into a folder."""

INDEX = "index.json"
FORMAT = 1

_MOST_INDEX_BYTES = 1 << 20
_MOST_MEMBERS = 10_000
_BLOCK_BYTES = 1 << 20


class BundleInvalid(ModelError):
    """This is not a bundle of models, or not all of it."""

    code = "bundle-invalid"
    default_hint = "Make it again with `wortlaut models bundle`, and compare the sizes after copying."


@dataclass(frozen=True, slots=True)
class BundledFile:
    """What the index says about a file."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one model of a bundle."""

    name: str
    folder: Path
    is_new: bool  # False: it was there already, and is sound


def write_bundle(store: ModelStore, names: Sequence[str], target: Path, *, listener: Listener = ignore) -> None:
    """Hash the models of these names again and write them to `target`, which appears when it is complete.

    Raises `ModelCorrupt`, `ModelMissing` and `OutputUnwritable`.
    """
    entries = list({entry.folder: entry for entry in map(find_entry, names)}.values())
    folders = {entry.folder: store.verify(entry.name) for entry in entries}
    files = {entry.folder: _files_of(entry, folders[entry.folder]) for entry in entries}
    total_bytes = sum(file.size_bytes for listed in files.values() for file in listed.values())
    draft = target.with_name(f"{target.name}.part")
    try:
        with tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as tar:
            index = json.dumps({"format": FORMAT, "models": _plain(files)}, indent=1).encode()
            tar.addfile(_member(INDEX, len(index)), io.BytesIO(index))
            for folder, name, file in _each(files):
                listener(Progress("bundle models", tar.offset, total_bytes))
                with (folders[folder] / name).open("rb") as stream:
                    tar.addfile(_member(f"{folder}/{name}", file.size_bytes), stream)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OutputUnwritable(f"{target} cannot be written: {error.strerror or error}.") from error


def import_bundle(store: ModelStore, bundle: Path, *, listener: Listener = ignore) -> list[Imported]:
    """Put the models of a bundle into the store; each is checked before it is moved into place.

    Raises `MediaNotFound`, `BundleInvalid`, `ModelCorrupt` and `OutputUnwritable`. Models that came before the
    one that is refused stay.
    """
    if not bundle.is_file():
        raise MediaNotFound(f"There is no file {bundle}.")
    with _tar_errors(bundle), tarfile.open(bundle, "r:") as tar:
        members = _members(tar)
        files = _read_index(tar, members)
        _require_agreement(members, files)
        total_bytes = sum(file.size_bytes for _, _, file in _each(files))

        def deliver(entry: ModelEntry, folder: Path) -> None:
            for name, file in files[entry.folder].items():
                member = members[f"{entry.folder}/{name}"]
                listener(Progress("import models", member.offset, total_bytes))
                _copy(tar, member, file, folder / name)

        return [_put(store, _entry_of(folder), bundle, deliver, listener) for folder in files]


def _put(store: ModelStore, entry: ModelEntry, bundle: Path, deliver: Delivery, listener: Listener) -> Imported:
    is_new = store.accept(
        entry, lambda staging: deliver(entry, staging), source=f"bundle {bundle.name}", listener=listener
    )
    return Imported(entry.name, store.root / entry.folder, is_new)


def _files_of(entry: ModelEntry, folder: Path) -> dict[str, BundledFile]:
    there = [folder / file.name for file in entry.kept_files if (folder / file.name).is_file()]
    return {path.name: BundledFile(sha256_of(path), path.stat().st_size) for path in there}


def _plain(files: Mapping[str, Mapping[str, BundledFile]]) -> dict[str, dict[str, dict[str, str | int]]]:
    return {
        folder: {name: {"sha256": file.sha256, "size_bytes": file.size_bytes} for name, file in listed.items()}
        for folder, listed in files.items()
    }


def _each(files: Mapping[str, Mapping[str, BundledFile]]) -> Iterator[tuple[str, str, BundledFile]]:
    for folder, listed in files.items():
        for name, file in listed.items():
            yield folder, name, file


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)  # owner 0, time 0: the same models make the same file
    member.size = size_bytes
    return member


def _members(tar: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """Return the members by name. Raises `BundleInvalid` if one is not a plain file or comes twice."""
    members: dict[str, tarfile.TarInfo] = {}
    for member in tar:
        is_plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()
        if not is_plain or member.name in members or len(members) >= _MOST_MEMBERS:
            raise BundleInvalid(f"{member.name!r} in the bundle is not a plain file, or comes twice.")
        members[member.name] = member
    return members


def _read_index(
    tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo]
) -> Mapping[str, Mapping[str, BundledFile]]:
    member = members.get(INDEX)
    stream = tar.extractfile(member) if member and member.size <= _MOST_INDEX_BYTES else None
    if stream is None:
        raise BundleInvalid(f"There is no {INDEX} in it.")
    try:
        raw = json.load(stream)
        if raw["format"] != FORMAT:
            raise BundleInvalid(f"The bundle has the format {raw['format']}; this version reads {FORMAT}.")
        return {
            str(folder): {str(name): BundledFile(str(file["sha256"]), int(file["size_bytes"])) for name, file in listed}
            for folder, listed in ((folder, listed.items()) for folder, listed in raw["models"].items())
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BundleInvalid(f"The {INDEX} in it cannot be read.") from error


def _require_agreement(members: Mapping[str, tarfile.TarInfo], files: Mapping[str, Mapping[str, BundledFile]]) -> None:
    """Refuse a bundle that has more, less or other files than its index and the catalog say."""
    expected = {f"{folder}/{name}": file.size_bytes for folder, name, file in _each(files)}
    found = {name: member.size for name, member in members.items() if name != INDEX}
    if expected != found:
        odd = sorted(expected.items() ^ found.items())
        raise BundleInvalid(f"{odd[0][0]!r} in the bundle is not what the index says.")
    for folder, name, _ in _each(files):
        if name not in {file.name for file in _entry_of(folder).kept_files}:
            raise BundleInvalid(f"{folder}/{name} is no file of a model.")


def _entry_of(folder: str) -> ModelEntry:
    """Return the model that lies in this folder of a store. Raises `BundleInvalid`."""
    known = next((entry for entry in MODELS if entry.folder == folder), None)
    if known:
        return known
    try:
        entry = find_entry(folder.replace("--", "/", 1))
    except UnknownModel as error:
        raise BundleInvalid(f"{folder!r} in the bundle is no folder of a model.") from error
    if entry.folder != folder:
        raise BundleInvalid(f"{folder!r} in the bundle is no folder of a model.")
    return entry


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, file: BundledFile, target: Path) -> None:
    stream = tar.extractfile(member)
    if stream is None:
        raise BundleInvalid(f"{member.name!r} in the bundle is not a plain file.")
    digest = hashlib.sha256()
    with target.open("wb") as out:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            out.write(block)
    if digest.hexdigest() != file.sha256:
        raise BundleInvalid(f"{member.name} in the bundle is damaged: its SHA-256 is not that of the index.")


@contextmanager
def _tar_errors(bundle: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise BundleInvalid(f"{bundle} cannot be read: {error}.") from error
