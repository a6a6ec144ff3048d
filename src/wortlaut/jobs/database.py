"""The way to PostgreSQL: a pool of connections, migrations, and foreign errors made ours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from wortlaut.jobs.errors import DatabaseTooNew, DatabaseUnavailable

Connection = AsyncConnection[DictRow]

POOL_SIZE = 10
PATIENCE = 10.0
"""Seconds that somebody whose turn it is waits for a connection before the database counts as away."""

_MIGRATION_LOCK = 7_309_453_123
"""Any number that no other program takes for an advisory lock."""


class Pool(AsyncConnectionPool[Connection]):
    """A pool in which waiting for others is no failure.

    Connections are given in turn, however long that takes on a slow machine. Only who has a turn and still gets no
    connection finds the database away, and with it all who were waiting then.
    """

    def __init__(self, url: str) -> None:
        super().__init__(
            url,
            connection_class=cast("type[Connection]", AsyncConnection),
            kwargs={"row_factory": dict_row, "connect_timeout": round(PATIENCE)},
            max_size=POOL_SIZE,
            timeout=PATIENCE,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        self._turns = asyncio.Semaphore(POOL_SIZE)
        self._last_failure = float("-inf")

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:  # noqa: ASYNC109 the pool's
        """Give a connection for a transaction. Raises `PoolTimeout` if the database is away."""
        asked = time.monotonic()
        async with self._turns, AsyncExitStack() as held:
            if self._last_failure > asked:
                raise PoolTimeout("nobody gets a connection")
            try:
                with cancellation_kept():
                    connection = await held.enter_async_context(super().connection(timeout))
            except PoolTimeout:
                self._last_failure = time.monotonic()
                raise
            yield connection


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Raise the cancellation that what is done meanwhile has swallowed.

    The pool waits in `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes in the same moment as
    what it waits for.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


@asynccontextmanager
async def open_pool(url: str) -> AsyncIterator[Pool]:
    """Connect. Raises `DatabaseUnavailable` if nobody answers."""
    pool = Pool(url)
    try:
        with our_errors(), cancellation_kept():
            await pool.open(wait=True, timeout=PATIENCE)
        yield pool
    finally:
        await pool.close()  # also half open: its tasks do not end when they are cancelled, only when they are told to


@contextmanager
def our_errors() -> Iterator[None]:
    """Make what psycopg and Procrastinate raise when the database is away a `DatabaseUnavailable`."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, ConnectorException, OSError) as error:
        raise DatabaseUnavailable(f"The database does not answer: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Give a connection; what is done with it holds in full, or not at all after an error."""
    with our_errors():
        async with pool.connection() as connection:
            yield connection


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; names sort in the order of the steps."""

    name: str
    text: str


def our_migrations() -> list[Migration]:
    """Return the steps of our own tables."""
    folder = resources.files("wortlaut.jobs") / "migrations"
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)
    return [Migration(each.name.removesuffix(".sql"), each.read_text("utf-8")) for each in files]


def queue_migrations() -> list[Migration]:
    """Return the steps of Procrastinate's tables from one of its versions to the next."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return [Migration(f"queue-{each.stem}", each.read_text("utf-8")) for each in files]


async def migrate(pool: Pool) -> None:
    """Bring the tables up to date. Several processes may do so at once.

    Raises `DatabaseTooNew` if the database has steps that this version does not know.
    """
    async with transaction(pool) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATION_LOCK])
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS wortlaut_migrations"
            " (name text PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())"
        )
        rows = await (await connection.execute("SELECT name FROM wortlaut_migrations")).fetchall()
        applied = {row["name"] for row in rows}
        queue, ours = queue_migrations(), our_migrations()
        _refuse_newer(applied - {each.name for each in [*queue, *ours]})
        if not applied:
            await _run(connection, SchemaManager.get_schema())
            await _record(connection, queue)
            applied = {each.name for each in queue}
        for each in [*queue, *ours]:
            if each.name not in applied:
                await _run(connection, each.text)
                await _record(connection, [each])


def _refuse_newer(unknown: Iterable[str]) -> None:
    if names := ", ".join(sorted(unknown)):
        raise DatabaseTooNew(f"The database belongs to a newer version of Wortlaut; unknown here: {names}.")


async def _run(connection: Connection, text: str) -> None:
    await connection.execute(sql.SQL(text))  # our own files and Procrastinate's, no input


async def _record(connection: Connection, migrations: Iterable[Migration]) -> None:
    for each in migrations:
        await connection.execute("INSERT INTO wortlaut_migrations (name) VALUES (%s)", [each.name])


async def fetch_one(
    connection: Connection, query: LiteralString, values: Sequence[Any] | Mapping[str, Any] = ()
) -> DictRow | None:
    """Return the first row, if any."""
    return await (await connection.execute(query, values)).fetchone()


async def fetch_all(connection: Connection, query: LiteralString, values: Iterable[Any] = ()) -> list[DictRow]:
    """Return all rows."""
    return await (await connection.execute(query, tuple(values))).fetchall()
