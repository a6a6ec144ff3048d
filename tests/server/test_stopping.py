"""The service can be stopped at any moment, also in the middle of its start, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest

from wortlaut.server.service import open_service

HANGS = 20.0
"""Seconds after which a stop counts as one that never ends; it takes a tenth of a second."""
MOMENTS = 0.3
"""Seconds within which the service is stopped; it takes about that long to start."""


async def stopped_after(settings, seconds):
    """Start the service, stop it after so long, and return the tasks that are left."""

    async def hold():
        async with open_service(settings):
            await asyncio.sleep(600)

    task = asyncio.create_task(hold())
    await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        async with asyncio.timeout(HANGS):
            await task
    return asyncio.all_tasks() - {asyncio.current_task()}


def stop_again_and_again(settings, times, seed=7):
    moments = random.Random(seed)
    for _ in range(times):
        assert not asyncio.run(stopped_after(settings, moments.uniform(0.0, MOMENTS)))


def test_a_service_stops_at_any_moment_of_its_start(make_settings):
    stop_again_and_again(make_settings(warms_up=True), 20)


@pytest.mark.slow
def test_a_service_stops_at_any_of_hundreds_of_moments(make_settings):
    stop_again_and_again(make_settings(warms_up=True), 300, seed=random.randrange(10**6))
