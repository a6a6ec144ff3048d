"""The model hub, and the token for its gated models."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

from wortlaut.diagnosis.finding import Finding, Installation
from wortlaut.diarization.pyannote.deadline import DeadlinePassed, within
from wortlaut.diarization.pyannote.token import NoRedirect, Token
from wortlaut.errors import TOKEN_PAGE

AREA = "network"
HUB_SECONDS = 3.0
UNAUTHORIZED = (401, 403)


def look_at_hub(installation: Installation) -> Iterator[Finding]:
    """Ask the hub for a sign of life, unless offline."""
    if installation.is_offline:
        yield Finding(AREA, "model hub", "ok", "not asked: offline")
        return
    status = ask(installation.endpoint)
    if status is None:
        yield Finding(
            AREA,
            "model hub",
            "note",
            f"{host_of(installation.endpoint)} did not answer within {HUB_SECONDS:g} s",
            "Models that are here work without it. Behind a proxy, set HTTPS_PROXY; for a mirror, HF_ENDPOINT.",
        )
    else:
        yield Finding(AREA, "model hub", "ok", f"{host_of(installation.endpoint)} answers")


def look_at_token(installation: Installation) -> Iterator[Finding]:
    """Say whether there is a token and whether the hub knows it. It is shown nowhere."""
    token = installation.token
    if token is None:
        yield Finding(AREA, "token", "ok", "none; only gated models such as pyannote's need one")
        return
    if installation.is_offline:
        yield Finding(AREA, "token", "ok", "there is one; not checked: offline")
        return
    status = ask(f"{installation.endpoint}/api/whoami-v2", token)
    if status in UNAUTHORIZED:
        advice = f"Make a new one at {TOKEN_PAGE}, or remove it: only gated models need one."
        yield Finding(AREA, "token", "note", "there is one, and the hub rejects it", advice)
    elif status is None:
        yield Finding(AREA, "token", "ok", "there is one; the hub did not answer, so it is not checked")
    else:
        yield Finding(AREA, "token", "ok", "there is one, and the hub accepts it")


def host_of(url: str) -> str:
    """Return the host of an address, without the password that may stand before it."""
    return urllib.parse.urlsplit(url).hostname or "the hub"


def ask(url: str, token: Token | None = None) -> int | None:
    """Return the status that a server answers with, None if it does not answer in time."""
    headers = {"User-Agent": "wortlaut"} | ({"Authorization": f"Bearer {token.reveal()}"} if token else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 the hub's address

    def send() -> int:
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=HUB_SECONDS) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    try:
        return within(HUB_SECONDS, send)
    except (OSError, DeadlinePassed):
        return None
