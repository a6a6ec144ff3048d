"""`wortlaut keys`: who may use the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from wortlaut.cli.progress import say
from wortlaut.cli.service_settings import service_settings
from wortlaut.errors import InvalidOption
from wortlaut.localization.choice import translator

if TYPE_CHECKING:
    from wortlaut.server.access import Keys
    from wortlaut.server.settings import ServiceSettings

app = typer.Typer(help="Who may use the service.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whom or what the key is for.")],
    scopes: Annotated[str, typer.Option(help="read, submit, admin; comma-separated.")] = "submit",
    requests_per_minute: Annotated[
        int | None, typer.Option(min=0, help="Instead of WORTLAUT_REQUESTS_PER_MINUTE; 0: any number.")
    ] = None,
    minutes_per_day: Annotated[
        int | None, typer.Option(min=0, help="Minutes of sound, instead of WORTLAUT_MINUTES_PER_DAY; 0: any number.")
    ] = None,
) -> None:
    """Make a key and print it: this is the only time that it can be seen."""

    async def run() -> None:
        async with open_keys(service_settings({})) as keys:
            key, secret = await keys.create(
                name,
                [each.strip() for each in scopes.split(",") if each.strip()],
                requests_per_minute=requests_per_minute,
                minutes_per_day=minutes_per_day,
            )
        say(f"Key {key.id} for {key.name}, which may: {', '.join(key.scopes)}. Keep it; it is not stored.")
        print(secret)

    asyncio.run(run())


@app.command("list")
def list_keys() -> None:
    """List all keys, without their secrets."""
    translate = translator().translate

    async def run() -> None:
        async with open_keys(service_settings({})) as keys:
            for key in await keys.list():
                state = translate(f"revoked {key.revoked:%Y-%m-%d}") if key.revoked else translate("still valid")
                limits = translate(
                    f"{_limit(key.requests_per_minute)} a minute, {_limit(key.minutes_per_day)} minutes a day"
                )
                print(
                    f"{key.id}  {state:18}  {','.join(key.scopes):18}  {key.created:%Y-%m-%d}  {limits:38}  {key.name}"
                )

    asyncio.run(run())


def _limit(number: int | None) -> str:
    return "usual" if number is None else str(number or "any")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="As `wortlaut keys list` shows it.")]) -> None:
    """Make a key worthless from now on. Its jobs stay; an admin can see them."""

    async def run() -> None:
        async with open_keys(service_settings({})) as keys:
            if not await keys.revoke(key_id):
                raise InvalidOption(f"There is no valid key {key_id!r}.", hint="`wortlaut keys list` shows them.")

    asyncio.run(run())


@asynccontextmanager
async def open_keys(settings: ServiceSettings) -> AsyncIterator[Keys]:
    """Give the keys of this installation, whether its service is running or not."""
    from wortlaut.jobs.database import migrate, open_pool  # noqa: PLC0415 part of an extra
    from wortlaut.jobs.embedded import database_of  # noqa: PLC0415 as above
    from wortlaut.server.access import Keys  # noqa: PLC0415 as above

    async with database_of(settings, is_shared=True) as url, open_pool(url) as pool:
        await migrate(pool)
        yield Keys(pool)
