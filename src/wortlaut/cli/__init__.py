"""The command line: a thin edge around the library. The result goes to stdout, everything else to stderr."""

from __future__ import annotations

import sys

from wortlaut.errors import InstallationBroken

BROKEN = 5  # as for every ResourceError (see `exits`, which may itself be what cannot be loaded)


def main() -> None:
    """Run `wortlaut`; the exit code says what kind of error ended it (see `exits`)."""
    try:
        from wortlaut.cli.app import run  # noqa: PLC0415 typer is loaded by the command line only

        run()
    except ImportError as error:  # also a native library that the system does not let in
        broken = InstallationBroken(f"A package that Wortlaut needs cannot be loaded: {error}.")
        print(f"{broken.message} [{broken.code}]\n  {broken.hint}", file=sys.stderr)
        sys.exit(BROKEN)
