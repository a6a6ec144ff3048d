"""The pool of connections, where the database does not answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from wortlaut.jobs.database import open_pool

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
