"""`/v1/jobs`: hand in a recording, follow it, fetch the result in any format, when it suits you."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from wortlaut.errors import InvalidOption
from wortlaut.formats import RenderOptions
from wortlaut.jobs.changes import is_set_within
from wortlaut.jobs.errors import DatabaseUnavailable, IdempotencyConflict, JobNotFound
from wortlaut.jobs.job import Job, State
from wortlaut.jobs.options_json import options_to_json
from wortlaut.jobs.remote import host_of
from wortlaut.jobs.worker import forget
from wortlaut.options import Options, Speakers
from wortlaut.server.access import Caller
from wortlaut.server.answers import format_accepted, format_named, rendered
from wortlaut.server.openapi import CHANGES, PROBLEMS, SUBMISSION, TRANSCRIPTS, answers
from wortlaut.server.parameters import Defaults, change_options, make_options
from wortlaut.server.requests import Reader, Serving, Submitter
from wortlaut.server.service import Service
from wortlaut.server.uploads import Received, Recording, fetched

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=PROBLEMS)

JobId = Annotated[str, Path(pattern="^[0-9a-f]{1,64}$")]

KEEP_ALIVE = 15.0
"""Seconds after which a stream of events says something, so that nobody in between takes it for dead."""


class Layout(BaseModel):
    """How a result is laid out: what `RenderOptions` knows, as a query."""

    format: str | None = Field(None, description="A format's name; the header `Accept` works too.")
    max_line_width: int | None = Field(None, ge=1)
    max_line_count: int | None = Field(None, ge=1)
    highlight_words: bool = False
    word_times: bool = False
    preset: str | None = None
    speaker_labels: bool = True

    def options(self, recording: str) -> RenderOptions:
        return RenderOptions(recording, **self.model_dump(exclude={"format"}))


@router.post("", status_code=202, openapi_extra=SUBMISSION, summary="Hand in a recording")
async def submit(
    request: Request,
    service: Serving,
    caller: Submitter,
    idempotency_key: Annotated[str | None, Header(max_length=200, pattern=r"^[\x21-\x7e]+$")] = None,
) -> JSONResponse:
    """Accept a recording: as the field `file`, by its `url`, or as an `upload` that is complete.

    The answer comes as soon as it is stored.
    """
    async with service.arrivals.receive(request) as received:
        options = make_options(received.parameters, Defaults(service.settings.model, speakers=Speakers()))
        shares = received.parameters.flag("cache", default=True)
        wanted = _Wanted(options, caller, idempotency_key, _webhook(received, service), shares)
        upload_id = received.parameters.text("upload")
        if received.media is None and upload_id is not None:
            job = await _submit_upload(service, upload_id, wanted)
        else:
            async with _recording(received, service) as recording:
                job = await wanted.submit(service, recording)
        warnings = [{"code": each.code, "message": each.message} for each in received.parameters.notices()]
    return JSONResponse({**view(job), "warnings": warnings}, 202, {"Location": f"/v1/jobs/{job.id}"})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is wanted, apart from the recording."""

    options: Options
    caller: Caller
    idempotency_key: str | None
    webhook: str | None
    shares: bool

    async def submit(self, service: Service, recording: Recording, *, key: str | None = None) -> Job:
        return await service.submit(
            recording,
            self.options,
            self.caller,
            idempotency_key=self.idempotency_key or key,
            webhook=self.webhook,
            shares=self.shares,
        )


async def _submit_upload(service: Service, upload_id: str, wanted: _Wanted) -> Job:
    """Make a job of a complete upload. It becomes one job only: naming it again gives the same."""
    upload = await service.uploads.get(upload_id, wanted.caller.owner)
    if upload.job_id is not None:
        job = await service.ledger.get(upload.job_id, wanted.caller.owner)
        if job.options != wanted.options:
            raise IdempotencyConflict("This upload has become a job with other parameters.")
        return job
    async with service.uploads.recording(upload) as recording:
        job = await wanted.submit(service, recording, key=f"upload {upload.id}")
    await service.uploads.use(upload, job.id)
    return job


def _webhook(received: Received, service: Service) -> str | None:
    """Return the address to tell of the end. Raises `InvalidOption` where there are no webhooks."""
    url = received.parameters.text("webhook")
    if url is None:
        return None
    if service.settings.webhook_secret is None:
        raise InvalidOption("This service has no webhooks.", hint="WORTLAUT_WEBHOOK_SECRET switches them on.")
    host_of(url)
    return url


@asynccontextmanager
async def _recording(received: Received, service: Service) -> AsyncIterator[Recording]:
    url = received.parameters.text("url")
    if received.media is not None or url is None:
        yield received.recording
        return
    async with fetched(url, service.settings) as recording:
        yield recording


@router.get("", summary="List and search")
async def list_jobs(
    service: Serving,
    caller: Reader,
    state: State | None = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> dict[str, object]:
    """Return your jobs, the newest first; `search` looks in the names of the recordings."""
    found = await service.ledger.list(caller.owner, state=state, text=search, limit=limit, offset=offset)
    return {"jobs": [view(job) for job in found]}


@router.get("/{job_id}", summary="How far is it?")
async def status(job_id: JobId, service: Serving, caller: Reader) -> dict[str, object]:
    """Return state, stage, percent and the estimated time left."""
    return view(await service.ledger.get(job_id, caller.owner))


@router.get(
    "/{job_id}/events", summary="Follow it", responses=answers("text/event-stream"), response_class=StreamingResponse
)
async def events(job_id: JobId, service: Serving, caller: Reader) -> StreamingResponse:
    """Stream server-sent events: `progress` whenever something changes, `end` at the end; both have the status."""
    job = await service.ledger.get(job_id, caller.owner)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(service, job), headers=headers, media_type="text/event-stream")


@router.get("/{job_id}/result", summary="The result", responses=TRANSCRIPTS, response_class=Response)
@router.get(
    "/{job_id}/result.{suffix}",
    summary="The result, in the format of the suffix",
    responses=TRANSCRIPTS,
    response_class=Response,
)
async def result(
    request: Request,
    job_id: JobId,
    service: Serving,
    caller: Reader,
    layout: Annotated[Layout, Query()],
    suffix: str | None = None,
) -> Response:
    """Return the transcript; 409 while there is none."""
    named = suffix or layout.format
    chosen = format_named(named) if named else format_accepted(request.headers.get("Accept", "*/*"))
    job = await service.ledger.get(job_id, caller.owner)
    transcript = await service.transcript(job)
    return await rendered(transcript, chosen, layout.options(job.name), is_attachment=suffix is not None)


@router.post("/{job_id}/cancel", summary="Stop it")
async def cancel(job_id: JobId, service: Serving, caller: Submitter) -> dict[str, object]:
    """Cancel a job; the work on it stops within two seconds. One that has ended stays as it is."""
    return view(await service.ledger.cancel(job_id, caller.owner))


@router.post("/{job_id}/rerun", status_code=202, openapi_extra=CHANGES, summary="Once more, with other options")
async def rerun(request: Request, job_id: JobId, service: Serving, caller: Submitter) -> JSONResponse:
    """Make a new job on the same recording. Options that are not given stay; stages they do not concern are reused."""
    job = await service.ledger.get(job_id, caller.owner)
    async with service.arrivals.receive(request) as received:
        options = change_options(received.parameters, job.options)
        shares = received.parameters.flag("cache", default=True)
        warnings = [{"code": each.code, "message": each.message} for each in received.parameters.notices()]
    again = await service.rerun(job, options, caller, shares=shares)
    return JSONResponse({**view(again), "warnings": warnings}, 202, {"Location": f"/v1/jobs/{again.id}"})


@router.delete("/{job_id}", status_code=204, summary="Delete it")
async def delete(job_id: JobId, service: Serving, caller: Submitter) -> None:
    """Delete a job, its recording and its results. One that runs is stopped."""
    await forget(service.ledger, service.storage, job_id, caller.owner)


async def _events(service: Service, job: Job) -> AsyncIterator[str]:
    told = None
    with service.changes.of(job.id) as changed:
        while True:
            changed.clear()
            try:
                job = await service.ledger.get(job.id)
            except DatabaseUnavailable:
                await asyncio.sleep(1)
            except JobNotFound:
                yield 'event: end\ndata: {"state": "deleted"}\n\n'
                return
            if view(job) != told:
                told = view(job)
                yield f"event: {'end' if job.is_finished else 'progress'}\ndata: {json.dumps(told)}\n\n"
            else:
                yield ": still here\n\n"
            if job.is_finished:
                return
            await is_set_within(changed, KEEP_ALIVE)


def view(job: Job) -> dict[str, object]:
    """Return what its owner sees of a job."""
    left = job.seconds_left()
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "stage": job.progress.stage if job.progress and not job.is_finished else None,
        "percent": round(100 * job.share, 1),
        "eta_seconds": None if left is None else round(left, 1),
        "attempt": job.attempt,
        "size_bytes": job.media_bytes,
        "duration": job.duration,
        "created": job.created.isoformat(),
        "started": job.started.isoformat() if job.started else None,
        "finished": job.finished.isoformat() if job.finished else None,
        "error": job.error.to_json() if job.error else None,
        "failed_attempts": [reason.to_json() for reason in job.reasons],
        "is_cached": job.is_cached,
        "reused": dict(job.reused),
        "rerun_of": job.rerun_of,
        "options": options_to_json(job.options),
        "links": {
            "self": f"/v1/jobs/{job.id}",
            "events": f"/v1/jobs/{job.id}/events",
            "result": f"/v1/jobs/{job.id}/result",
        },
    }
