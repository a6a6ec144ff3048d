"""What stands behind all routes: take a recording in, wait for it, give its transcript out."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from wortlaut.errors import Cancelled, WortlautError
from wortlaut.formats.read import read_json
from wortlaut.jobs.changes import Changes, is_set_within
from wortlaut.jobs.database import Pool, migrate, open_pool
from wortlaut.jobs.embedded import database_of
from wortlaut.jobs.errors import DatabaseUnavailable, JobNotFound, JobUnfinished, MediaTooLong
from wortlaut.jobs.job import WAITED_FOR, Job, Work
from wortlaut.jobs.ledger import Answer, Ledger, Submission, new_id
from wortlaut.jobs.queue import open_queue
from wortlaut.jobs.worker import TIDY, Worker, forget
from wortlaut.media.stated_duration import stated_duration
from wortlaut.options import Options
from wortlaut.server.access import Caller, Keys
from wortlaut.server.limits import Limits
from wortlaut.server.metrics import Metrics
from wortlaut.server.resumable import Uploads
from wortlaut.server.settings import ServiceSettings
from wortlaut.server.uploads import Arrivals, Recording
from wortlaut.storage import ObjectMissing, Storage, StorageUnavailable, open_storage
from wortlaut.transcript import Transcript

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at whether the caller is still there."""
DOUBT = 15.0
"""Seconds after which a job is looked at though nothing was heard of it: hundreds may wait, and looking is not free."""
PATIENCE = 60.0
"""Seconds for which a caller is kept waiting while the database does not answer."""


class Waiting(Protocol):
    """Somebody who waits for an answer and may go away: a request, for one."""

    async def is_disconnected(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Service:
    """Everything the routes need."""

    settings: ServiceSettings
    pool: Pool
    ledger: Ledger
    storage: Storage
    changes: Changes
    keys: Keys
    limits: Limits
    uploads: Uploads
    arrivals: Arrivals
    worker: Worker
    metrics: Metrics = field(default_factory=Metrics)
    probing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def submit(
        self,
        recording: Recording,
        options: Options,
        caller: Caller,
        *,
        work: Work = "transcribe",
        priority: int = 0,
        idempotency_key: str | None = None,
        webhook: str | None = None,
        shares: bool = True,
    ) -> Job:
        """Store the recording and accept the job; after this returned, it will be done.

        `shares`: take the result, or those of stages, from other jobs on the same recording, and let them take ours.
        """
        job_id = new_id()
        submission = Submission(
            job_id,
            caller.id,
            recording.name,
            f"media/{job_id}",
            recording.size_bytes,
            options,
            work,
            priority,
            idempotency_key,
            webhook,
            await asyncio.to_thread(recording.digest) if shares and self.settings.caches else None,
        )
        return await self._answered(submission) or await self._queued(submission, recording, caller)

    async def _answered(self, submission: Submission) -> Job | None:
        """Answer with a copy of what another job on the same recording has come to, if there is one."""
        if submission.scope is None:
            return None
        done = await self.ledger.same_work(submission.scope, submission.options, submission.work)
        if done is None or done.result_key is None:
            return None
        answer = Answer(f"results/{submission.id}/0.json", done.duration)
        sharing = replace(submission, media_key=done.media_key, shares=done.id)
        is_new = False
        try:
            await self.storage.put(answer.result_key, await self.storage.get(done.result_key))
            job, is_new = await self.ledger.submit(sharing, answer=answer)
        except (JobNotFound, ObjectMissing):  # deleted a moment ago
            return None
        finally:
            if not is_new:
                await self.storage.delete(answer.result_key)
        log.info("answered", extra={"action": "job_answered", "job_id": job.id, "is_new": is_new})
        return job

    async def _queued(self, submission: Submission, recording: Recording, caller: Caller) -> Job:
        is_new = False
        try:
            await self.storage.put(submission.media_key, recording.content())
            if submission.work == "transcribe":
                await self._account(caller, submission.id, submission.media_key)
            job, is_new = await self.ledger.submit(submission, max_queued=self.settings.max_queued)
        finally:
            if not is_new:
                await self.limits.release(submission.id)
                await self.storage.delete(submission.media_key)
        log.info("accepted", extra={"action": "job_accepted", "job_id": job.id, "is_new": is_new})
        return job

    async def rerun(self, job: Job, options: Options, caller: Caller, *, shares: bool = True) -> Job:
        """Accept a job on the recording of another one; what that has found out is used where it still applies.

        It counts against the caller's minutes like a recording that is handed in.
        """
        submission = Submission(
            new_id(),
            job.owner,
            job.name,
            job.media_key,
            job.media_bytes,
            options,
            job.work,
            scope=job.scope if shares else None,
            shares=job.id,
            rerun_of=job.id,
        )
        await self.limits.reserve(caller, submission.id, job.duration or 0.0)
        is_new = False
        try:
            again, is_new = await self.ledger.submit(submission, max_queued=self.settings.max_queued)
        finally:
            if not is_new:
                await self.limits.release(submission.id)
        log.info("rerun", extra={"action": "job_rerun", "job_id": again.id, "rerun_of": job.id})
        return again

    async def _account(self, caller: Caller, job_id: str, media_key: str) -> None:
        """Hold a recording against the limits, by what it says of its length; the worker measures the truth."""
        longest = self.settings.max_duration
        seconds = None
        if longest or self.limits.minutes_per_day(caller):
            async with self.probing, self.storage.as_file(media_key) as media:
                seconds = await asyncio.to_thread(stated_duration, media)
        if longest and seconds is not None and seconds > longest:
            raise MediaTooLong.over(longest)
        await self.limits.reserve(caller, job_id, seconds or 0.0)

    async def begin(self, recording: Recording, options: Options, caller: Caller, work: Work = "transcribe") -> Job:
        """Accept a job that somebody waits for."""
        return await self.submit(recording, options, caller, work=work, priority=WAITED_FOR)

    async def transcribe_now(
        self, waiting: Waiting, recording: Recording, options: Options, caller: Caller
    ) -> Transcript:
        """Do a job while the caller holds the line. Raises what the job failed with."""
        return await self.finish(waiting, await self.begin(recording, options, caller))

    async def finish(self, waiting: Waiting, job: Job) -> Transcript:
        """Return the transcript of a job that somebody waits for."""
        return await asyncio.to_thread(read_json, await self._finish(waiting, job))

    async def detect_now(
        self, waiting: Waiting, recording: Recording, options: Options, caller: Caller
    ) -> Mapping[str, Any]:
        """Return language and probability of a recording while the caller holds the line."""
        job = await self.begin(recording, options, caller, "detect")
        guess: Mapping[str, Any] = json.loads(await self._finish(waiting, job))
        return guess

    async def _finish(self, waiting: Waiting, job: Job) -> bytes:
        try:
            return await self.result(await self.wait(job, waiting))
        finally:
            # The caller has gone, or has what it wanted: nothing of it is kept, and a running attempt stops.
            await asyncio.shield(self._forget_quietly(job))

    async def _forget_quietly(self, job: Job) -> None:
        try:
            await forget(self.ledger, self.storage, job.id)
        except WortlautError as error:  # the retention time will do it
            log.warning("%s", error.message, extra={"action": "forget_failed", "job_id": job.id})

    async def wait(self, job: Job, waiting: Waiting) -> Job:
        """Return the job when it has ended. Raises `Cancelled` when the caller has gone."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        with self.changes.of(job.id) as changed:
            while not job.is_finished:
                try:
                    job = await self.ledger.get(job.id)
                    deadline = asyncio.get_running_loop().time() + PATIENCE
                except DatabaseUnavailable:
                    if asyncio.get_running_loop().time() > deadline:
                        raise
                    await asyncio.sleep(LOOK)
                    continue
                if not job.is_finished:
                    await self._heard(changed, waiting)
        return job

    async def _heard(self, changed: asyncio.Event, waiting: Waiting) -> None:
        """Return when a job has changed, or is in doubt. Raises `Cancelled` when the caller has gone."""
        in_doubt = asyncio.get_running_loop().time() + DOUBT
        while asyncio.get_running_loop().time() < in_doubt:
            is_news = await is_set_within(changed, LOOK)
            if await waiting.is_disconnected():
                raise Cancelled
            if is_news:
                break
        changed.clear()

    async def result(self, job: Job) -> bytes:
        """Return what a job has come to. Raises what it failed with, `Cancelled`, or `JobUnfinished`."""
        if job.error is not None:
            raise job.error.error()
        if job.state == "cancelled":
            raise Cancelled("The job was cancelled.")
        if job.result_key is None:
            raise JobUnfinished
        return await self.storage.get(job.result_key)

    async def transcript(self, job: Job) -> Transcript:
        """Return the transcript of a job that is done."""
        if job.work != "transcribe":
            raise ObjectMissing("This job has no transcript.")
        return await asyncio.to_thread(read_json, await self.result(job))


@asynccontextmanager
async def open_service(settings: ServiceSettings) -> AsyncIterator[Service]:
    """Start the database if it is ours, bring its tables up to date, and start worker and listener."""
    async with database_of(settings, is_shared=False) as url, open_pool(url) as pool:
        await migrate(pool)
        metrics = Metrics()
        worker = Worker(settings, Options(model=settings.model), url, metrics.observe)
        storage = open_storage(settings.storage)
        service = Service(
            settings,
            pool,
            Ledger(pool, await open_queue(pool)),
            storage,
            Changes(url),
            Keys(pool),
            Limits(pool, settings),
            Uploads(pool, storage),
            Arrivals(settings.max_upload_bytes, settings.max_uploads),
            worker,
            metrics,
        )
        running = [asyncio.create_task(service.changes.listen()), asyncio.create_task(_tidy(service))]
        if settings.workers:
            running.append(asyncio.create_task(worker.run()))
        for task in running:
            task.add_done_callback(_report_end)
        try:
            yield service
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)


async def _tidy(service: Service) -> None:
    """Delete uploads that nobody continues, and counts that no limit needs."""
    while True:
        try:
            await service.uploads.tidy(service.settings.upload_life_hours)
            await service.limits.tidy()
        except (DatabaseUnavailable, StorageUnavailable) as error:
            log.warning("%s", error.message, extra={"action": "tidy_failed", "code": error.code})
        await asyncio.sleep(TIDY)


def _report_end(task: asyncio.Task[None]) -> None:
    """Log why a part of the service has ended; `/ready` says that it is missing."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a part of the service has ended: %s", error, exc_info=error, extra={"action": "part_ended"})
