from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from wortlaut.diagnosis import network
from wortlaut.diagnosis.finding import Finding, Installation
from wortlaut.diagnosis.network import look_at_hub, look_at_token
from wortlaut.diarization.pyannote.token import Token

SECRET = "hf_ThisMustNeverBeSeenAnywhere"  # a fake


class Hub(ThreadingHTTPServer):
    daemon_threads = True
    status = 200
    stall_seconds = 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.tokens: list[str | None] = []
        self.released = threading.Event()


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.tokens.append(self.headers.get("Authorization"))
        self.server.released.wait(self.server.stall_seconds)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.released.set()
    for late in [thread for thread in threading.enumerate() if thread.name == "deadline"]:
        late.join(10)
    server.shutdown()
    server.server_close()


def at(hub: Hub, **options: object) -> Installation:
    return Installation(Path(), Path(), endpoint=f"http://127.0.0.1:{hub.server_port}", **options)


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    assert SECRET not in repr(finding)
    return finding


class TestHub:
    def test_answers(self, hub):
        assert only(look_at_hub(at(hub))).state == "ok"
        assert hub.tokens == [None]

    def test_offline_is_not_asked(self, hub):
        assert only(look_at_hub(at(hub, is_offline=True))).state == "ok"
        assert hub.tokens == []

    def test_stalls(self, hub, monkeypatch):
        monkeypatch.setattr(network, "HUB_SECONDS", 0.2)
        hub.stall_seconds = 30
        assert only(look_at_hub(at(hub))).state == "note"

    def test_not_there(self):
        installation = Installation(Path(), Path(), endpoint="http://somebody:password@127.0.0.1:1")
        finding = only(look_at_hub(installation))
        assert finding.state == "note"
        assert "password" not in repr(finding)


class TestToken:
    def test_none(self, hub):
        assert "none" in only(look_at_token(at(hub))).detail

    @pytest.mark.parametrize(("status", "state"), [(200, "ok"), (401, "note"), (403, "note"), (500, "ok")])
    def test_asked_of_the_hub(self, hub, status, state):
        hub.status = status
        finding = only(look_at_token(at(hub, token=Token(SECRET))))
        assert finding.state == state
        assert ("rejects" in finding.detail) == (state == "note")
        assert hub.tokens == [f"Bearer {SECRET}"]

    def test_offline_is_not_asked(self, hub):
        assert "not checked" in only(look_at_token(at(hub, token=Token(SECRET), is_offline=True))).detail
        assert hub.tokens == []

    def test_hub_is_silent(self, hub, monkeypatch):
        monkeypatch.setattr(network, "HUB_SECONDS", 0.2)
        hub.stall_seconds = 30
        finding = only(look_at_token(at(hub, token=Token(SECRET))))
        assert (finding.state, "not checked" in finding.detail) == ("ok", True)
