"""The queue: Procrastinate, which fetches with SKIP LOCKED, by priority, and notices workers that have died."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as Row
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from psycopg_pool import AsyncConnectionPool

from wortlaut.jobs.database import Connection, Pool, fetch_all, fetch_one, our_errors, transaction
from wortlaut.jobs.ledger import TASK, TELL, Ledger

log = logging.getLogger(__name__)

_RECOVERY_LOCK = 7_309_453_124
"""An advisory lock: one process at a time looks after what was left behind."""

_DROP_STALLED = "DELETE FROM procrastinate_jobs WHERE id = ANY(%s) AND status = 'doing' AND task_name = %s RETURNING id"
_REPEAT_STALLED = """
UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, scheduled_at = now()
WHERE id = ANY(%s) AND status = 'doing' RETURNING id
"""


class _Rows(JobManager):
    """Procrastinate's rows, which are no more than calls to look at the ledger.

    A worker may come to the end of a row that recovery has taken from it meanwhile, or find the database away. Neither
    changes what has become of the job; a row that stays behind leads to one more look.
    """

    async def finish_job(self, job: Row, status: Status, delete_job: bool) -> None:
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException as error:
            log.debug("a row of the queue was not ended: %s", error.__cause__ or error, extra={"action": "row_left"})


async def open_queue(
    pool: Pool,
    work: Callable[[str], Awaitable[None]] | None = None,
    tell: Callable[[str, int], Awaitable[None]] | None = None,
) -> App:
    """Return the queue on this pool.

    `work` is what is done with the id of a job, `tell` with that of one that has ended (and the number of the
    attempt to tell it); None for who only submits.
    """
    queue = App(connector=PsycopgConnector())
    queue.job_manager = _Rows(queue.connector)
    if tell is not None:

        async def telling(ended_id: str, attempt: int) -> None:
            await tell(ended_id, attempt)

        queue.task(name=TELL)(telling)
    if work is not None:

        async def task(job_id: str) -> None:
            await work(job_id)

        queue.task(name=TASK)(task)
    await queue.open_async(cast("AsyncConnectionPool", pool))
    return queue


async def recover(pool: Pool, queue: App, ledger: Ledger, stalled_after: float) -> int:
    """Put back what dead workers held, and what the queue has lost; returns how many jobs that were."""
    async with transaction(pool) as connection:
        row = await fetch_one(connection, "SELECT pg_try_advisory_xact_lock(%s) AS is_mine", [_RECOVERY_LOCK])
        if not (row and row["is_mine"]):
            return 0
        with our_errors():
            stalled = await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=stalled_after)
        await _clear(connection, list(stalled))
        # On this connection: forgetting a worker touches its rows, and would wait for this transaction on another.
        await connection.execute("SELECT procrastinate_prune_stalled_workers_v1(%s)", [stalled_after])
    return await ledger.forgotten()


async def _clear(connection: Connection, stalled: Sequence[Row]) -> None:
    """Drop the rows of dead workers; whether their jobs still need work is for the ledger to say.

    Webhooks have no ledger: they are told again.
    """
    if not stalled:
        return
    ids = [row.id for row in stalled]
    dropped = {row["id"] for row in await fetch_all(connection, _DROP_STALLED, [ids, TASK])}
    await connection.execute(_REPEAT_STALLED, [ids])
    for row in stalled:
        if row.id in dropped:
            job_id = row.task_kwargs.get("job_id")
            log.warning("a worker has died", extra={"action": "job_recovered", "job_id": job_id})
