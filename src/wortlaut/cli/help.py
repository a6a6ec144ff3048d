"""The help of all commands, and what is said of a wrong command line, in the reader's language."""

from __future__ import annotations

import io
import sys
from functools import partial
from typing import Any

import typer

from wortlaut.localization.catalog import Catalog

USAGE_ERROR: Any = typer.BadParameter.__mro__[1]
"""What is raised for a wrong command line; typer's own copy of click, where it stands, is not public."""

_HEADLINES = ("Usage:", "Arguments:", "Options:", "Commands:", "Show this message and exit.")
"""Words of click in every help."""


def localized(command: Any, catalog: Catalog) -> Any:  # noqa: ANN401 as above
    """Put the translated help into a command, its options and its subcommands, and return it."""
    for described in (command, *command.params):
        if text := getattr(described, "help", None):
            described.help = catalog.translate(text)
    command.get_help = partial(_help, command.get_help, catalog)
    for subcommand in getattr(command, "commands", {}).values():
        localized(subcommand, catalog)
    return command


def _help(plain: Any, catalog: Catalog, context: Any) -> str:  # noqa: ANN401 as above
    text: str = plain(context)
    for words in _HEADLINES:
        text = text.replace(words, catalog.translate(words))
    return text


def complain(error: Any, catalog: Catalog) -> None:  # noqa: ANN401 as above
    """Say on stderr what is wrong with a command line."""
    said = io.StringIO()
    error.show(file=said)
    for line in said.getvalue().splitlines():
        head, mark, reason = line.partition("Error: ")
        print(catalog.translate(f"{mark}{_reason(reason, catalog)}" if mark and not head else line), file=sys.stderr)


def _reason(reason: str, catalog: Catalog) -> str:
    """Translate a reason, also where a library's words stand behind the option that they are about."""
    subject, _, words = reason.partition(": ")
    return catalog.translate(f"{subject}: {catalog.translate(words)}" if words else reason)
