"""The ledger: every job, written in single statements, so that a process may die between any two of them.

An attempt may write only while it holds the lease that `claim` gave it: whoever comes late (a worker that was thought
dead, a child of an earlier attempt) changes nothing. That makes one result of possibly several attempts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, LiteralString

from procrastinate import App
from psycopg.types.json import Jsonb

from wortlaut import __version__
from wortlaut.jobs import statements as sql
from wortlaut.jobs.database import Connection, Pool, fetch_all, fetch_one, transaction
from wortlaut.jobs.errors import Failure, IdempotencyConflict, JobNotFound, QueueFull
from wortlaut.jobs.job import BATCH, FINISHED, WAITED_FOR, HandedIn, Job, Work
from wortlaut.jobs.options_json import options_from_json, options_to_json
from wortlaut.options import Options, Progress

TASK = "transcribe"
"""The queue's main task: work on the job with this id."""
TELL = "tell"
"""The other task: tell a caller's server that its job has ended."""

_DELETION_LOCK = 7_309_453_125
"""An advisory lock: of two jobs with one recording that are deleted at once, the later one sees that it is the last."""

LEASE_LIFE = 5.0
"""Seconds without a beat after which an attempt counts as dead, and the job may be claimed anew."""

STEP = 0.01
"""The part of a job by which an attempt must get further than all before to count as progress."""


@dataclass(frozen=True, slots=True)
class Submission(HandedIn):
    """What is needed to make a job.

    `scope` None: results of stages are this job's own. `shares` is the job whose media this one uses as well.
    """

    work: Work = "transcribe"
    priority: int = BATCH
    idempotency_key: str | None = None
    webhook: str | None = None
    scope: str | None = None
    shares: str | None = None
    rerun_of: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A result that is there before its job: a copy of another job's."""

    result_key: str
    duration: float | None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A job that is no more, and whether it was the last with this media and this scope."""

    job: Job
    frees_media: bool
    frees_scope: bool


def new_id() -> str:
    """Return an id that nobody can guess."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Ledger:
    """All jobs. Every method raises `DatabaseUnavailable` while the database is away."""

    pool: Pool
    queue: App
    lease_life: float = LEASE_LIFE

    async def submit(
        self, submission: Submission, *, max_queued: int | None = None, answer: Answer | None = None
    ) -> tuple[Job, bool]:
        """Accept a job, and put it into the queue in the same transaction, unless the answer is there already.

        Returns the job and whether it is new: the same Idempotency-Key of the same owner gives the same job.
        Raises `IdempotencyConflict` if that asked for something else, `QueueFull` if too many wait, `JobNotFound` if
        the job whose media it would share has gone meanwhile.
        """
        async with transaction(self.pool) as connection:
            if submission.shares is not None and not await fetch_one(connection, sql.HOLD, [submission.shares]):
                raise JobNotFound
            if max_queued is not None and answer is None:
                await _refuse_overload(connection, max_queued)
            row = await fetch_one(connection, sql.INSERT, _values(submission))
            if row is not None and answer is not None:
                return await self._answered(connection, row, answer), True
            if row is not None:
                await self._enqueue(connection, submission.id, submission.priority)
                return _job(row), True
            row = await fetch_one(connection, sql.BY_IDEMPOTENCY, [submission.owner, submission.idempotency_key])
        if row is None:
            raise JobNotFound
        job = _job(row)
        if (job.options, job.media_bytes, job.work) != (submission.options, submission.media_bytes, submission.work):
            raise IdempotencyConflict
        return job, False

    async def _answered(self, connection: Connection, row: Mapping[str, Any], answer: Answer) -> Job:
        values = [answer.result_key, answer.duration, __version__, row["id"]]
        done = await fetch_one(connection, sql.ANSWER, values)
        if row["webhook"]:
            await self._tell(connection, row["id"], 1, 0.0)
        return _found(done)

    async def same_work(self, scope: str, options: Options, work: Work) -> Job | None:
        """Return a job that this version has done on the same recording with the same options, whoever asked for it."""
        values = [scope, Jsonb(options_to_json(options)), work, __version__]
        async with transaction(self.pool) as connection:
            row = await fetch_one(connection, sql.SAME_WORK, values)
        return None if row is None else _job(row)

    async def uses(self, media_key: str, scope: str) -> tuple[bool, bool]:
        """Say whether any job has this media, and whether any has this scope."""
        async with transaction(self.pool) as connection:
            return await _uses(connection, media_key, scope)

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        """Return a job; `owner` None sees all. Raises `JobNotFound`."""
        async with transaction(self.pool) as connection:
            return _found(await fetch_one(connection, sql.GET, [job_id, owner, owner]))

    async def list(
        self, owner: str | None, *, state: str | None = None, text: str | None = None, limit: int = 50, offset: int = 0
    ) -> Sequence[Job]:
        """Return jobs, newest first; `text` is looked for in their names."""
        pattern = None if text is None else f"%{_escaped(text)}%"
        values = [owner, owner, state, state, pattern, pattern, limit, offset]
        async with transaction(self.pool) as connection:
            return [_job(row) for row in await fetch_all(connection, sql.LIST, values)]

    async def claim(self, job_id: str) -> Job | None:
        """Begin an attempt; None if there is nothing to do, or if an earlier attempt is still alive.

        A dead attempt's lease ends here.
        """
        async with transaction(self.pool) as connection:
            row = await fetch_one(connection, sql.CLAIM, [new_id(), job_id, timedelta(seconds=self.lease_life)])
        return None if row is None else _job(row)

    async def beat(self, job: Job, progress: Progress | None) -> bool:
        """Write down how far the attempt has come; False if it no longer counts: the job is cancelled, or another's."""
        values = {"id": job.id, "lease": job.lease, "step": STEP, **_progress_values(job, progress)}
        async with transaction(self.pool) as connection:
            return await fetch_one(connection, sql.BEAT, values) is not None

    async def finish(
        self, job: Job, result_key: str, duration: float | None, reused: Mapping[str, float] | None = None
    ) -> bool:
        """Give the job its result; False if this attempt no longer counts."""
        values = [result_key, duration, __version__, Jsonb(dict(reused or {})), job.id, job.lease]
        return await self._end(sql.FINISH, values)

    async def fail(self, job: Job, failure: Failure) -> bool:
        """End the job with an error; False if this attempt no longer counts."""
        return await self._end(sql.FAIL, [Jsonb(failure.to_json()), job.id, job.lease])

    async def retry(self, job: Job, failure: Failure, wait: float, max_attempts: int) -> bool:
        """Put the job back into the queue, for `wait` seconds from now, and keep the reason.

        False if this attempt no longer counts, or if so many have failed since the job last got further.
        """
        async with transaction(self.pool) as connection:
            values = [Jsonb([failure.to_json()]), job.id, job.lease, max_attempts]
            row = await fetch_one(connection, sql.RETRY, values)
            if row is not None:
                await self._enqueue(connection, job.id, job.priority, wait)
            return row is not None

    async def give_back(self, job: Job) -> None:
        """Put the job of an attempt that was interrupted by the end of its worker back into the queue."""
        async with transaction(self.pool) as connection:
            if await fetch_one(connection, sql.GIVE_BACK, [job.id, job.lease]) is not None:
                await self._enqueue(connection, job.id, job.priority)

    async def cancel(self, job_id: str, owner: str | None = None) -> Job:
        """Cancel a job; a finished one stays as it is. An attempt that runs loses its lease, learns it, and stops."""
        await self._end(sql.CANCEL, [job_id, owner, owner])
        return await self.get(job_id, owner)

    async def tell_later(self, job: Job, attempt: int, wait: float) -> None:
        """Have the job's end told to its webhook again."""
        async with transaction(self.pool) as connection:
            await self._tell(connection, job.id, attempt, wait)

    async def delete(self, job_id: str, owner: str | None = None) -> Deleted:
        """Forget a job and return what it was. Its objects are the caller's to delete."""
        async with transaction(self.pool) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_DELETION_LOCK])
            job = _found(await fetch_one(connection, sql.DELETE, [job_id, owner, owner]))
            has_media, has_scope = await _uses(connection, job.media_key, job.scope)
        return Deleted(job, frees_media=not has_media, frees_scope=not has_scope)

    async def expired(self, hours: float) -> Sequence[Job]:
        """Return some finished jobs that are older than that."""
        async with transaction(self.pool) as connection:
            return [_job(row) for row in await fetch_all(connection, sql.EXPIRED, [timedelta(hours=hours)])]

    async def forgotten(self) -> int:
        """Put back what nobody works on: jobs the queue has lost, attempts without a beat. Returns how many."""
        async with transaction(self.pool) as connection:
            rows = await fetch_all(connection, sql.FORGOTTEN, [timedelta(seconds=self.lease_life)])
            for row in rows:
                await self._enqueue(connection, row["id"], row["priority"])
        return len(rows)

    async def counts(self) -> Mapping[str, int]:
        """Return how many jobs are in each state."""
        async with transaction(self.pool) as connection:
            rows = await fetch_all(connection, "SELECT state, count(*) AS count FROM wortlaut_jobs GROUP BY state")
        return {row["state"]: row["count"] for row in rows}

    async def live_workers(self, stalled_after: float) -> int:
        """Return how many workers have shown a sign of life lately."""
        query = "SELECT count(*) AS count FROM procrastinate_workers WHERE last_heartbeat > now() - %s::interval"
        async with transaction(self.pool) as connection:
            row = await fetch_one(connection, query, [timedelta(seconds=stalled_after)])
        return int(row["count"]) if row else 0

    async def _end(self, statement: LiteralString, values: Sequence[Any]) -> bool:
        """Run a statement that may end a job, and have its end told in the same transaction."""
        async with transaction(self.pool) as connection:
            row = await fetch_one(connection, statement, values)
            if row is not None and row["webhook"] and row["state"] in FINISHED:
                await self._tell(connection, row["id"], 1, 0.0)
            return row is not None

    async def _enqueue(self, connection: Connection, job_id: str, priority: int, wait: float = 0.0) -> None:
        schedule: Any = {"schedule_in": {"seconds": wait}} if wait else {}
        task = self.queue.configure_task(TASK, priority=priority, connection=connection, **schedule)
        await task.defer_async(job_id=job_id)

    async def _tell(self, connection: Connection, job_id: str, attempt: int, wait: float) -> None:
        schedule: Any = {"schedule_in": {"seconds": wait}} if wait else {}
        task = self.queue.configure_task(TELL, priority=WAITED_FOR, connection=connection, **schedule)
        await task.defer_async(ended_id=job_id, attempt=attempt)


def _values(submission: Submission) -> Sequence[Any]:
    return [
        submission.id,
        submission.owner,
        submission.name,
        submission.media_key,
        submission.media_bytes,
        Jsonb(options_to_json(submission.options)),
        submission.work,
        submission.priority,
        submission.idempotency_key,
        submission.webhook,
        submission.scope or submission.id,
        submission.rerun_of,
    ]


def _progress_values(job: Job, progress: Progress | None) -> Mapping[str, Any]:
    if progress is None:
        return {"stage": None, "done": None, "total": None, "share": 0.0}
    share = replace(job, progress=progress).share
    return {"stage": progress.stage, "done": progress.done, "total": progress.total, "share": share}


def _escaped(text: str) -> str:
    """Take the meaning from LIKE's special characters, and drop NUL, which PostgreSQL cannot hold."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("\0", "")


async def _refuse_overload(connection: Connection, max_queued: int) -> None:
    row = await fetch_one(connection, "SELECT count(*) AS count FROM wortlaut_jobs WHERE state = 'queued'")
    if row and row["count"] >= max_queued:
        raise QueueFull


async def _uses(connection: Connection, media_key: str, scope: str) -> tuple[bool, bool]:
    row = await fetch_one(connection, sql.USES, [media_key, scope])
    return bool(row and row["has_media"]), bool(row and row["has_scope"])


def _found(row: Mapping[str, Any] | None) -> Job:
    if row is None:
        raise JobNotFound
    return _job(row)


def _job(row: Mapping[str, Any]) -> Job:
    """Make a job of a row: what is stored differently is read here."""
    read = {name: row[name] for name in _SAME}
    return Job(
        **read,
        options=options_from_json(row["options"]),
        progress=Progress(row["stage"], row["stage_done"], row["stage_total"]) if row["stage"] else None,
        error=Failure.from_json(row["error"]) if row["error"] else None,
        reasons=tuple(Failure.from_json(each) for each in row["reasons"]),
    )


_SAME = frozenset(Job.__dataclass_fields__) - {"options", "progress", "error", "reasons"}
