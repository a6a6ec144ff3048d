"""Whatever is killed, every accepted job ends exactly once: kill -9 of child, worker and database."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import psutil
import pytest

from wortlaut.jobs.errors import DatabaseUnavailable
from wortlaut.jobs.worker import Worker
from wortlaut.options import Options

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
def postgres(open_postgres):
    """A database of this module's own: it is killed, and the fewer files it has the sooner it is back."""
    with open_postgres() as database:
        yield database


@asynccontextmanager
async def working(settings, url):
    task = asyncio.create_task(Worker(settings, Options(), url).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(ledger, job, is_so, within=60.0):
    """Wait for a job, also through absences of the database."""
    async with asyncio.timeout(within):
        while True:
            try:
                if is_so(found := await ledger.get(job.id)):
                    return found
            except DatabaseUnavailable:
                continue
            await asyncio.sleep(0.05)


WORKER = """
import asyncio, sys
from pathlib import Path
from wortlaut.jobs.settings import JobSettings
from wortlaut.jobs.worker import Worker
from wortlaut.options import Options
settings = JobSettings.model_validate_json(sys.argv[1])
asyncio.run(Worker(settings, Options(), sys.argv[2]).run())
"""


@asynccontextmanager
async def worker_process(settings, url):
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, settings.model_dump_json(), url)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def child_of(pid):
    """The working process of a worker."""
    children = psutil.Process(pid).children()
    return children[0].pid if children else None


@pytest.mark.parametrize("rounds", [1, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
async def test_every_job_ends_once_whatever_is_killed(postgres, settings, url, submit, ledger, storage, rounds):
    """Kill the child, the worker and the database in turn, at moments spread over the work."""
    watching = asyncio.create_task(postgres.watch())
    try:
        for number in range(rounds):
            for victim in ("child", "worker", "database"):
                job = await submit(f"sleep 1.0\nsay round {number}", name=f"{victim} {number}")
                async with worker_process(settings, url) as process:
                    await until(ledger, job, lambda found: found.state == "running")
                    await asyncio.sleep(number % 10 / 9)
                    _kill(victim, process, postgres)
                    if victim == "worker":
                        await process.wait()
                    await _ends_once(settings, url, ledger, storage, job, victim)
    finally:
        watching.cancel()


def _kill(victim, process, postgres):
    pid = {"child": child_of(process.pid), "worker": process.pid, "database": postgres.pid}[victim]
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


async def _ends_once(settings, url, ledger, storage, job, victim):
    if victim == "worker":
        async with working(settings, url):
            done = await until(ledger, job, lambda found: found.is_finished)
    else:
        done = await until(ledger, job, lambda found: found.is_finished)
    await asyncio.sleep(0.2)
    assert done.state == "done", (victim, done)
    results = [each.key for each in await storage.listing(f"results/{job.id}")]
    assert results == [done.result_key]
