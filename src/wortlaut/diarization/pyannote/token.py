"""The access token of the model hub: found in the usual places, shown nowhere."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import dotenv

VARIABLE = "HF_TOKEN"


class Token:
    """A secret. Printing, logging, pickling or JSON cannot show it; only `reveal` does."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def reveal(self) -> str:
        """Return the token itself: for the request that needs it, and nothing else."""
        return self._secret

    def __repr__(self) -> str:
        return "Token(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an answer. Following it would carry the token to another host."""

    def redirect_request(self, *_: object) -> None:
        """Follow no redirect."""


def find_token(
    configured: str | None = None, *, environment: Mapping[str, str] = os.environ, folder: Path | None = None
) -> Token | None:
    """Return the first token found: as configured, HF_TOKEN, `.env` in the folder, the hub's own login.

    An empty value counts as none. The folder is the current one where none is given.
    """
    dotenv_file = (folder or Path.cwd()) / ".env"
    return (
        _token(configured)
        or _token(environment.get(VARIABLE))
        or (_token(dotenv.dotenv_values(dotenv_file).get(VARIABLE)) if dotenv_file.is_file() else None)
        or _token(_login(environment))
    )


def _login(environment: Mapping[str, str]) -> str | None:
    """Return what `hf auth login` has written; where, the hub's own variables say."""
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(environment.get("HF_HOME") or cache / "huggingface")
    try:
        return Path(environment.get("HF_TOKEN_PATH") or home / "token").expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _token(text: str | None) -> Token | None:
    stripped = (text or "").strip()
    return Token(stripped) if stripped else None
