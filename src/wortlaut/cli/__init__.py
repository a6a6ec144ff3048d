"""The command line: a thin edge around the library. The result goes to stdout, everything else to stderr."""

from __future__ import annotations


def main() -> None:
    """Run `wortlaut`; the exit code says what kind of error ended it (see `exits`)."""
    from wortlaut.cli.app import run  # noqa: PLC0415 typer is loaded by the command line only

    run()
