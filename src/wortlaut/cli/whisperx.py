"""`wortlaut whisperx`: whisperX's command line, run by Wortlaut."""

from __future__ import annotations

from functools import partial

import typer

from wortlaut.cli.exits import exit_code
from wortlaut.cli.output import prepare_folder, write_whole
from wortlaut.cli.progress import progress_listener, say

CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
"""Everything behind the command is for whisperX's own parser, --help too."""


def whisperx(context: typer.Context) -> None:
    """Run whisperX's command line: the same flags, files and names. `whisperx --help` lists them."""
    from wortlaut.compat.command_line import Edge, run  # noqa: PLC0415 loaded when it is wanted

    edge = Edge(say, prepare_folder, write_whole, exit_code, partial(progress_listener, is_shown=True))
    raise typer.Exit(run(context.args, edge))


def register(app: typer.Typer) -> None:
    """Add the command to the table of commands."""
    app.command("whisperx", context_settings=CONTEXT, add_help_option=False)(whisperx)
