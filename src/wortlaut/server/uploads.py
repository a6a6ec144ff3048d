"""What a request brings: parameters from query and form, and a recording, which goes to disk while it arrives."""

from __future__ import annotations

import hashlib
import struct
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, cast
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from wortlaut.audio import SAMPLE_RATE
from wortlaut.errors import InvalidOption
from wortlaut.jobs.remote import TooMuch, download
from wortlaut.server.parameters import Parameters
from wortlaut.server.problems import MediaMissing, MediaTooLarge, TooManyUploads
from wortlaut.server.settings import ServiceSettings

MOST_FIELDS = 100
LONGEST_FIELD_BYTES = 2**20
ENVELOPE_BYTES = 2**20
"""What the form may take on top of the recording."""
LONGEST_NAME = 200
PIECE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Recording:
    """An upload, at rest in a temporary file. `name` is safe to show and to build file names of.

    `header` stands before the content of the file; `size_bytes` counts both.
    """

    name: str
    file: IO[bytes]
    size_bytes: int
    header: bytes = b""

    def content(self) -> IO[bytes] | Iterator[bytes]:
        """Return what is to be stored: the file, or pieces of header and file."""
        return self._pieces() if self.header else self.file

    def digest(self) -> str:
        """Return the SHA-256 of what is to be stored, as hex."""
        found = hashlib.sha256()
        for piece in self._pieces():
            found.update(piece)
        self.file.seek(0)
        return found.hexdigest()

    def _pieces(self) -> Iterator[bytes]:
        yield self.header
        while piece := self.file.read(PIECE_BYTES):
            yield piece


@dataclass(frozen=True, slots=True)
class Received:
    """A request, taken apart."""

    parameters: Parameters
    media: Recording | None

    @property
    def recording(self) -> Recording:
        """The recording. Raises `MediaMissing`."""
        if self.media is None:
            raise MediaMissing
        return self.media


@dataclass(slots=True)
class Arrivals:
    """Takes requests in: `most` at once, each with a recording of `limit_bytes` at most."""

    limit_bytes: int
    most: int
    _count: int = 0

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[Received]:
        """Read a request to its end. The recording lives as long as the context.

        Raises `TooManyUploads`, `MediaTooLarge` as soon as that is certain, `InvalidOption` for a body that cannot be
        read.
        """
        with self._counted():
            form = await _form(request, self.limit_bytes)
        try:
            given = [*request.query_params.multi_items()]
            given += [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
            yield Received(Parameters.gather(given), _recording(form, self.limit_bytes))
        finally:
            await form.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self._count >= self.most:
            raise TooManyUploads
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


async def _form(request: Request, limit_bytes: int) -> FormData:
    kind = request.headers.get("Content-Type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return await FormParser(request.headers, _limited(request.stream(), 0)).parse()
    if not kind.startswith("multipart/form-data"):
        return FormData()
    if int(request.headers.get("Content-Length") or 0) > limit_bytes + ENVELOPE_BYTES:
        raise _too_large(limit_bytes)
    parser = MultiPartParser(
        request.headers,
        _limited(request.stream(), limit_bytes),
        max_files=1,
        max_fields=MOST_FIELDS,
        max_part_size=LONGEST_FIELD_BYTES,
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise InvalidOption(
            f"The form cannot be read: {error.message}", hint="Send one file and its fields."
        ) from error


async def _limited(stream: AsyncIterator[bytes], limit_bytes: int) -> AsyncGenerator[bytes, None]:
    """Pass the body on until it is certainly too large."""
    arrived_bytes = 0
    async for chunk in stream:
        arrived_bytes += len(chunk)
        if arrived_bytes > limit_bytes + ENVELOPE_BYTES:
            raise _too_large(limit_bytes)
        yield chunk


def _recording(form: FormData, limit_bytes: int) -> Recording | None:
    file = next((value for _, value in form.multi_items() if isinstance(value, UploadFile)), None)
    if file is None:
        return None
    size_bytes = file.size or 0
    if size_bytes > limit_bytes:
        raise _too_large(limit_bytes)
    return Recording(safe_name(file.filename or ""), cast("IO[bytes]", file.file), size_bytes)


def _too_large(limit_bytes: int) -> MediaTooLarge:
    return MediaTooLarge(f"The recording is larger than {limit_bytes / 2**20:.0f} MiB.")


def safe_name(name: str) -> str:
    """Return a name without folders and without characters that end a line, a header or a string."""
    base = PurePath(name.replace("\\", "/")).name
    kept = "".join(character for character in base if character.isprintable() and character not in '"<>|*?:')
    return kept.strip()[-LONGEST_NAME:] or "recording"


@asynccontextmanager
async def fetched(url: str, settings: ServiceSettings) -> AsyncIterator[Recording]:
    """Fetch a recording that lies somewhere else. Raises `AddressRefused`, `AddressFailed` or `MediaTooLarge`."""
    with tempfile.TemporaryFile(prefix="wortlaut-") as file:
        try:
            size_bytes = await download(
                url,
                cast("IO[bytes]", file),
                limit_bytes=settings.max_upload_bytes,
                deadline=settings.fetch_deadline,
                allows_private=settings.allows_private_addresses,
            )
        except TooMuch as error:
            raise _too_large(settings.max_upload_bytes) from error
        yield Recording(safe_name(urlsplit(url).path), cast("IO[bytes]", file), size_bytes)


def with_wave_header(recording: Recording) -> Recording:
    """Return raw 16 kHz mono s16le samples as a WAV file; what has a header already stays as it is.

    The sizes in the header are limited to what 32 bits hold, which readers take as "up to the end".
    """
    start = recording.file.read(12)
    recording.file.seek(0)
    if start[:4] in (b"RIFF", b"RF64") and start[8:12] == b"WAVE":
        return recording
    header = wave_header(recording.size_bytes, SAMPLE_RATE, 2, 1)
    return Recording(recording.name, recording.file, recording.size_bytes + len(header), header)


def wave_header(size_bytes: int, rate: int, width: int, channels: int) -> bytes:
    """Return what stands before so many bytes of samples, `width` bytes each, in a WAV file."""
    stated_bytes = min(size_bytes, 2**32 - 45)
    header = b"RIFF" + struct.pack("<I", 36 + stated_bytes) + b"WAVEfmt "
    header += struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * width * channels, width * channels, 8 * width)
    return header + b"data" + struct.pack("<I", stated_bytes)
