"""The command line: a thin edge around the library. The result goes to stdout, everything else to stderr."""

from __future__ import annotations

import sys

from wortlaut.errors import InstallationBroken
from wortlaut.localization.choice import translator

_LOOKING_SECONDS = 60.0  # for the packages that are to blame; nobody waits for anything else any more
BROKEN = 5  # as for every ResourceError (see `exits`, which may itself be what cannot be loaded)


def main() -> None:
    """Run `wortlaut`; the exit code says what kind of error ended it (see `exits`)."""
    try:
        from wortlaut.cli.app import run  # noqa: PLC0415 typer is loaded by the command line only

        run()
    except ImportError as error:  # also a native library that the system does not let in
        broken = _broken(error)
        translate = translator().translate
        print(f"{translate(broken.message)} [{broken.code}]\n  {translate(broken.hint)}", file=sys.stderr)
        sys.exit(BROKEN)


def main_whisperx() -> None:
    """Be the command `whisperx`, for a distribution that puts it on the path, and for `python -m`."""
    sys.argv[1:1] = ["whisperx"]
    main()


def _broken(error: ImportError) -> InstallationBroken:
    """Name the packages that are to be installed anew: the doctor may need the same ones, and not start either."""
    from wortlaut.diagnosis.imports import find_unloadable, required_packages  # noqa: PLC0415 where all is well it is not needed

    message = f"A package that Wortlaut needs cannot be loaded: {error}."
    if names := find_unloadable(required_packages(), seconds=_LOOKING_SECONDS):
        return InstallationBroken(
            message, hint=f"Install it anew with `pip install --force-reinstall {' '.join(names)}`."
        )
    return InstallationBroken(message)
