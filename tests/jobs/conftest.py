"""One PostgreSQL for all tests of this room, a database of its own for each test."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

import psycopg
import pytest

from wortlaut.jobs.database import migrate, open_pool
from wortlaut.jobs.embedded import EmbeddedDatabase
from wortlaut.jobs.ledger import Ledger, Submission, new_id
from wortlaut.jobs.queue import open_queue
from wortlaut.jobs.settings import JobSettings
from wortlaut.options import Options
from wortlaut.storage import open_storage

OBEDIENT = "wortlaut.jobs.testing:open_obedient"


@pytest.fixture(scope="session")
def postgres():
    # Not in pytest's folder: every run makes that passable for its own user only, and PostgreSQL is never root.
    with tempfile.TemporaryDirectory(prefix="wortlaut-tests-", ignore_cleanup_errors=True) as folder:
        database = EmbeddedDatabase(Path(folder) / "database")
        database.start()
        yield database
        database.stop()


@pytest.fixture
def url(postgres):
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.url.replace("/postgres?", f"/{name}?")


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def pool(url, anyio_backend):
    async with open_pool(url) as pool:
        await migrate(pool)
        yield pool


@pytest.fixture
async def ledger(pool):
    return Ledger(pool, await open_queue(pool), lease_life=0.2)


@pytest.fixture
def settings(tmp_path):
    return JobSettings(
        data_dir=tmp_path,
        engine=OBEDIENT,
        heartbeat=0.5,
        stalled_after=1.5,
        retry_wait=0.1,
        silence=20.0,
        warms_up=False,
    )


@pytest.fixture
def storage(settings):
    return open_storage(settings.storage)


@pytest.fixture
def submit(ledger, storage):
    """Hand in a recording, which says what the engine is to do."""

    async def submit(script, options=None, **fields):
        job_id = new_id()
        key = f"media/{job_id}"
        await storage.put(key, script.encode())
        given = {"owner": "me", "name": "talk.wav", "media_bytes": len(script), **fields}
        submission = Submission(id=job_id, media_key=key, options=options or Options(), **given)
        return (await ledger.submit(submission))[0]

    return submit
