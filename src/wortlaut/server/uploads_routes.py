"""`/v1/uploads`: tus 1.0, the field's protocol for uploads that can be resumed (https://tus.io).

Core protocol and the extensions creation, creation-with-upload, expiration and termination. What is complete becomes a
job with `POST /v1/jobs` and `upload=ID`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from starlette.requests import ClientDisconnect

from wortlaut.errors import InvalidOption
from wortlaut.server.openapi import PIECE, PROBLEMS
from wortlaut.server.problems import TUS_VERSION, MediaTooLarge, ProtocolMismatch, WrongContentType
from wortlaut.server.requests import Serving, Submitter
from wortlaut.server.resumable import Upload
from wortlaut.server.service import Service
from wortlaut.server.uploads import safe_name

EXTENSIONS = "creation,creation-with-upload,expiration,termination"
PIECE_TYPE = "application/offset+octet-stream"
MOST_METADATA_BYTES = 4096

router = APIRouter(prefix="/v1/uploads", tags=["uploads"], responses=PROBLEMS)

UploadId = Annotated[str, Path(pattern="^[0-9a-f]{1,64}$")]
Bytes = Annotated[int | None, Header(ge=0, le=2**62)]


def _spoken(tus_resumable: Annotated[str | None, Header(json_schema_extra={"const": TUS_VERSION})] = None) -> None:
    """Refuse other versions of the protocol."""
    if tus_resumable != TUS_VERSION:
        raise ProtocolMismatch


TUS = [Depends(_spoken)]


@router.options("", status_code=204, response_class=Response, summary="What is spoken here")
async def describe(service: Serving) -> Response:
    """Name the protocol's version, its extensions and the largest recording."""
    headers = {"Tus-Version": TUS_VERSION, "Tus-Extension": EXTENSIONS}
    return _answer(204, service, None, {**headers, "Tus-Max-Size": str(service.settings.max_upload_bytes)})


@router.post(
    "", status_code=201, dependencies=TUS, openapi_extra=PIECE, response_class=Response, summary="Begin an upload"
)
async def create(
    request: Request,
    service: Serving,
    caller: Submitter,
    upload_length: Bytes = None,
    upload_metadata: Annotated[str, Header(max_length=MOST_METADATA_BYTES)] = "",
) -> Response:
    """Announce a recording by its length; the answer's `Location` is where its bytes go, at once or later."""
    if upload_length is None:
        raise InvalidOption("The header Upload-Length is missing.", hint="Announce how many bytes will come.")
    if upload_length > service.settings.max_upload_bytes:
        raise MediaTooLarge(f"The recording is larger than {service.settings.max_upload_bytes / 2**20:.0f} MiB.")
    name = safe_name(_metadata(upload_metadata).get("filename", ""))
    upload = await service.uploads.create(caller.id, name, upload_length, upload_metadata)
    location = {"Location": f"/v1/uploads/{upload.id}"}
    if request.headers.get("Content-Type") == PIECE_TYPE:
        upload = await service.uploads.receive(upload, 0, _body(request))
    return _answer(201, service, upload, location)


@router.head("/{upload_id}", dependencies=TUS, response_class=Response, summary="How much has arrived?")
async def status(upload_id: UploadId, service: Serving, caller: Submitter) -> Response:
    """Say in `Upload-Offset` where to go on."""
    upload = await service.uploads.get(upload_id, caller.owner)
    headers = {"Upload-Length": str(upload.length_bytes), "Cache-Control": "no-store"}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return _answer(200, service, upload, headers)


@router.patch(
    "/{upload_id}", status_code=204, dependencies=TUS, openapi_extra=PIECE, response_class=Response, summary="Go on"
)
async def append(
    request: Request, upload_id: UploadId, service: Serving, caller: Submitter, upload_offset: Bytes = None
) -> Response:
    """Take more bytes, from `Upload-Offset` on. What has come before a line breaks is kept."""
    if request.headers.get("Content-Type") != PIECE_TYPE:
        raise WrongContentType
    if upload_offset is None:
        raise InvalidOption("The header Upload-Offset is missing.", hint="Say where these bytes begin.")
    upload = await service.uploads.get(upload_id, caller.owner)
    goes_on = upload_offset == upload.offset_bytes and upload.job_id is None
    if goes_on and int(request.headers.get("Content-Length") or 0) > upload.length_bytes - upload_offset:
        raise MediaTooLarge(f"The upload was announced with {upload.length_bytes} bytes.", hint="Announce all of it.")
    return _answer(204, service, await service.uploads.receive(upload, upload_offset, _body(request)))


@router.delete("/{upload_id}", status_code=204, dependencies=TUS, response_class=Response, summary="Give it up")
async def delete(upload_id: UploadId, service: Serving, caller: Submitter) -> Response:
    """Forget an upload and what has arrived of it."""
    await service.uploads.delete(upload_id, caller.owner)
    return _answer(204, service, None)


async def _body(request: Request) -> AsyncIterator[bytes]:
    """Yield the body; where the line breaks, it ends."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        return


def _metadata(header: str) -> dict[str, str]:
    """Return what Upload-Metadata says: names and values in base64. Raises `InvalidOption`."""
    found = {}
    for pair in filter(None, (each.strip() for each in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise InvalidOption(
                "The header Upload-Metadata cannot be read.", hint="Give name and base64 value, separated by a space."
            ) from None
    return found


def _answer(status: int, service: Service, upload: Upload | None, headers: dict[str, str] | None = None) -> Response:
    answered = {"Tus-Resumable": TUS_VERSION, **(headers or {})}
    if upload is not None:
        answered["Upload-Offset"] = str(upload.offset_bytes)
        expires = upload.touched.astimezone(UTC) + timedelta(hours=service.settings.upload_life_hours)
        answered["Upload-Expires"] = format_datetime(expires, usegmt=True)
    return Response(status_code=status, headers=answered)
