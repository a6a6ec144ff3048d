"""The pool of connections: where the database does not answer, where many wait, and where somebody stops waiting."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psycopg
import pytest

from wortlaut.jobs import database
from wortlaut.jobs.database import cancellation_kept, fetch_one, open_pool, transaction
from wortlaut.jobs.errors import DatabaseUnavailable

pytestmark = pytest.mark.anyio


def of_pools():
    return {each for each in asyncio.all_tasks() if each.get_name().startswith("pool-")}


async def test_a_pool_whose_opening_is_cancelled_leaves_nothing_behind():
    """Its tasks would not end when their loop does: a service that is stopped while it starts would hang."""
    is_connecting, is_over = asyncio.Event(), asyncio.Event()

    async def keep_waiting(_reader, writer):
        is_connecting.set()
        await is_over.wait()
        writer.close()

    server = await asyncio.start_server(keep_waiting, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    opening = asyncio.create_task(
        open_pool(f"postgresql://postgres@127.0.0.1:{port}/x?sslmode=disable&gssencmode=disable").__aenter__()
    )
    await is_connecting.wait()
    assert of_pools()
    opening.cancel()
    is_over.set()
    with suppress(asyncio.CancelledError):
        await opening
    assert opening.cancelled()
    assert not of_pools()
    server.close()


async def test_a_cancellation_that_comes_with_a_connection_is_not_lost():
    """Before Python 3.12 `asyncio.wait_for`, in which the pool waits, swallows it, and the work would never end."""

    async def swallowing():
        given.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    async def work():
        with cancellation_kept():
            await swallowing()
        went_on.set()

    given, went_on = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(work())
    await given.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert not went_on.is_set()


async def test_what_is_cleaned_up_after_a_cancellation_may_use_the_database(url):
    async def work():
        try:
            began.set()
            await asyncio.sleep(60)
        finally:
            async with transaction(pool) as connection:
                cleaned.append(await fetch_one(connection, "SELECT 1 AS one"))

    began, cleaned = asyncio.Event(), []
    async with open_pool(url) as pool:
        task = asyncio.create_task(work())
        await began.wait()
        task.cancel()
        await asyncio.wait({task})
    assert cleaned == [{"one": 1}]


async def test_waiting_for_others_is_no_failure(url, monkeypatch):
    """A machine may be slow; the database is away only if nobody whose turn it is gets a connection."""
    monkeypatch.setattr(database, "PATIENCE", 1.0)
    held = 5 * database.POOL_SIZE

    async def hold():
        async with transaction(pool) as connection:
            await connection.execute("SELECT pg_sleep(0.5)")

    async with open_pool(url) as pool:
        await asyncio.gather(*(hold() for _ in range(held)))  # the last ones wait longer than the patience


async def test_who_waits_while_the_database_goes_away_learns_it_with_the_first(url, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 1.0)
    gone = psycopg.OperationalError("gone")

    async def fail(_connection):
        raise gone

    monkeypatch.setattr(database.AsyncConnectionPool, "check_connection", fail)

    async def ask():
        with pytest.raises(DatabaseUnavailable):
            async with transaction(pool):
                pass

    async with open_pool(url) as pool, asyncio.timeout(20):  # one patience after the other would be twice that
        await asyncio.gather(*(ask() for _ in range(40 * database.POOL_SIZE)))
