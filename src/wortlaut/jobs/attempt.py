"""One attempt at one job: claim it, have a child work on it, and write down how that ended."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from wortlaut.errors import OutOfMemory, WortlautError
from wortlaut.jobs.changes import Changes
from wortlaut.jobs.errors import DatabaseUnavailable, Failure, MediaTooLong, WorkerLost
from wortlaut.jobs.job import Job
from wortlaut.jobs.ledger import Ledger
from wortlaut.jobs.process import Child, Finished, Kept
from wortlaut.jobs.settings import JobSettings
from wortlaut.jobs.stage_results import folder_of
from wortlaut.options import Progress
from wortlaut.storage import Storage

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

BEAT = 0.5
"""Seconds between two signs of life, and looks at whether the job is still wanted. The database tells at once when
it is not: stopping takes the child's grace, and this on top if that word is lost."""
PATIENCE = 120.0
"""Seconds for which a finished attempt tries to write its end into a database that does not answer."""
_IN_SECONDS = frozenset({"decode", "recognize"})
"""Stages whose progress is told in seconds of the recording."""
MOST_STARTS = 20
"""A job whose workers vanish this often without its getting further is given up: it may be what kills them."""


class NoLongerWanted(Exception):
    """The job was cancelled, deleted, or given to somebody else."""


@dataclass(slots=True)
class Attempt:
    """What one attempt needs. `unwanted` tells of jobs to stop at, `observe` hears how it ended, for metrics."""

    ledger: Ledger
    storage: Storage
    child: Child
    settings: JobSettings
    unwanted: Changes
    observe: Callable[[Job, Finished | Failure], None] = lambda _job, _end: None
    _progress: Progress | None = field(init=False, default=None)

    async def run(self, job_id: str) -> None:
        """Work on a job, if there still is something to do."""
        job = await self.ledger.claim(job_id)
        if job is None:
            return
        log.info("started", extra={"action": "job_started", "job_id": job.id, "attempt": job.attempt})
        if job.starts_in_vain > MOST_STARTS:
            await self._persist(lambda: self.ledger.fail(job, Failure.of(WorkerLost())))
        else:
            await self._work(job)

    async def _work(self, job: Job) -> None:
        try:
            await self._transcribe(job)
        except NoLongerWanted:
            await self._drop_results_of_deleted(job)
            log.info("stopped", extra={"action": "job_stopped", "job_id": job.id})
        except WortlautError as error:
            await self._failed(job, error)
        except asyncio.CancelledError:
            await self.ledger.give_back(job)
            raise

    async def _transcribe(self, job: Job) -> None:
        result_key = f"results/{job.id}/{job.attempt}.json"
        with tempfile.TemporaryDirectory(prefix="wortlaut-") as folder:
            result = Path(folder) / "result.json"
            finished = await self._watched(job, self._child_works(job, result))
            await self.storage.put_file(result_key, result)
        if await self._persist(lambda: self.ledger.finish(job, result_key, finished.duration, finished.reused)):
            log.info("done", extra={"action": "job_done", "job_id": job.id, "attempt": job.attempt})
            self.observe(job, finished)
        else:
            await self.storage.delete(result_key)

    async def _child_works(self, job: Job, result: Path) -> Finished:
        kept = Kept(str(self.settings.storage), job.scope)
        async with self.storage.as_file(job.media_key) as media:  # which may take long, too, if it is far away
            return await self.child.work(job.work, media, job.options, result, self._report, kept)

    async def _drop_results_of_deleted(self, job: Job) -> None:
        """Delete what the child has still kept after the deletion of the last job that could use it."""
        _, has_scope = await self._persist(lambda: self.ledger.uses(job.media_key, job.scope))
        if not has_scope:
            await self.storage.delete_all(folder_of(job.scope))

    def _report(self, progress: Progress) -> None:
        self._progress = progress

    async def _watched(self, job: Job, work: Awaitable[Finished]) -> Finished:
        """Wait for the work, and stop it as soon as nobody wants it any more."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                word = asyncio.ensure_future(self.unwanted.wait(job.id, BEAT))
                await asyncio.wait({task, word}, return_when=asyncio.FIRST_COMPLETED)
                word.cancel()
                self._require_short(self._progress)
                if not task.done() and not await self._is_wanted(job):
                    raise NoLongerWanted
            finished = task.result()
            self._require_short(Progress("recognize", 0.0, finished.duration or 0.0))
            return finished
        finally:
            task.cancel()
            await asyncio.wait({task})

    def _require_short(self, progress: Progress | None) -> None:
        """Stop at what is too long: what a file says of its length need not be what it has."""
        limit = self.settings.max_duration
        if limit and progress and progress.stage in _IN_SECONDS and max(progress.done, progress.total) > limit:
            raise MediaTooLong.over(limit)

    async def _is_wanted(self, job: Job) -> bool:
        progress, self._progress = self._progress, None
        try:
            return await self.ledger.beat(job, progress)
        except DatabaseUnavailable:
            return True  # it may come back before the work is done

    async def _failed(self, job: Job, error: WortlautError) -> None:
        said = error.message.replace(job.id, job.name)  # media lies under the id of its job; people know it by its name
        failure = replace(Failure.of(error), message=said)
        log.warning("%s", error.message, extra={"action": "job_failed", "job_id": job.id, "code": error.code})
        self.observe(job, failure)
        if not error.retryable or not await self._tried_again(job, failure):
            await self._persist(lambda: self.ledger.fail(job, failure))
        elif isinstance(error, OutOfMemory):
            await self.child.need_less_memory()

    async def _tried_again(self, job: Job, failure: Failure) -> bool:
        wait = self.settings.retry_wait * 2**job.failures
        return await self._persist(lambda: self.ledger.retry(job, failure, wait, self.settings.max_attempts))

    async def _persist(self, write: Callable[[], Awaitable[Answer]]) -> Answer:
        """Write the end of an attempt, also through a restart of the database."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                return await write()
            except DatabaseUnavailable:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(BEAT)
