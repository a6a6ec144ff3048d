"""The app: routes, errors, and a service that lives as long as it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from types import ModuleType

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from wortlaut import __version__
from wortlaut.errors import ExtraMissing, WortlautError
from wortlaut.server import asr, conductor, health, jobs_routes, openai_routes, problems, uploads_routes
from wortlaut.server.service import open_service
from wortlaut.server.settings import ServiceSettings


def create_app(settings: ServiceSettings | None = None) -> FastAPI:
    """Return the service as an ASGI app; database, worker and listener start and stop with it.

    `app.state.trouble` is the error of ours that has kept it from starting, if any.
    """
    chosen = settings or ServiceSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with open_service(chosen) as service, AsyncExitStack() as beside:
                app.state.service = service
                if chosen.wyoming:
                    app.state.wyoming_port = await beside.enter_async_context(wyoming_room().listening(service))
                yield
        except WortlautError as error:
            app.state.trouble = error
            raise

    app = FastAPIOffline(  # its page /docs brings its own script, and asks nobody in the internet for one
        redoc_url=None,
        title="Wortlaut",
        version=__version__,
        summary="Who said what, when: transcription with word times and speakers.",
        lifespan=lifespan,
    )
    problems.install(app)
    for room in (health, jobs_routes, uploads_routes, openai_routes, conductor, asr):
        app.include_router(room.router)
    return app


def wyoming_room() -> ModuleType:
    """Return the module that speaks Wyoming. Raises `ExtraMissing`."""
    try:
        return import_module("wortlaut.server.wyoming")
    except ModuleNotFoundError as error:
        raise ExtraMissing(
            "WORTLAUT_WYOMING needs the extra `wyoming`.", hint="Install it: pip install 'wortlaut[server,wyoming]'."
        ) from error
