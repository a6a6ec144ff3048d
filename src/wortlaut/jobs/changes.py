"""Learning that a job has changed without asking again and again: PostgreSQL's LISTEN and NOTIFY."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import AsyncConnection

from wortlaut.jobs.database import our_errors
from wortlaut.jobs.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

CHANGED = "wortlaut_jobs"
"""The channel that tells of every change of a job."""
UNWANTED = "wortlaut_unwanted"
"""The channel that tells of jobs that somebody has cancelled or deleted."""
RECONNECT = 1.0
"""Seconds until the next try after the database has gone away."""


@dataclass(slots=True)
class Changes:
    """One connection that listens for all who wait. What is missed while the database is away, they look at again."""

    url: str
    channel: LiteralString = CHANGED
    _waiting: defaultdict[str, set[asyncio.Event]] = field(default_factory=lambda: defaultdict(set))

    async def listen(self) -> None:
        """Run until cancelled; reconnect whenever the database comes back."""
        while True:
            try:
                with our_errors():
                    await self._listen_once()
            except DatabaseUnavailable as error:
                log.debug("%s", error.message, extra={"action": "changes_reconnect"})
            await asyncio.sleep(RECONNECT)

    @contextmanager
    def of(self, job_id: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever the job changes. Whoever clears it before looking misses nothing."""
        event = asyncio.Event()
        self._waiting[job_id].add(event)
        try:
            yield event
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def wait(self, job_id: str, timeout: float) -> None:  # noqa: ASYNC109 an end of waiting is no error here
        """Return when the job has changed, or after `timeout` seconds."""
        with self.of(job_id) as changed:
            await is_set_within(changed, timeout)

    async def _listen_once(self) -> None:
        async with await AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {self.channel}")
            self._wake_all()  # for what has changed while nobody listened
            async for notification in connection.notifies():
                for event in self._waiting.get(notification.payload, ()):
                    event.set()

    def _wake_all(self) -> None:
        for events in self._waiting.values():
            for event in events:
                event.set()


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event for so many seconds at most."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
