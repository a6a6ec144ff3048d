"""A real service on loopback: uvicorn, PostgreSQL, a queue and a working process, with a performer that obeys."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
import time
import uuid
from contextlib import contextmanager

import httpx
import psycopg
import pytest
import uvicorn

from wortlaut.server.app import create_app
from wortlaut.server.settings import ServiceSettings

OBEDIENT = "wortlaut.jobs.testing:open_obedient"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def make_settings(postgres, tmp_path_factory):
    """Settings with a database of their own."""

    def make_settings(**given):
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        given = {"warms_up": False, "retry_wait": 0.1, "max_attempts": 3, "port": 0, "performer": OBEDIENT, **given}
        return ServiceSettings(
            data_dir=tmp_path_factory.mktemp("service"),
            database_url=postgres.url.replace("/postgres?", f"/{name}?"),
            **given,
        )

    return make_settings


@contextmanager
def serving(settings):
    """Run the service in a thread; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(create_app(settings), log_config=None, timeout_graceful_shutdown=2, loop="asyncio")
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        assert server.started
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture(scope="session")
def serve():
    """Run another service: `with serve(settings) as url`."""
    return serving


@pytest.fixture(scope="session")
def base_url(make_settings):
    """One service for all tests that do not need special settings."""
    with serving(make_settings(warms_up=True, max_upload_bytes=3_000_000)) as url:
        yield url


@pytest.fixture
def http(base_url):
    with httpx.Client(base_url=base_url, timeout=30) as client:
        yield client


@pytest.fixture
def talk():
    """A recording of two sentences, as a file for a form."""
    return ("talk.wav", io.BytesIO(b"say Guten Tag zusammen\nsay Hallo"), "audio/wav")


def recording(script, name="talk.wav"):
    return (name, script.encode() if isinstance(script, str) else script, "audio/wav")


@pytest.fixture
def finished(http):
    """Wait for the end of a job."""

    def finished(answer, within=30):
        deadline = time.monotonic() + within
        while (found := http.get(f"/v1/jobs/{answer['id']}").json())["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    return finished
