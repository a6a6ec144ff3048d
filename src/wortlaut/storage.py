"""Objects by key: the media that was handed in and the results. A folder, or S3-compatible storage by its URL.

Keys are made by us (`media/<job>`, `results/<job>/<attempt>.json`), never by callers. obstore's blocking calls run in
threads: its asynchronous ones may still call back into an interpreter that is about to end, which aborts the process.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from wortlaut.errors import InvalidOption, ResourceError

CHUNK_BYTES = 5 * 2**20
"""One piece of a transfer: what S3 demands of all parts but the last."""


class StorageUnavailable(ResourceError):
    """The storage does not answer."""

    code = "storage-unavailable"
    retryable = True
    default_hint = "Check the folder or the storage that WORTLAUT_STORAGE_URL names, its permissions and free space."


class ObjectMissing(ResourceError):
    """The object is not in the storage."""

    code = "object-missing"
    default_hint = "It was deleted, or the service and the worker use different storages: compare WORTLAUT_STORAGE_URL."


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a listing shows it."""

    key: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Storage:
    """An object store. Writing is atomic: nobody sees half an object. Raises `StorageUnavailable`, `ObjectMissing`."""

    store: ObjectStore
    folder: Path | None = None

    async def put(self, key: str, content: IO[bytes] | bytes | Iterator[bytes]) -> None:
        """Store in pieces; a file or iterator that is given never lies in memory as a whole."""
        await asyncio.to_thread(self._put, key, content)

    def _put(self, key: str, content: IO[bytes] | bytes | Iterator[bytes]) -> None:
        with _our_errors(key):
            obstore.put(self.store, key, content, chunk_size=CHUNK_BYTES, max_concurrency=2)

    async def put_file(self, key: str, file: Path) -> None:
        """Store a file."""
        with file.open("rb") as content:
            await self.put(key, content)

    async def get(self, key: str) -> bytes:
        """Return a small object, such as a result."""
        return await asyncio.to_thread(self._get, key)

    def _get(self, key: str) -> bytes:
        with _our_errors(key):
            return bytes(obstore.get(self.store, key).bytes())

    @asynccontextmanager
    async def as_file(self, key: str, spool_dir: Path | None = None) -> AsyncIterator[Path]:
        """Give a file with the object's content: the object itself where the storage is a folder, else a copy."""
        if self.folder is not None:
            yield self.folder / key
            return
        with tempfile.TemporaryDirectory(prefix="wortlaut-", dir=spool_dir) as folder:
            copy = Path(folder) / PurePosixPath(key).name
            await asyncio.to_thread(self._copy, key, copy)
            yield copy

    def _copy(self, key: str, target: Path) -> None:
        with _our_errors(key), target.open("wb") as content:
            for chunk in obstore.get(self.store, key).stream(min_chunk_size=CHUNK_BYTES):
                content.write(chunk)

    async def listing(self, prefix: str) -> list[StoredObject]:
        """Return all objects whose key starts with the folder `prefix`."""
        return await asyncio.to_thread(self._listing, prefix)

    def _listing(self, prefix: str) -> list[StoredObject]:
        with _our_errors(prefix):
            found = [each for batch in obstore.list(self.store, prefix) for each in batch]
        return [StoredObject(each["path"], each["size"], each["last_modified"]) for each in found]

    async def delete(self, *keys: str) -> None:
        """Delete objects; one that is not there is no error."""
        for key in keys:
            await asyncio.to_thread(self._delete, key)

    def _delete(self, key: str) -> None:
        try:
            with _our_errors(key):
                obstore.delete(self.store, key)
        except ObjectMissing:
            return

    async def check(self) -> None:
        """Write, read and delete a small object."""
        await self.put("check/probe", b"1")
        await self.get("check/probe")
        await self.delete("check/probe")


def open_storage(where: Path | str) -> Storage:
    """Return the storage of a folder (created if need be) or of a URL such as `s3://bucket/prefix`.

    Credentials, region and endpoint of S3 come from the usual environment variables (AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL).
    """
    with _our_errors(str(where)):
        if isinstance(where, str) and "://" in where and not where.startswith("file://"):
            return Storage(_from_url(where))
        folder = Path(str(where).removeprefix("file://")).expanduser().absolute()
        return Storage(LocalStore(folder, mkdir=True, automatic_cleanup=True), folder)


def _from_url(url: str) -> ObjectStore:
    try:
        return from_url(url)
    except (ValueError, BaseError) as error:
        raise InvalidOption(f"{url!r} is no storage.", hint="Give a folder or a URL such as s3://bucket.") from error


@contextmanager
def _our_errors(key: str) -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise ObjectMissing(f"There is no object {key!r}.") from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable(f"The storage failed on {key!r}: {str(error).splitlines()[0]}") from error
