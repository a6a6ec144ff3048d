"""One file over HTTP: continued where it broke off, and never waited for without end.

Timeouts of HTTP libraries bound a single read, not the wait for an answer: a host that accepts a connection and
then says nothing, or says a header a minute, keeps them busy for long. Here the way to the answer (name lookup,
connection, TLS, redirects, headers) has one deadline, and the body has to keep flowing.
"""

from __future__ import annotations

import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from wortlaut.models.transfer import Patience, TransferFailed

_BLOCK_BYTES = 1 << 18
_MOST_RESUMPTIONS = 20
_WORTHWHILE_BYTES = 1 << 20  # a connection that stalls is taken up again only if it brought this much
_USER_AGENT = "wortlaut"

Arrived = Callable[[int], None]
"""Is told how many bytes of the file are there; may raise to stop."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer: `headers` of every response on the way, redirects first."""

    status: int
    headers: tuple[Message, ...]

    def header(self, name: str) -> str | None:
        """Return the first value on the way: a hub describes the file before it redirects to its store."""
        return next((headers[name] for headers in self.headers if headers[name]), None)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Keeps the headers of each hop, gives the token to the same host only, and asks no other host for a head."""

    def __init__(self) -> None:
        self.hops: list[Message] = []

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        self.hops.append(headers)
        is_same_host = urlsplit(req.full_url)[:2] == urlsplit(newurl)[:2]
        if req.get_method() == "HEAD":
            if not is_same_host:
                return None  # addresses of file stores are often signed for GET alone
            following = urllib.request.Request(newurl, headers=dict(req.headers), method="HEAD")  # noqa: S310  (http by contract)
        else:
            made = super().redirect_request(req, fp, code, msg, headers, newurl)
            if made is None:
                return None
            following = made
        if is_same_host and (token := req.get_header("Authorization")):
            following.add_unredirected_header("Authorization", token)
        return following


def describe(url: str, *, token: str | None, patience: Patience) -> Answer:
    """Ask for the head of a file. Raises `TransferFailed`."""
    redirects = _Redirects()
    try:
        with _open(_request(url, token, method="HEAD"), redirects, patience) as response:
            return Answer(response.status, (*redirects.hops, response.headers))
    except TransferFailed as error:
        if error.status is not None and 300 <= error.status < 400:  # noqa: PLR2004  (a redirect to another host)
            return Answer(error.status, tuple(redirects.hops))
        raise


def download(url: str, part: Path, *, token: str | None, patience: Patience, arrived: Arrived) -> None:
    """Fetch a file into `part`, going on after what it holds already. Raises `TransferFailed`.

    A connection that breaks is taken up again as long as each attempt brings something, one that stalls only if
    it brought a good deal.
    """
    for _ in range(_MOST_RESUMPTIONS):
        held_bytes = _size(part)
        try:
            _fetch_rest(url, part, token=token, patience=patience, arrived=arrived)
        except TransferFailed as error:
            least_bytes = _WORTHWHILE_BYTES if error.is_stall else 1
            if error.status is not None or _size(part) < held_bytes + least_bytes:
                raise
        else:
            return
    raise TransferFailed(f"the connection broke off {_MOST_RESUMPTIONS} times")


def _fetch_rest(url: str, part: Path, *, token: str | None, patience: Patience, arrived: Arrived) -> None:
    held_bytes = _size(part)
    request = _request(url, token)
    if held_bytes:
        request.add_header("Range", f"bytes={held_bytes}-")
    try:
        response = _open(request, _Redirects(), patience)
    except TransferFailed as error:
        if error.status != 416 or not held_bytes:  # noqa: PLR2004  (range not satisfiable: what is there is all or wrong)
            raise
        if error.reason.endswith(f"*/{held_bytes}"):
            return
        part.unlink()
        response = _open(_request(url, token), _Redirects(), patience)
    with response:
        is_continued = response.status == 206 and _range_start(response) == held_bytes  # noqa: PLR2004  (partial content)
        _store(response, part, append=is_continued, patience=patience, arrived=arrived)


def _store(response: HTTPResponse, part: Path, *, append: bool, patience: Patience, arrived: Arrived) -> None:
    expected_bytes = response.length
    start_bytes = _size(part) if append else 0
    got_bytes = 0
    with part.open("ab" if append else "wb") as out:
        for block in _flowing(response, patience):
            out.write(block)
            got_bytes += len(block)
            arrived(start_bytes + got_bytes)
    if expected_bytes is not None and got_bytes < expected_bytes:
        raise TransferFailed(f"the connection broke off after {start_bytes + got_bytes:,} bytes")


def _flowing(response: HTTPResponse, patience: Patience) -> Iterable[bytes]:
    """Yield the body as it comes; raise `TransferFailed` when it stalls or trickles."""
    since, got_bytes = time.monotonic(), 0
    while True:
        try:
            block = response.read1(_BLOCK_BYTES)
        except TimeoutError as error:
            raise TransferFailed(f"nothing came for {patience.stall:.0f} s", is_stall=True) from error
        except (OSError, HTTPException) as error:
            raise TransferFailed(_reason(error, patience)) from error
        if not block:
            return
        yield block
        got_bytes += len(block)
        if time.monotonic() - since > patience.stall:
            if got_bytes < patience.least_bytes:
                raise TransferFailed(f"only {got_bytes} bytes came in {patience.stall:.0f} s", is_stall=True)
            since, got_bytes = time.monotonic(), 0


def _open(request: urllib.request.Request, redirects: _Redirects, patience: Patience) -> HTTPResponse:
    opener = urllib.request.build_opener(redirects)
    opener.addheaders = [("User-Agent", _USER_AGENT)]
    try:
        return _within(patience.answer, lambda: opener.open(request, timeout=patience.stall))
    except urllib.error.HTTPError as error:
        with error:
            span = error.headers["Content-Range"] or ""
            raise TransferFailed(f"HTTP {error.code} {error.reason} {span}".strip(), status=error.code) from error
    except (OSError, HTTPException, ValueError) as error:
        raise TransferFailed(_reason(error, patience)) from error


def _within(seconds: float, call: Callable[[], HTTPResponse]) -> HTTPResponse:
    """Run a call that may hang in a thread of its own and stop waiting for it after some seconds.

    The thread is left behind; it ends with its socket's timeout and keeps no process alive.
    """
    outcome: queue.SimpleQueue[HTTPResponse | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(call())
        except Exception as error:  # noqa: BLE001  (carried to the waiting thread and raised there)
            outcome.put(error)

    threading.Thread(target=run, name="model-download", daemon=True).start()
    try:
        result = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result


def _request(url: str, token: str | None, *, method: str = "GET") -> urllib.request.Request:
    request = urllib.request.Request(url, method=method)  # noqa: S310  (the endpoint is the user's own setting)
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _range_start(response: HTTPResponse) -> int | None:
    span = response.headers["Content-Range"] or ""
    start = span.removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdecimal() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception, patience: Patience) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {patience.answer:.0f} s"
    return str(cause) or type(cause).__name__
