"""A worker: takes jobs from the queue, keeps warm children for them, and puts right what others have left behind."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from procrastinate import App

from wortlaut.errors import WortlautError
from wortlaut.jobs.attempt import BEAT, Attempt
from wortlaut.jobs.changes import UNWANTED, Changes
from wortlaut.jobs.database import Pool, migrate, open_pool, our_errors
from wortlaut.jobs.errors import DatabaseUnavailable, Failure, JobNotFound
from wortlaut.jobs.job import Job
from wortlaut.jobs.ledger import Ledger
from wortlaut.jobs.process import Child, Finished
from wortlaut.jobs.queue import open_queue, recover
from wortlaut.jobs.settings import JobSettings
from wortlaut.jobs.stage_results import folder_of
from wortlaut.jobs.webhooks import Webhooks
from wortlaut.options import Options
from wortlaut.stages import ignore
from wortlaut.storage import Storage, open_storage

log = logging.getLogger(__name__)

RECONNECT = 1.0
"""Seconds until a worker that has lost the database tries again."""
TIDY = 600.0
"""Seconds between two rounds of tidying up: expired jobs, objects that belong to no job."""
ORPHAN_AGE = 86_400.0
"""Seconds after which an object without a job counts as forgotten: an upload may take its time."""

Warmth = Literal["cold", "warming", "warm", "failed"]


@dataclass(slots=True)
class Worker:
    """`settings.workers` jobs at once, each in a child of its own. `options` are what the first warm-up loads."""

    settings: JobSettings
    options: Options
    url: str
    observe: Callable[[Job, Finished | Failure], None] = lambda _job, _end: None
    warmth: Warmth = "cold"
    trouble: Failure | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    children: list[Child] = field(init=False)
    _unwanted: Changes = field(init=False)
    _idle: asyncio.LifoQueue[Child] = field(init=False, default_factory=asyncio.LifoQueue)
    _attempts: set[asyncio.Task[None]] = field(init=False, default_factory=set)
    _last_used: dict[int, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._unwanted = Changes(self.url, UNWANTED)
        self.children = [Child(self.settings.performer, self.settings.silence) for _ in range(self.settings.workers)]
        for child in self.children:
            self._idle.put_nowait(child)

    async def run(self) -> None:
        """Work until cancelled. A job that is being worked on then goes back to the queue."""
        while True:
            try:
                await self._run()
            except DatabaseUnavailable as error:
                log.warning("%s", error.message, extra={"action": "worker_waits"})
                await asyncio.sleep(RECONNECT)

    async def _run(self) -> None:
        async with open_pool(self.url) as pool:
            await migrate(pool)
            await self._work_on(pool)

    async def _work_on(self, pool: Pool) -> None:
        async with self._upkeep(pool) as (ledger, storage):

            async def work(job_id: str) -> None:
                # The queue's worker ends when the database goes away; the attempt outlives that.
                attempt = asyncio.create_task(self._work(ledger, storage, job_id))
                self._attempts.add(attempt)
                attempt.add_done_callback(self._attempts.discard)
                await asyncio.shield(attempt)

            queue = await open_queue(pool, work, Webhooks(ledger, self.settings).tell)
            while True:
                await self._serve(queue)
                await asyncio.sleep(RECONNECT)

    async def _serve(self, queue: App) -> None:
        """Run Procrastinate's worker, which ends when the database goes away."""
        try:
            with our_errors():
                await queue.run_worker_async(
                    concurrency=self.settings.workers + 1,  # one more, so that webhooks need not wait for work
                    install_signal_handlers=False,
                    delete_jobs="always",
                    update_heartbeat_interval=self.settings.heartbeat,
                    stalled_worker_timeout=self.settings.stalled_after,
                    fetch_job_polling_interval=1.0,
                    shutdown_graceful_timeout=0.0,
                )
        except DatabaseUnavailable as error:
            log.warning("%s", error.message, extra={"action": "worker_reconnect"})

    @asynccontextmanager
    async def _upkeep(self, pool: Pool) -> AsyncIterator[tuple[Ledger, Storage]]:
        """Do beside the work what keeps it going, and end the children at the end."""
        queue = await open_queue(pool)
        lease_life = max(self.settings.heartbeat, 3 * BEAT)
        ledger, storage = Ledger(pool, queue, lease_life), open_storage(self.settings.storage)
        async with asyncio.TaskGroup() as beside:
            tasks = [
                beside.create_task(self._unwanted.listen()),
                beside.create_task(self._warm_up()),
                beside.create_task(self._recover(pool, queue, ledger)),
                beside.create_task(self._let_idle_children_go()),
                beside.create_task(self._tidy(ledger, storage)),
            ]
            try:
                yield ledger, storage
            finally:
                for task in [*tasks, *self._attempts]:
                    task.cancel()
                await asyncio.gather(*self._attempts, return_exceptions=True)
                for child in self.children:
                    await child.kill()

    async def _work(self, ledger: Ledger, storage: Storage, job_id: str) -> None:
        child = await self._idle.get()
        try:
            await Attempt(ledger, storage, child, self.settings, self._unwanted, self.observe).run(job_id)
        finally:
            self._last_used[id(child)] = time.monotonic()
            self._idle.put_nowait(child)

    async def _warm_up(self) -> None:
        """Load the default models before the first job asks for them."""
        if not self.settings.warms_up or not self.children:
            return
        child = await self._idle.get()
        self.warmth = "warming"
        try:
            self.facts = await child.warm_up(self.options, ignore)
            self.warmth = "warm"
        except WortlautError as error:
            self.warmth, self.trouble = "failed", Failure.of(error)
            log.error("%s", error.message, extra={"action": "warm_up_failed", "code": error.code})  # noqa: TRY400
        finally:
            self._last_used[id(child)] = time.monotonic()
            self._idle.put_nowait(child)

    async def _recover(self, pool: Pool, queue: App, ledger: Ledger) -> None:
        """Look regularly for what dead workers have left."""
        while True:
            try:
                await recover(pool, queue, ledger, self.settings.stalled_after)
            except DatabaseUnavailable as error:
                log.debug("%s", error.message, extra={"action": "recovery_waits"})
                await asyncio.sleep(ledger.lease_life)  # attempts elsewhere could not beat either: let them first
            await asyncio.sleep(self.settings.heartbeat)

    async def _let_idle_children_go(self) -> None:
        """End children that have had nothing to do for long: nothing gives memory back like the end of a process."""
        while self.settings.child_idle:
            await asyncio.sleep(max(self.settings.child_idle / 4, 1.0))
            for child in self._idle._queue[:]:  # type: ignore[attr-defined]  # noqa: SLF001 there is no other look at it
                used = self._last_used.get(id(child), 0.0)
                if child.is_running and time.monotonic() - used > self.settings.child_idle:
                    await child.rest()

    async def _tidy(self, ledger: Ledger, storage: Storage) -> None:
        """Delete what is too old, and objects whose job is gone."""
        while True:
            await asyncio.sleep(TIDY)
            try:
                await tidy(ledger, storage, self.settings.retention_hours)
            except WortlautError as error:
                log.warning("%s", error.message, extra={"action": "tidy_failed", "code": error.code})


async def tidy(ledger: Ledger, storage: Storage, retention_hours: float, *, orphan_age: float = ORPHAN_AGE) -> None:
    """Delete finished jobs whose time is over, and objects that a crash has left without a job."""
    if retention_hours:
        for job in await ledger.expired(retention_hours):
            await forget(ledger, storage, job.id)
    for prefix in ("media", "results", "stages"):
        for each in await storage.listing(prefix):
            is_old = time.time() - each.modified.timestamp() > orphan_age
            if is_old and not await _belongs_to_a_job(ledger, each.key):
                await storage.delete(each.key)


async def _belongs_to_a_job(ledger: Ledger, key: str) -> bool:
    prefix, name, *_ = PurePosixPath(key).parts
    if prefix == "results":
        try:
            return bool(await ledger.get(name))
        except JobNotFound:
            return False
    has_media, has_scope = await ledger.uses(key, name)
    return has_media if prefix == "media" else has_scope


async def forget(ledger: Ledger, storage: Storage, job_id: str, owner: str | None = None) -> None:
    """Delete a job and its results; media and results of stages, if no other job uses them.

    A job that runs stops within a second.
    """
    deleted = await ledger.delete(job_id, owner)
    await storage.delete_all(f"results/{deleted.job.id}")
    if deleted.frees_media:
        await storage.delete(deleted.job.media_key)
    if deleted.frees_scope:
        await storage.delete_all(folder_of(deleted.job.scope))
