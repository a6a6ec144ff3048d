"""One PostgreSQL for all tests of this room, a database of its own for each test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from wortlaut.jobs.database import migrate, open_pool
from wortlaut.jobs.ledger import Ledger, Submission, new_id
from wortlaut.jobs.queue import open_queue
from wortlaut.jobs.settings import JobSettings
from wortlaut.options import Options
from wortlaut.storage import open_storage

COMMAND = "import sys; from wortlaut.cli import main; sys.argv[0] = 'wortlaut'; main()"
OBEDIENT = "wortlaut.jobs.testing:open_obedient"


@pytest.fixture
def url(postgres):
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.url.replace("/postgres?", f"/{name}?")


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def pool(url, anyio_backend):
    async with open_pool(url) as pool:
        await migrate(pool)
        yield pool


@pytest.fixture
async def ledger(pool):
    return Ledger(pool, await open_queue(pool), lease_life=0.2)


@pytest.fixture
def settings(tmp_path):
    return JobSettings(
        data_dir=tmp_path,
        performer=OBEDIENT,
        heartbeat=0.5,
        stalled_after=1.5,
        retry_wait=0.1,
        max_attempts=3,
        silence=20.0,
        warms_up=False,
    )


@pytest.fixture
def storage(settings):
    return open_storage(settings.storage)


@pytest.fixture
def submit(ledger, storage):
    """Hand in a recording, which says what the performer is to do."""

    async def submit(script, options=None, **fields):
        job_id = new_id()
        key = f"media/{job_id}"
        await storage.put(key, script.encode())
        given = {"owner": "me", "name": "talk.wav", "media_bytes": len(script), **fields}
        submission = Submission(id=job_id, media_key=key, options=options or Options(), **given)
        return (await ledger.submit(submission))[0]

    return submit


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@dataclass
class Installation:
    """A service and a worker, started again whenever they are gone, as a supervisor does."""

    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=_free_port)
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def keep_up(self) -> None:
        for name, command in {"service": ["serve", "--workers", "0"], "worker": ["worker"]}.items():
            process = self.running.get(name)
            if process is not None and process.poll() is None:
                continue
            if name == "worker" and not (self.folder / "database" / "PG_VERSION").exists():
                continue
            with (self.folder.parent / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [sys.executable, "-c", COMMAND, *command],
                    stderr=log,
                    stdout=log,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **self.settings, "WORTLAUT_PORT": str(self.port)},
                )

    def pid_of(self, victim: str) -> int | None:
        if victim == "database":
            return _first_line(self.folder / "database" / "postmaster.pid")
        process = self.running["worker" if victim == "child" else victim]
        if victim != "child":
            return process.pid
        return next((each.pid for each in _children(process.pid) if "wortlaut.jobs.child" in _command(each)), None)

    def kill(self, victim: str) -> bool:
        pid = self.pid_of(victim)
        try:
            os.kill(pid or 0, signal.SIGKILL) if pid else None
        except ProcessLookupError:
            return False
        return pid is not None

    def ask(self, method: str, path: str, **given) -> httpx.Response:
        """Ask until there is an answer: the service may be dead just now."""
        deadline = time.monotonic() + 300
        while True:
            self.keep_up()
            try:
                with self.http as http:
                    answer = http.request(method, path, **given)
                if answer.status_code < 500:
                    return answer
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, (self.folder.parent / "service.log").read_text()[-3000:]
            time.sleep(0.2)

    def submit(self, content: bytes, **fields: str) -> str:
        """Hand in a recording until it is accepted; the key makes sure that it is accepted once."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        files = {"file": ("talk.wav", content)}
        answer = self.ask("POST", "/v1/jobs", files=files, headers=headers, data=fields)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def state(self, job_id: str) -> dict:
        return self.ask("GET", f"/v1/jobs/{job_id}").json()

    def finished(self, job_id: str, within: float = 600) -> dict:
        deadline = time.monotonic() + within
        while (found := self.state(job_id))["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
        return found

    def objects(self, prefix: str) -> list[str]:
        return [each.key for each in open_storage(self.folder / "objects").objects.listing(prefix)]

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(60)


def _first_line(file: Path) -> int | None:
    try:
        return int(file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def install():
    """Start an installation in a folder of its own (not pytest's, which PostgreSQL's user could not enter)."""
    installations = []
    with tempfile.TemporaryDirectory(prefix="wortlaut-tests-", ignore_cleanup_errors=True) as folder:

        def install(**settings):
            given = {
                "WORTLAUT_DATA_DIR": f"{folder}/data",
                "WORTLAUT_WARMS_UP": "false",
                "WORTLAUT_HEARTBEAT": "1",
                "WORTLAUT_STALLED_AFTER": "4",
                "WORTLAUT_RETRY_WAIT": "0.2",
                "WORTLAUT_THREADS": "1",
                **settings,
            }
            installations.append(Installation(Path(folder) / "data", given))
            (Path(folder) / "data").mkdir()
            installations[-1].keep_up()
            installations[-1].ask("GET", "/health")
            return installations[-1]

        yield install
        for each in installations:
            each.stop()


@pytest.fixture
def tell(capsys):
    """Say something also when the test passes: what was killed is random."""

    def tell(text):
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return tell
