"""The help of all commands in the reader's language."""

from __future__ import annotations

from typing import Any

from wortlaut.localization.catalog import Catalog


def localized(command: Any, catalog: Catalog) -> Any:  # noqa: ANN401 typer's own copy of click is not public
    """Put the translated help into a command, its options and its subcommands, and return it."""
    for described in (command, *command.params):
        if text := getattr(described, "help", None):
            described.help = catalog.translate(text)
    for subcommand in getattr(command, "commands", {}).values():
        localized(subcommand, catalog)
    return command
