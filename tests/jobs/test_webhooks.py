"""Webhooks: signed, told once the job has ended, tried again, and never sent into the own network by default."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from wortlaut.jobs import webhooks
from wortlaut.jobs.webhooks import Webhooks, sign
from wortlaut.jobs.worker import Worker
from wortlaut.options import Options

pytestmark = pytest.mark.anyio
DOCS = Path(__file__).parents[2] / "docs" / "service.md"


@pytest.fixture
def receiver():
    """A server that keeps what it is sent and answers 500 as often as it is told to."""
    received, refusals = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(refusals.pop() if refusals else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", received, refusals
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def telling(settings):
    return settings.model_validate(
        {**settings.model_dump(), "webhook_secret": "s3cret", "allows_private_addresses": True}
    )


async def test_every_end_is_told_signed_and_tried_again(receiver, telling, url, submit, ledger, monkeypatch):
    monkeypatch.setattr(webhooks, "FIRST_WAIT", 0.1)
    hook, received, refusals = receiver
    refusals.append(500)
    await submit("say hello", webhook=hook)
    await submit("gibberish", webhook=hook)
    await ledger.cancel((await submit("say never", webhook=hook)).id)
    await submit("say nothing to nobody")
    task = asyncio.create_task(Worker(telling, Options(), url).run())
    async with asyncio.timeout(30):
        while len(received) < 4:  # noqa: ASYNC110 the receiver lives in another thread
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    events = sorted({json.loads(body)["event"] for _, body in received})
    assert events == ["job.cancelled", "job.done", "job.failed"]
    is_genuine = documented_check()
    for headers, body in received:
        assert is_genuine(body, headers["Wortlaut-Signature"], "s3cret")
        assert not is_genuine(body + b" ", headers["Wortlaut-Signature"], "s3cret")


def documented_check():
    """The function that the documentation shows."""
    code = next(
        each for each in re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL) if "hmac" in each
    )
    names = {}
    exec(code, names)
    return names["is_genuine"]


async def test_the_own_network_is_not_told_anything_by_default(receiver, settings, submit, ledger):
    hook, received, _ = receiver
    job = await submit("say hello", webhook=hook)
    closed = settings.model_validate({**settings.model_dump(), "webhook_secret": "s3cret"})
    await Webhooks(ledger, closed).tell(job.id, 1)
    await Webhooks(ledger, closed).tell("unknown", 1)
    assert received == []


def test_the_signature_is_that_of_the_specification():
    import hashlib
    import hmac

    expected = hmac.digest(b"key", b"17.{}", hashlib.sha256).hex()
    assert sign(b"{}", "key", 17) == f"t=17,v1={expected}"
