"""The app: routes, errors, and a service that lives as long as it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from wortlaut import __version__
from wortlaut.errors import WortlautError
from wortlaut.server import asr, conductor, health, jobs_routes, openai_routes, problems
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
            async with open_service(chosen) as service:
                app.state.service = service
                yield
        except WortlautError as error:
            app.state.trouble = error
            raise

    app = FastAPI(
        title="Wortlaut",
        version=__version__,
        summary="Who said what, when: transcription with word times and speakers.",
        lifespan=lifespan,
    )
    problems.install(app)
    for room in (health, jobs_routes, openai_routes, conductor, asr):
        app.include_router(room.router)
    return app
