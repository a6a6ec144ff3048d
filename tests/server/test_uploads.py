"""Uploads that can be resumed, with a real tus client and by hand."""

from __future__ import annotations

import asyncio
import base64
import io

import httpx
import pytest
from starlette.requests import Request
from tusclient.client import TusClient

from wortlaut.jobs.database import migrate, open_pool
from wortlaut.server import resumable
from wortlaut.server.problems import MediaTooLarge, UploadConflict, UploadNotFound
from wortlaut.server.resumable import Uploads
from wortlaut.server.uploads_routes import _body
from wortlaut.storage import open_storage

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
SCRIPT = b"say piece by piece\nsay it arrives"


def begin(http, length, name="talk.wav", **headers):
    named = {"Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}"}
    return http.post("/v1/uploads", headers={**TUS, **named, "Upload-Length": str(length), **headers})


def send(http, location, offset, content):
    return http.patch(location, headers={**PIECE, "Upload-Offset": str(offset)}, content=content)


def test_a_tus_client_uploads_in_pieces_and_the_upload_becomes_a_job(http, base_url, finished):
    client = TusClient(f"{base_url}/v1/uploads")
    uploader = client.uploader(file_stream=io.BytesIO(SCRIPT), chunk_size=7, metadata={"filename": "Täglich.wav"})
    uploader.upload()
    upload_id = uploader.url.rsplit("/", 1)[-1]
    job = http.post("/v1/jobs", data={"upload": upload_id, "language": "de"}).json()
    done = finished(job)
    assert (done["state"], done["name"], done["size_bytes"]) == ("done", "Täglich.wav", len(SCRIPT))
    assert http.get(done["links"]["result"] + ".txt").text.split("\n")[0].endswith("piece by piece")


def test_a_tus_client_resumes_where_another_stopped(http, base_url):
    client = TusClient(f"{base_url}/v1/uploads")
    first = client.uploader(file_stream=io.BytesIO(SCRIPT), chunk_size=10)
    first.upload_chunk()
    second = client.uploader(file_stream=io.BytesIO(SCRIPT), chunk_size=10, url=first.url)
    assert second.offset == 10
    second.upload()
    assert http.head(first.url, headers=TUS).headers["Upload-Offset"] == str(len(SCRIPT))


def test_an_upload_is_one_job_however_often_it_is_named(http):
    location = begin(http, len(SCRIPT)).headers["Location"]
    assert send(http, location, 0, SCRIPT).status_code == 204
    given = {"upload": location.rsplit("/", 1)[-1]}
    first, again = (http.post("/v1/jobs", params=given).json() for _ in range(2))
    assert first["id"] == again["id"]
    other = http.post("/v1/jobs", params={**given, "language": "de"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-conflict")
    assert send(http, location, len(SCRIPT), b"more").json()["code"] == "upload-conflict"


def test_what_a_server_says_of_itself_and_of_an_upload(http):
    options = http.options("/v1/uploads")
    assert options.status_code == 204
    assert options.headers["Tus-Version"] == "1.0.0"
    assert {"creation", "termination"} <= set(options.headers["Tus-Extension"].split(","))
    assert options.headers["Tus-Max-Size"] == "3000000"
    created = begin(http, 10)
    assert created.status_code == 201
    status = http.head(created.headers["Location"], headers=TUS)
    assert (status.headers["Upload-Offset"], status.headers["Upload-Length"]) == ("0", "10")
    assert status.headers["Cache-Control"] == "no-store"
    assert status.headers["Upload-Metadata"].startswith("filename ")
    assert status.headers["Upload-Expires"].endswith("GMT")
    assert all(each.headers["Tus-Resumable"] == "1.0.0" for each in (options, created, status))


def test_the_first_bytes_may_come_with_the_announcement(http):
    headers = {**PIECE, "Upload-Length": "5"}
    answer = http.post("/v1/uploads", headers=headers, content=b"say")
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "3")


def test_an_upload_that_was_given_up_is_gone(http):
    location = begin(http, 10).headers["Location"]
    assert http.delete(location, headers=TUS).status_code == 204
    for answer in (http.head(location, headers=TUS), http.delete(location, headers=TUS)):
        assert answer.status_code == 404
    assert http.post("/v1/jobs", params={"upload": location.rsplit("/", 1)[-1]}).json()["code"] == "upload-not-found"


def test_mistakes_are_named(http):
    location = begin(http, 10).headers["Location"]
    refused = [
        (send(http, location, 3, b"x"), 409, "upload-conflict"),
        (send(http, location, 0, b"x" * 11), 413, "media-too-large"),
        (begin(http, 4_000_000), 413, "media-too-large"),
        (begin(http, "many"), 400, "invalid-option"),
        (http.post("/v1/uploads", headers=TUS), 400, "invalid-option"),
        (begin(http, 1, **{"Tus-Resumable": "0.2.2"}), 412, "protocol-mismatch"),
        (begin(http, 1, **{"Upload-Metadata": "filename ???"}), 400, "invalid-option"),
        (http.patch(location, headers={**TUS, "Upload-Offset": "0"}, content=b"x"), 415, "wrong-content-type"),
        (http.patch(location, headers=PIECE, content=b"x"), 400, "invalid-option"),
        (http.post("/v1/jobs", params={"upload": location.rsplit("/", 1)[-1]}), 409, "upload-conflict"),
    ]
    for answer, status, code in refused:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert refused[0][0].headers["Tus-Resumable"] == "1.0.0"


@pytest.fixture
async def uploads(make_settings, anyio_backend):
    settings = make_settings()
    async with open_pool(settings.database_url.get_secret_value()) as pool:
        await migrate(pool)
        yield Uploads(pool, open_storage(settings.storage))


async def chunks(content, size=1000):
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.anyio
async def test_long_uploads_lie_in_pieces_of_a_bounded_size(uploads, monkeypatch):
    monkeypatch.setattr(resumable, "PIECE_BYTES", 4000)
    monkeypatch.setattr(resumable, "WRITE_BYTES", 2000)
    content = bytes(range(256)) * 40
    upload = await uploads.create("me", "a", len(content), "")
    upload = await uploads.receive(upload, 0, chunks(content))
    assert len(upload.pieces) == 3
    async with uploads.recording(upload) as recording:
        assert recording.content().read() == content


@pytest.mark.anyio
async def test_what_came_before_the_line_broke_is_kept(uploads):
    arriving = iter([{"type": "http.request", "body": b"x" * 400, "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(arriving)

    upload = await uploads.create("me", "a", 1000, "")
    await uploads.receive(upload, 0, _body(Request({"type": "http"}, receive)))
    assert (await uploads.get(upload.id, "me")).offset_bytes == 400


@pytest.mark.anyio
async def test_of_two_who_send_the_same_stretch_one_wins(uploads):
    upload = await uploads.create("me", "a", 10, "")
    ends = await asyncio.gather(
        *(uploads.receive(upload, 0, chunks(text)) for text in (b"first", b"second")), return_exceptions=True
    )
    assert sorted(type(end).__name__ for end in ends) == ["Upload", "UploadConflict"]
    assert len(await uploads.storage.listing("uploads")) == 1


@pytest.mark.anyio
async def test_more_than_was_announced_is_refused_and_the_rest_is_there(uploads):
    upload = await uploads.create("me", "a", 4, "")
    with pytest.raises(MediaTooLarge):
        await uploads.receive(upload, 0, chunks(b"12345"))
    with pytest.raises(UploadConflict):
        await uploads.recording(upload).__aenter__()


@pytest.mark.anyio
async def test_what_nobody_continues_is_forgotten(uploads):
    upload = await uploads.create("me", "a", 4, "")
    await uploads.receive(upload, 0, chunks(b"12"))
    await uploads.tidy(1)
    assert (await uploads.get(upload.id, "me")).offset_bytes == 2
    with pytest.raises(UploadNotFound):
        await uploads.get(upload.id, "somebody else")
    await uploads.tidy(0)
    with pytest.raises(UploadNotFound):
        await uploads.get(upload.id, None)
    assert not await uploads.storage.listing("uploads")


def test_an_empty_upload_is_complete_at_once(http, finished):
    location = begin(http, 0).headers["Location"]
    job = finished(http.post("/v1/jobs", params={"upload": location.rsplit("/", 1)[-1]}).json())
    assert job["size_bytes"] == 0


def test_uploads_belong_to_their_keys(make_settings, serve):
    from wortlaut.server.access import Keys

    settings = make_settings()

    async def secrets():
        async with open_pool(settings.database_url.get_secret_value()) as pool:
            return [(await Keys(pool).create(name, ["submit"]))[1] for name in ("one", "two")]

    with serve(settings) as url:
        one, two = (
            httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"})
            for secret in asyncio.run(secrets())
        )
        with one, two:
            location = begin(one, 10).headers["Location"]
            assert one.head(location, headers=TUS).status_code == 200
            assert two.head(location, headers=TUS).status_code == 404
            assert send(two, location, 0, b"x").status_code == 404
            assert two.delete(location, headers=TUS).status_code == 404
