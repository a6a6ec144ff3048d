"""The way to PostgreSQL: a pool of connections, migrations, and foreign errors made ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
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
Pool = AsyncConnectionPool[Connection]

POOL_SIZE = 10
PATIENCE = 10.0
"""Seconds to wait for a connection before the database counts as away."""

_MIGRATION_LOCK = 7_309_453_123
"""Any number that no other program takes for an advisory lock."""


@asynccontextmanager
async def open_pool(url: str) -> AsyncIterator[Pool]:
    """Connect. Raises `DatabaseUnavailable` if nobody answers."""
    pool: Pool = AsyncConnectionPool(
        url,
        connection_class=cast("type[Connection]", AsyncConnection),
        kwargs={"row_factory": dict_row, "connect_timeout": round(PATIENCE)},
        max_size=POOL_SIZE,
        timeout=PATIENCE,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    try:
        with our_errors():
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
