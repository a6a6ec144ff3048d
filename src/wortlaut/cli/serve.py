"""`wortlaut serve` and `wortlaut worker`: the service, and more hands for it."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from wortlaut.cli.keys import open_keys
from wortlaut.cli.logs import log_to_stderr
from wortlaut.cli.progress import say
from wortlaut.cli.service_settings import service_settings
from wortlaut.errors import Cancelled, InvalidOption

if TYPE_CHECKING:
    from wortlaut.server.settings import ServiceSettings

log = logging.getLogger(__name__)

MOST_FILES = 65_536
"""Files and connections that the service may have open, if the system lets it: the usual 1024 are soon used up by
callers that wait, each with a connection and a recording."""


class NotClosed(InvalidOption):
    """The service would be open to everybody who can reach this address."""

    code = "not-closed"
    default_hint = (
        "Create a key with `wortlaut keys create NAME`, listen on 127.0.0.1, "
        "or set WORTLAUT_OPEN=true if only people you trust can reach it."
    )


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; any other than loopback needs keys.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Jobs worked on at once.")] = None,
    model: Annotated[str | None, typer.Option(help="The Whisper model for requests that name none.")] = None,
    json_logs: Annotated[bool, typer.Option("--json-logs", help="One JSON object a line.")] = False,
) -> None:
    """Start the service: HTTP, queue, and a worker."""
    settings = service_settings({"host": host, "port": port, "workers": workers, "model": model})
    import uvicorn  # noqa: PLC0415 heavy, and part of an extra

    from wortlaut.server.app import create_app  # noqa: PLC0415 as above

    log_to_stderr(is_json=json_logs)
    _say_what_has_no_effect()
    _allow_many_files()
    asyncio.run(_require_closed(settings))
    say(f"Wortlaut on http://{settings.host}:{settings.port} (documentation: /docs), {_whom(settings)}")
    app = create_app(settings)
    logging.getLogger("uvicorn.error").addFilter(lambda _: getattr(app.state, "trouble", None) is None)
    try:
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    except SystemExit:
        if trouble := getattr(app.state, "trouble", None):
            raise trouble from None  # said in one line, with its hint, in place of uvicorn's traceback
        raise
    except Cancelled:  # to be stopped is how a service ends
        log.info("stopped", extra={"action": "service_stopped"})


def _allow_many_files() -> None:
    """Raise this process's own limit as far as the system allows."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _whom(settings: ServiceSettings) -> str:
    """Say who is served."""
    if settings.is_loopback:
        return "for programs on this machine only; --host and `wortlaut keys create` let others in"
    return "for everybody who reaches it, unless there are keys" if settings.is_open else "for those who have a key"


def worker(
    workers: Annotated[int | None, typer.Option(min=1, help="Jobs worked on at once.")] = None,
    model: Annotated[str | None, typer.Option(help="The model to load at the start.")] = None,
    json_logs: Annotated[bool, typer.Option("--json-logs", help="One JSON object a line.")] = False,
) -> None:
    """Add a worker to a service: on the same machine, or on another one with the same database and storage."""
    settings = service_settings({"workers": workers, "model": model})
    log_to_stderr(is_json=json_logs)
    _say_what_has_no_effect()
    with suppress(Cancelled):  # to be stopped is how a worker ends
        asyncio.run(_work(settings))


def _say_what_has_no_effect() -> None:
    """Name variables of the services that this one replaces that are set and change nothing here."""
    from wortlaut.jobs.settings import without_effect  # noqa: PLC0415 part of an extra

    for name, why in without_effect().items():
        log.warning("%s has no effect here. %s", name, why, extra={"action": "setting_ignored", "setting": name})


async def _require_closed(settings: ServiceSettings) -> None:
    """Refuse to listen where strangers could come from while there are no keys."""
    if settings.is_loopback or settings.is_open:
        return
    async with open_keys(settings) as keys:
        if not await keys.exist():
            raise NotClosed(f"There are no keys, and {settings.host} can be reached from other machines.")


async def _work(settings: ServiceSettings) -> None:
    from wortlaut.jobs.embedded import database_of_service  # noqa: PLC0415 part of an extra
    from wortlaut.jobs.worker import Worker  # noqa: PLC0415 as above
    from wortlaut.options import Options  # noqa: PLC0415 as above

    # The database is the service's to run: a worker that is there first waits for it.
    await Worker(settings, Options(model=settings.model), database_of_service(settings)).run()
