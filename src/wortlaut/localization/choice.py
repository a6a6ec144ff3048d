"""Which language the reader reads."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from wortlaut.localization.catalog import LANGUAGES, Catalog, catalog

VARIABLE = "WORTLAUT_LANG"
"""The environment variable that beats the locale; `--lang` sets it, so that child processes speak alike."""
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order of POSIX: the first that is set decides."""


def language_of(environment: Mapping[str, str] = os.environ) -> str:
    """Return the language of messages: what is asked for, or that of the locale; English where it is neither's."""
    names = (VARIABLE, *_LOCALE_VARIABLES)
    chosen = next((environment[name] for name in names if environment.get(name)), "")
    return _known(chosen) or "en"


def spoken(arguments: Sequence[str]) -> str | None:
    """Return what `--lang` says before the subcommand, in a command line that nobody has parsed yet.

    The help is to be in that language, too. Behind the subcommand the same letters may mean something else.
    """
    rest = iter(arguments)
    for argument in rest:
        if argument == "--lang":
            return next(rest, None)
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
        if not argument.startswith("-"):
            return None
    return None


def accepted(header: str | None, default: str = "en") -> str:
    """Return the language that an HTTP `Accept-Language` header (RFC 9110) prefers among those that there are."""
    wishes = sorted((_weighted(part) for part in (header or "").split(",")), key=lambda wish: -wish[1])
    return next((known for tag, weight in wishes if weight > 0 and (known := _known(tag))), default)


def translator(environment: Mapping[str, str] = os.environ) -> Catalog:
    """Return the catalogue for the reader of this process' messages."""
    return catalog(language_of(environment))


def _known(tag: str) -> str | None:
    """Return the language of a tag such as de_AT.UTF-8 or de-CH, if there are messages in it."""
    primary = re.split(r"[-_.@]", tag.strip().lower())[0]
    return primary if primary in LANGUAGES else None


def _weighted(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    match = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", parameter)
    return tag, float(match[1]) if match else (0.0 if parameter.strip() else 1.0)
