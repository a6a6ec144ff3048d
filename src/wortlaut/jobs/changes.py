"""Learning that a job has changed without asking again and again: PostgreSQL's LISTEN and NOTIFY."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
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
    """One connection that listens for all who wait. A change that is missed is found by the waiter's timeout."""

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
            self._wake_all()
            await asyncio.sleep(RECONNECT)

    async def wait(self, job_id: str, timeout: float) -> None:  # noqa: ASYNC109 an end of waiting is no error here
        """Return when the job has changed, or after `timeout` seconds."""
        event = asyncio.Event()
        self._waiting[job_id].add(event)
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def _listen_once(self) -> None:
        async with await AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(f"LISTEN {self.channel}")
            async for notification in connection.notifies():
                for event in self._waiting.get(notification.payload, ()):
                    event.set()

    def _wake_all(self) -> None:
        for events in self._waiting.values():
            for event in events:
                event.set()
