"""Going out to addresses that callers name, without being led into the own network.

Every connection, also after a redirect, goes through one place: it resolves the name itself, refuses if any of the
addresses is not a public one, and connects to an address that it has checked, so that a name cannot change its meaning
in between. TLS still checks the certificate against the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address
from typing import IO
from urllib.parse import urljoin, urlsplit

import httpcore

from wortlaut.errors import InputError

MOST_REDIRECTS = 5
CONNECT = 10.0
"""Seconds for a connection, and for each piece of an answer."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200
_TRANSLATED = (IPv6Address("64:ff9b::"), 96)
"""NAT64: the last 32 bits are an IPv4 address."""


class AddressRefused(InputError):
    """This address is not one that the service goes to."""

    code = "address-refused"
    default_hint = (
        "Give a public http or https address; WORTLAUT_ALLOWS_PRIVATE_ADDRESSES permits those of the own network."
    )


class AddressFailed(InputError):
    """The address did not give what was asked for."""

    code = "address-failed"
    default_hint = "Check that it can be opened without signing in, and try again."


class TooMuch(InputError):
    """The answer is longer than what is accepted."""

    code = "answer-too-long"


def is_public(text: str) -> bool:
    """Say whether an address belongs to the public internet, also where it wraps an IPv4 address."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or _translated(address)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _translated(address: IPv6Address) -> object:
    prefix, bits = _TRANSLATED
    if int(address) >> (128 - bits) != int(prefix) >> (128 - bits):
        return None
    return ip_address(int(address) & 0xFFFFFFFF)


class _Guarded(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only."""

    def __init__(self, *, allows_private: bool) -> None:
        self._allows_private = allows_private
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await self._checked(host, port)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 as above
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 as above
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused(f"{path} is no address of the internet.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise AddressFailed(f"There is no host {host!r}.") from error
        addresses = [str(each[4][0]) for each in found]
        if not self._allows_private and not all(map(is_public, addresses)):
            raise AddressRefused(f"{host!r} is not on the public internet.")
        return addresses[0]


@asynccontextmanager
async def going_out(*, allows_private: bool) -> AsyncIterator[httpcore.AsyncConnectionPool]:
    """Give what makes guarded connections. No proxy of the environment is used: it would see names, not addresses."""
    backend = _Guarded(allows_private=allows_private)
    async with httpcore.AsyncConnectionPool(network_backend=backend, ssl_context=ssl.create_default_context()) as pool:
        yield pool


async def download(url: str, target: IO[bytes], *, limit_bytes: int, deadline: float, allows_private: bool) -> int:
    """Fetch what lies at an address into a file, and return its size.

    Raises `AddressRefused`, `AddressFailed`, or `TooMuch` if it is longer than `limit_bytes`.
    """
    try:
        async with asyncio.timeout(deadline), going_out(allows_private=allows_private) as pool:
            return await _follow(pool, url, target, limit_bytes)
    except TimeoutError as error:
        raise AddressFailed(f"{url} took longer than {deadline:g} s.") from error
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        raise AddressFailed(f"{url} cannot be fetched: {str(error) or type(error).__name__}.") from error


async def _follow(pool: httpcore.AsyncConnectionPool, url: str, target: IO[bytes], limit_bytes: int) -> int:
    for _ in range(MOST_REDIRECTS + 1):
        headers = [(b"Host", host_of(url)), (b"User-Agent", b"wortlaut"), (b"Accept-Encoding", b"identity")]
        extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), CONNECT)}
        async with pool.stream("GET", url, headers=headers, extensions=extensions) as response:
            if response.status in _REDIRECTS:
                url = urljoin(url, _header(response, b"location"))
                continue
            if response.status != _OK:
                raise AddressFailed(f"{url} answers {response.status}.")
            return await _save(response, target, limit_bytes)
    raise AddressFailed(f"{url} redirects more than {MOST_REDIRECTS} times.")


async def _save(response: httpcore.Response, target: IO[bytes], limit_bytes: int) -> int:
    size_bytes = 0
    async for chunk in response.aiter_stream():
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise TooMuch
        await asyncio.to_thread(target.write, chunk)
    target.seek(0)
    return size_bytes


def host_of(url: str) -> bytes:
    """Return what the Host header says. Raises `AddressRefused` for what is no plain http or https address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressRefused(f"{url!r} is no address.") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or not url.isascii():
        raise AddressRefused(f"{url!r} is no plain http or https address.")
    bracketed = f"[{host}]" if ":" in host else host
    return (bracketed if port is None else f"{bracketed}:{port}").encode("ascii")


def _header(response: httpcore.Response, name: bytes) -> str:
    found = next((value for key, value in response.headers if key.lower() == name), b"")
    return found.decode("latin-1")
