"""The queue: Procrastinate, which fetches with SKIP LOCKED, by priority, and notices workers that have died."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import cast

from procrastinate import App, PsycopgConnector
from psycopg_pool import AsyncConnectionPool

from wortlaut.jobs.database import Pool, fetch_one, our_errors, transaction
from wortlaut.jobs.ledger import TASK, TELL, Ledger

log = logging.getLogger(__name__)

_RECOVERY_LOCK = 7_309_453_124
"""An advisory lock: one process at a time looks after what was left behind."""


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
            stalled = list(await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=stalled_after))
            for job in stalled:
                log.warning(
                    "a worker has died", extra={"action": "job_recovered", "job_id": job.task_kwargs.get("job_id")}
                )
                await queue.job_manager.retry_job(job)
            await queue.job_manager.prune_stalled_workers(stalled_after)
        return len(stalled) + await ledger.forgotten()
