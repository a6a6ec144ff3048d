"""What the service says about itself: alive, ready, and in figures. None of it is a constant that sounds good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import psutil
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from wortlaut import __version__
from wortlaut.errors import WortlautError
from wortlaut.jobs.errors import WorkerLost
from wortlaut.server.openapi import PROBLEMS, answers
from wortlaut.server.problems import RETRY_AFTER
from wortlaut.server.requests import Admin, Serving
from wortlaut.server.service import Service

_JSON: dict[str, Any] = {"content": {"application/json": {"schema": {"type": "object"}}}}

router = APIRouter(tags=["operations"], responses=PROBLEMS)


@router.get("/")
async def root() -> dict[str, str]:
    """Say what this is."""
    return {"name": "wortlaut", "version": __version__, "docs": "/docs"}


@router.get("/health")
async def health(service: Serving) -> dict[str, object]:
    """Say that the service is alive. It asks nobody else, so that it answers at once however busy the workers are.

    The keys are those that clients of the whisperX container look for. What has not been found out yet is null.
    """
    worker = service.worker
    return {
        "status": "degraded" if worker.trouble else "healthy",
        "version": __version__,
        "model": service.settings.model,
        "models": worker.warmth,
        "error": worker.trouble.to_json() if worker.trouble else None,
        "device": worker.facts.get("device"),
        "compute_type": worker.facts.get("compute_type"),
        "cuda_available": bool(worker.facts.get("cuda_available")),
        "diarization_available": worker.facts.get("diarization_available", worker.warmth != "failed"),
        "has_word_timestamps": worker.warmth != "failed",
    }


@router.get("/ready", responses={503: {"description": "Something is missing, and what.", **_JSON}})
async def ready(service: Serving) -> JSONResponse:
    """Say whether a job handed in now would be done: 200, or 503 with what is missing."""
    checks = {
        "database": await _outcome(service.ledger.counts()),
        "storage": await _outcome(service.storage.check()),
        "worker": await _outcome(_require_worker(service)),
        "models": _models(service),
    }
    is_ready = all(outcome == "ok" for outcome in checks.values())
    headers = {} if is_ready else {"Retry-After": str(RETRY_AFTER)}
    return JSONResponse({"ready": is_ready, "checks": checks}, 200 if is_ready else 503, headers)


@router.get("/metrics", responses=answers("text/plain"), response_class=Response)
async def metrics(service: Serving, caller: Admin) -> Response:  # noqa: ARG001 only admins may look
    """Return figures in Prometheus's text format."""
    counts = await service.ledger.counts()
    live = await service.ledger.live_workers(service.settings.stalled_after)
    text = service.metrics.render(counts, live, _memory(service))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _memory(service: Service) -> dict[int, int]:
    """Return the bytes that each working process of this service holds; 0 for one that is not running."""
    found = {}
    for number, child in enumerate(service.worker.children):
        try:
            found[number] = psutil.Process(child.pid).memory_info().rss if child.pid else 0
        except psutil.NoSuchProcess:
            found[number] = 0
    return found


async def _outcome(check: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(5):
            await check
    except WortlautError as error:
        return f"{error.message} {error.hint}"
    except TimeoutError:
        return "No answer within five seconds."
    return "ok"


async def _require_worker(service: Service) -> None:
    if not await service.ledger.live_workers(service.settings.stalled_after):
        raise WorkerLost("No worker shows a sign of life.", hint="Start `wortlaut worker`, or set WORTLAUT_WORKERS.")


def _models(service: Service) -> str:
    worker = service.worker
    if worker.trouble is not None:
        return f"{worker.trouble.message} {worker.trouble.hint}"
    waits = service.settings.warms_up and service.settings.workers and worker.warmth != "warm"
    return "The models are being fetched and loaded." if waits else "ok"
