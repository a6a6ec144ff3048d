"""The table of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
from enum import Enum
from types import FrameType
from typing import Annotated, NoReturn

import typer

from wortlaut.cli import keys, models, whisperx
from wortlaut.cli.compare import compare
from wortlaut.cli.demo import demo
from wortlaut.cli.doctor import doctor, explain, is_about_settings
from wortlaut.cli.evaluate import evaluate
from wortlaut.cli.exits import exit_code
from wortlaut.cli.help import USAGE_ERROR, complain, localized
from wortlaut.cli.progress import announce_downloads, described, say
from wortlaut.cli.render import check, render
from wortlaut.cli.serve import serve, worker
from wortlaut.cli.transcribe import transcribe
from wortlaut.errors import Cancelled, InvalidSetting, WortlautError
from wortlaut.localization.choice import VARIABLE, spoken, translator
from wortlaut.native import use_one_arena


class Language(Enum):
    """A language that messages are there in."""

    en = "en"
    de = "de"


app = typer.Typer(
    name="wortlaut",
    help="Who said what, when: transcription with word times and speakers, on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(transcribe)
app.command()(demo)
app.command()(doctor)
app.command()(compare)
app.command("eval")(evaluate)
app.command()(render)
app.command()(check)
app.command()(serve)
app.command()(worker)
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
whisperx.register(app)


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
    lang: Annotated[  # noqa: ARG001 read before anything else, see run()
        Language | None, typer.Option("--lang", help="Language of messages; that of the locale when left out.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done, with tracebacks.")] = False,
) -> None:
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    announce_downloads()


def run() -> None:
    """Run the command line and leave with its exit code."""
    use_one_arena()
    if (language := spoken(sys.argv[1:])) is not None:
        os.environ[VARIABLE] = language
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        sys.exit(localized(typer.main.get_command(app), translator())(standalone_mode=False))
    except USAGE_ERROR as error:
        complain(error, translator())
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(1)
    except WortlautError as error:
        _leave(error)
    except ValueError as error:
        if not is_about_settings(error):
            raise
        _leave(InvalidSetting(f"A setting makes no sense: {explain(error)}."))
    except BrokenPipeError:
        # The reader of our output has gone (`wortlaut ... | head`): leave quietly, also at interpreter shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _leave(error: WortlautError) -> NoReturn:
    logging.getLogger(__name__).debug("the command failed", exc_info=error)
    say(described(error))
    sys.exit(exit_code(error))


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 the signature is the signal module's
    """Make Ctrl-C and a polite kill what they are: a cancellation, which every stage cleans up after."""
    raise Cancelled
