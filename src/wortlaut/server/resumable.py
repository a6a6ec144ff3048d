"""Uploads that survive a broken line: what has arrived lies in the storage, in pieces, and is never sent twice.

A piece counts when the database says so, and only if it begins where the last one ended: of two requests that send
the same stretch at once, one wins and the other is told where to go on.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from wortlaut.jobs.database import Pool, fetch_all, fetch_one, transaction
from wortlaut.server.problems import MediaTooLarge, UploadConflict, UploadNotFound
from wortlaut.server.uploads import Recording
from wortlaut.storage import Storage

PIECE_BYTES = 32 * 2**20
"""What a crash can cost: so much is collected in a temporary file before it counts."""
WRITE_BYTES = 2**20
"""So much is held in memory before it is written."""

INSERT = """
INSERT INTO wortlaut_uploads (id, owner, name, metadata, length_bytes) VALUES (%s, %s, %s, %s, %s) RETURNING *
"""
GET = "SELECT * FROM wortlaut_uploads WHERE id = %s AND (%s::text IS NULL OR owner = %s)"
APPEND = """
UPDATE wortlaut_uploads
SET offset_bytes = offset_bytes + %s, pieces = array_append(pieces, %s), touched = clock_timestamp()
WHERE id = %s AND offset_bytes = %s AND job_id IS NULL RETURNING *
"""
USE = "UPDATE wortlaut_uploads SET job_id = %s, pieces = '{}' WHERE id = %s AND job_id IS NULL RETURNING id"
DELETE = "DELETE FROM wortlaut_uploads WHERE id = %s AND (%s::text IS NULL OR owner = %s) RETURNING *"
EXPIRE = "DELETE FROM wortlaut_uploads WHERE touched < clock_timestamp() - %s::interval RETURNING *"


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `metadata` is what its sender says of it; `job_id` the job that it has become."""

    id: str
    owner: str
    name: str
    metadata: str
    length_bytes: int
    offset_bytes: int
    pieces: tuple[str, ...]
    job_id: str | None
    touched: datetime

    @property
    def is_complete(self) -> bool:
        return self.offset_bytes == self.length_bytes


@dataclass(frozen=True, slots=True)
class Uploads:
    """All uploads. `owner` None may see those of everybody."""

    pool: Pool
    storage: Storage

    async def create(self, owner: str, name: str, length_bytes: int, metadata: str) -> Upload:
        """Begin an upload."""
        async with transaction(self.pool) as connection:
            row = await fetch_one(connection, INSERT, [uuid.uuid4().hex, owner, name, metadata, length_bytes])
        return _found(row)

    async def get(self, upload_id: str, owner: str | None) -> Upload:
        """Return an upload. Raises `UploadNotFound`."""
        async with transaction(self.pool) as connection:
            return _found(await fetch_one(connection, GET, [upload_id, owner, owner]))

    async def receive(self, upload: Upload, offset_bytes: int, arriving: AsyncIterator[bytes]) -> Upload:
        """Add what arrives, which begins at this offset.

        Raises `UploadConflict` if the upload is not there, `MediaTooLarge` if it is more than was announced.
        """
        if offset_bytes != upload.offset_bytes or upload.job_id is not None:
            raise UploadConflict(f"The upload is at {upload.offset_bytes} bytes, not at {offset_bytes}.")
        blocks = _blocks(arriving)
        is_open = True
        while is_open:
            with tempfile.TemporaryFile(prefix="wortlaut-") as piece:
                is_open, is_honest = await _fill(piece, blocks, upload.length_bytes - upload.offset_bytes)
                upload = await self._append(upload, piece)
            if not is_honest:
                raise MediaTooLarge(
                    f"More than the announced {upload.length_bytes} bytes arrived.", hint="Announce the whole length."
                )
        return upload

    async def _append(self, upload: Upload, piece: IO[bytes]) -> Upload:
        size_bytes = piece.tell()
        if not size_bytes:
            return upload
        piece.seek(0)
        key = f"uploads/{upload.id}/{upload.offset_bytes:020}-{uuid.uuid4().hex}"
        await self.storage.put(key, piece)
        async with transaction(self.pool) as connection:
            row = await fetch_one(connection, APPEND, [size_bytes, key, upload.id, upload.offset_bytes])
        if row is None:
            await self.storage.delete(key)
            raise UploadConflict("Another request has continued this upload, or deleted it.")
        return _upload(row)

    @asynccontextmanager
    async def recording(self, upload: Upload) -> AsyncIterator[Recording]:
        """Give the upload as a recording. Raises `UploadConflict` while something is missing."""
        if not upload.is_complete:
            raise UploadConflict(f"{upload.offset_bytes} of {upload.length_bytes} bytes have arrived.")
        with tempfile.TemporaryFile(prefix="wortlaut-") as whole:
            for key in upload.pieces:
                async with self.storage.as_file(key) as piece:
                    await asyncio.to_thread(_append, whole, piece)
            whole.seek(0)
            yield Recording(upload.name, whole, upload.length_bytes)

    async def use(self, upload: Upload, job_id: str) -> None:
        """Write down which job the upload has become, and let go of its pieces: the job has them now."""
        async with transaction(self.pool) as connection:
            await fetch_one(connection, USE, [job_id, upload.id])
        await self.storage.delete(*upload.pieces)

    async def delete(self, upload_id: str, owner: str | None) -> None:
        """Forget an upload and what has arrived of it. Raises `UploadNotFound`."""
        async with transaction(self.pool) as connection:
            upload = _found(await fetch_one(connection, DELETE, [upload_id, owner, owner]))
        await self.storage.delete(*upload.pieces)

    async def tidy(self, hours: float) -> None:
        """Forget uploads that nobody has continued for so long, and pieces that belong to none."""
        async with transaction(self.pool) as connection:
            rows = await fetch_all(connection, EXPIRE, [timedelta(hours=hours)])
            kept = await fetch_all(connection, "SELECT id FROM wortlaut_uploads WHERE job_id IS NULL")
        await self.storage.delete(*(key for row in rows for key in row["pieces"]))
        known = {row["id"] for row in kept}
        for each in await self.storage.listing("uploads"):
            age = datetime.now(each.modified.tzinfo) - each.modified
            if each.key.split("/")[1] not in known and age > timedelta(hours=hours):
                await self.storage.delete(each.key)


def _append(whole: IO[bytes], piece: Path) -> None:
    with piece.open("rb") as content:
        shutil.copyfileobj(content, whole, WRITE_BYTES)


async def _blocks(arriving: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join what arrives to blocks that are worth a write."""
    block = bytearray()
    async for chunk in arriving:
        block += chunk
        if len(block) >= WRITE_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


async def _fill(piece: IO[bytes], blocks: AsyncIterator[bytes], most_bytes: int) -> tuple[bool, bool]:
    """Write blocks until the piece is full; return whether more may come, and whether it was no more than allowed."""
    size_bytes = 0
    async for block in blocks:
        fitting = block[: most_bytes - size_bytes]
        await asyncio.to_thread(piece.write, fitting)
        size_bytes += len(fitting)
        if len(fitting) < len(block):
            return False, False
        if size_bytes >= PIECE_BYTES:
            return True, True
    return False, True


def _found(row: dict[str, Any] | None) -> Upload:
    if row is None:
        raise UploadNotFound
    return _upload(row)


def _upload(row: dict[str, Any]) -> Upload:
    return Upload(**{**row, "pieces": tuple(row["pieces"])})
