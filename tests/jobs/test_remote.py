"""Going out: only to public addresses, whatever the name, the redirect or the spelling says."""

from __future__ import annotations

import io
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wortlaut.jobs import remote
from wortlaut.jobs.remote import AddressFailed, AddressRefused, TooMuch, download, is_public

pytestmark = pytest.mark.anyio


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        kind, _, rest = self.path[1:].partition("/")
        if kind == "redirect":
            self.send_response(302)
            self.send_header("Location", f"/redirect/{int(rest) - 1}" if int(rest) else "/file")
            self.end_headers()
        elif kind == "to":
            self.send_response(307)
            self.send_header("Location", rest)
            self.end_headers()
        elif kind == "missing":
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"say fetched")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def fetch(url, *, allows_private=False, limit_bytes=1000):
    target = io.BytesIO()
    await download(url, target, limit_bytes=limit_bytes, deadline=10, allows_private=allows_private)
    return target.getvalue()


@contextmanager
def names(monkeypatch, **addresses):
    """Let names mean what the test says."""
    real = socket.getaddrinfo

    def lookup(host, port, *args, **kwargs):
        return real(addresses.get(host, host), port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    yield


@pytest.mark.parametrize("path", ["file", "redirect/0", "redirect/4"])
async def test_a_file_is_fetched_also_through_redirects(site, path):
    assert await fetch(f"{site}/{path}", allows_private=True) == b"say fetched"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://127.1/x",
        "http://2130706433/x",
        "http://0x7f000001/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://10.0.0.1/x",
        "http://172.16.0.1/x",
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1/x",
        "http://0.0.0.0/x",
        "http://[fe80::1]/x",
        "http://[fd00::1]/x",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://example.org/x",
        "http:///x",
        "http://user:word@example.org/x",
        "http://exa mple.org:port/x",
        "http://ex\u00e4mple.org/x",
        "not an address",
    ],
)
async def test_what_is_not_public_is_refused(url):
    with pytest.raises(AddressRefused):
        await fetch(url)


async def test_a_public_site_cannot_redirect_into_the_own_network(site, monkeypatch):
    asked = []

    async def checked(self, host, port):
        asked.append(host)
        if host == "public.example":
            return "127.0.0.1"
        return await original(self, host, port)

    original = remote._Guarded._checked
    monkeypatch.setattr(remote._Guarded, "_checked", checked)
    port = site.rpartition(":")[2]
    with pytest.raises(AddressRefused):
        await fetch(f"http://public.example:{port}/to/http://127.0.0.1:{port}/file")
    assert asked == ["public.example", "127.0.0.1"]


async def test_a_name_that_means_a_private_address_is_refused(monkeypatch):
    with names(monkeypatch, **{"innocent.example": "10.1.2.3"}), pytest.raises(AddressRefused, match="innocent"):
        await fetch("http://innocent.example/x")


async def test_what_cannot_be_had_is_said(site):
    for url in (f"{site}/missing", f"{site}/redirect/9", "http://127.0.0.1:1/x"):
        with pytest.raises(AddressFailed):
            await fetch(url, allows_private=True)
    with pytest.raises(TooMuch):
        await fetch(f"{site}/file", allows_private=True, limit_bytes=5)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("fe80::1%eth0", False),
    ],
)
def test_public_addresses(address, expected):
    assert is_public(address) is expected
