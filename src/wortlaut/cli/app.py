"""The table of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import click
import typer

from wortlaut.cli.exits import INTERRUPTED, exit_code
from wortlaut.cli.progress import say
from wortlaut.cli.transcribe import transcribe
from wortlaut.errors import WortlautError

app = typer.Typer(
    name="wortlaut",
    help="Who said what, when: transcription with word times and speakers, on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(transcribe)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from wortlaut import __version__  # noqa: PLC0415 reads the package's metadata

        print(f"wortlaut {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[  # noqa: ARG001 typer calls _show_version with it
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done, with tracebacks.")] = False,
) -> None:
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


def run() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(_exit_code_of_call())


def _exit_code_of_call() -> int:
    try:
        # Not standalone: click would turn Ctrl-C and our exit codes into its own.
        return app(standalone_mode=False) or 0
    except WortlautError as error:
        logging.getLogger(__name__).debug("the command failed", exc_info=error)
        say(f"{error.message} [{error.code}]\n  {error.hint}")
        return exit_code(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`wortlaut ... | head`): leave quietly, also at interpreter shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
