"""Limits of single keys: requests a minute, and minutes of sound a day. They hold for all processes together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wortlaut.jobs.database import Connection, Pool, fetch_one, transaction
from wortlaut.server.access import Caller
from wortlaut.server.problems import LimitReached
from wortlaut.server.settings import ServiceSettings

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

COUNT = """
INSERT INTO wortlaut_requests (owner, minute, count) VALUES (%s, %s, 1)
ON CONFLICT (owner, minute) DO UPDATE SET count = wortlaut_requests.count + 1 RETURNING count
"""
RESERVE = "INSERT INTO wortlaut_usage (job_id, owner, seconds) VALUES (%s, %s, %s)"
USED = "SELECT COALESCE(sum(seconds), 0) AS seconds FROM wortlaut_usage WHERE owner = %s AND accepted >= %s"


@dataclass(frozen=True, slots=True)
class Limits:
    """What each caller may use. A limit of 0 is none; a key's own limit goes before that of the settings."""

    pool: Pool
    settings: ServiceSettings

    def minutes_per_day(self, caller: Caller) -> int:
        """Return how many minutes of sound this caller may hand in a day, 0 for any number."""
        return self.settings.minutes_per_day if caller.minutes_per_day is None else caller.minutes_per_day

    async def count_request(self, caller: Caller) -> None:
        """Count a request. Raises `LimitReached` if there were too many in this minute of the clock."""
        own = caller.requests_per_minute
        limit = self.settings.requests_per_minute if own is None else own
        if not limit:
            return
        now = datetime.now(UTC)
        minute = now.replace(second=0, microsecond=0)
        async with transaction(self.pool) as connection:
            row = await fetch_one(connection, COUNT, [caller.id, minute])
        if row and row["count"] > limit:
            raise LimitReached(f"This key may send {limit} requests a minute.", retry_after=minute + MINUTE - now)

    async def reserve(self, caller: Caller, job_id: str, seconds: float) -> None:
        """Put down the sound of a job, before it is accepted.

        Raises `LimitReached` if the day's minutes (by UTC) are used up, or if it would take more than what is left.
        """
        limit = self.minutes_per_day(caller)
        now = datetime.now(UTC)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        async with transaction(self.pool) as connection:
            if limit:
                used = await _used(connection, caller.id, day)
                if used >= 60 * limit or used + seconds > 60 * limit:
                    raise LimitReached(
                        f"This key may hand in {limit} minutes of sound a day and has used {used / 60:.1f}; "
                        f"this recording has {seconds / 60:.1f}.",
                        retry_after=day + DAY - now,
                    )
            await connection.execute(RESERVE, [job_id, caller.id, seconds])

    async def release(self, job_id: str) -> None:
        """Take back what was put down for a job that did not come to be."""
        async with transaction(self.pool) as connection:
            await connection.execute("DELETE FROM wortlaut_usage WHERE job_id = %s", [job_id])

    async def tidy(self) -> None:
        """Forget counts that no limit looks at any more."""
        async with transaction(self.pool) as connection:
            await connection.execute("DELETE FROM wortlaut_requests WHERE minute < now() - interval '1 hour'")
            await connection.execute("DELETE FROM wortlaut_usage WHERE accepted < now() - interval '2 days'")


async def _used(connection: Connection, owner: str, since: datetime) -> float:
    """Return the seconds of a caller; whoever else reserves for the same one waits for the end of this transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('wortlaut usage'), hashtext(%s))", [owner])
    row = await fetch_one(connection, USED, [owner, since])
    return float(row["seconds"]) if row else 0.0
