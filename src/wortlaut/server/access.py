"""Who may: keys, their scopes, and what holds while there are no keys.

A key is 256 random bits and shown once; its SHA-256 is stored. (Slow hashes protect guessable passwords; nobody
guesses these.) While no key exists, everybody who can reach the port may do everything, which is why the service then
listens on loopback only, and answers no page of another origin and no name but this machine's.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from wortlaut.errors import InvalidOption
from wortlaut.jobs.database import Pool, fetch_all, fetch_one, transaction
from wortlaut.server.problems import Forbidden, Unauthorized
from wortlaut.server.settings import is_loopback

Scope = Literal["read", "submit", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "wl_"

INSERT = """
INSERT INTO wortlaut_keys (id, name, sha256, scopes, requests_per_minute, minutes_per_day)
VALUES (%s, %s, %s, %s, %s, %s) RETURNING *
"""

NOBODY = "local"
"""The owner of the jobs that are submitted while there are no keys."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `owner` None sees the jobs of all. A limit that is None is that of the settings, 0 is none."""

    id: str
    scopes: frozenset[str]
    requests_per_minute: int | None = None
    minutes_per_day: int | None = None

    @property
    def owner(self) -> str | None:
        return None if "admin" in self.scopes else self.id

    def require(self, scope: Scope) -> None:
        """Raise `Forbidden` without this scope. Admins may do everything; who submits may read."""
        if not self.scopes & {scope, "admin", *(["submit"] if scope == "read" else [])}:
            raise Forbidden(f"This needs a key with the scope {scope}.")


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created: datetime
    revoked: datetime | None
    requests_per_minute: int | None = None
    minutes_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys."""

    pool: Pool

    async def create(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        requests_per_minute: int | None = None,
        minutes_per_day: int | None = None,
    ) -> tuple[Key, str]:
        """Return a new key and its secret, which cannot be had a second time."""
        if not scopes or not set(scopes) <= set(SCOPES):
            raise InvalidOption(f"{', '.join(scopes)!r} are no scopes.", hint=f"The scopes are {', '.join(SCOPES)}.")
        secret = PREFIX + secrets.token_urlsafe(32)
        values = [uuid.uuid4().hex[:12], name, _hash(secret), list(scopes), requests_per_minute, minutes_per_day]
        async with transaction(self.pool) as connection:
            row = await fetch_one(connection, INSERT, values)
        return _key(cast("dict[str, object]", row)), secret

    async def list(self) -> Sequence[Key]:
        """Return all keys, revoked ones too."""
        async with transaction(self.pool) as connection:
            rows = await fetch_all(connection, "SELECT * FROM wortlaut_keys ORDER BY created")
        return [_key(row) for row in rows]

    async def revoke(self, key_id: str) -> bool:
        """Make a key worthless from now on; False if there is none of that id."""
        query = "UPDATE wortlaut_keys SET revoked = now() WHERE id = %s AND revoked IS NULL RETURNING id"
        async with transaction(self.pool) as connection:
            return await fetch_one(connection, query, [key_id]) is not None

    async def exist(self) -> bool:
        """Say whether there ever was a key: revoking the last one opens nothing."""
        async with transaction(self.pool) as connection:
            return await fetch_one(connection, "SELECT 1 AS one FROM wortlaut_keys LIMIT 1") is not None

    async def caller(self, connection: HTTPConnection, *, is_open: bool) -> Caller:
        """Return who asks. Raises `Unauthorized`, or `Forbidden` for a page of another origin."""
        secret = _secret(connection)
        if not await self.exist():
            if not is_open:
                _refuse_strangers(connection)
            return Caller(NOBODY, frozenset(SCOPES))
        if secret is None:
            raise Unauthorized
        query = "SELECT * FROM wortlaut_keys WHERE sha256 = %s AND revoked IS NULL"
        async with transaction(self.pool) as opened:
            row = await fetch_one(opened, query, [_hash(secret)])
        if row is None:
            raise Unauthorized("This key is not valid.")
        return Caller(row["id"], frozenset(row["scopes"]), row["requests_per_minute"], row["minutes_per_day"])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: dict[str, object]) -> Key:
    scopes = tuple(cast("list[str]", row["scopes"]))
    revoked = cast("datetime | None", row["revoked"])
    limits = [cast("int | None", row[name]) for name in ("requests_per_minute", "minutes_per_day")]
    return Key(str(row["id"]), str(row["name"]), scopes, cast("datetime", row["created"]), revoked, *limits)


def _secret(connection: HTTPConnection) -> str | None:
    kind, _, secret = connection.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and secret:
        return secret.strip()
    return connection.headers.get("X-API-Key")


def _refuse_strangers(connection: HTTPConnection) -> None:
    """Keep web pages from using the visitor's own service, by form (Origin) or by a name of theirs (Host)."""
    host = connection.url.hostname or ""
    if not is_loopback(host):
        raise Forbidden(f"Without keys, only this machine is served, not {host!r}.", hint="Create a key.")
    origin = connection.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != connection.url.netloc:
        raise Forbidden("Pages of other origins are not served without a key.", hint="Create a key.")
