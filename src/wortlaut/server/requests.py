"""What routes ask of a request: the service behind it, and who is calling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Request

from wortlaut.server.access import Caller, Scope
from wortlaut.server.service import Service


async def service_of(request: Request) -> Service:
    """Return the service that this app stands for.

    Async, though it waits for nothing: the rest goes through threads, of which uploads may have taken all.
    """
    return cast("Service", request.app.state.service)


Serving = Annotated[Service, Depends(service_of)]


def _may(scope: Scope) -> Callable[[Request, Service], Awaitable[Caller]]:
    async def caller(request: Request, service: Serving) -> Caller:
        found = await service.keys.caller(request, is_open=service.settings.is_open)
        found.require(scope)
        await service.limits.count_request(found)
        return found

    return caller


Reader = Annotated[Caller, Depends(_may("read"))]
Submitter = Annotated[Caller, Depends(_may("submit"))]
Admin = Annotated[Caller, Depends(_may("admin"))]
