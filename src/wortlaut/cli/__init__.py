"""The command line: a thin edge around the library. The result goes to stdout, everything else to stderr."""

from __future__ import annotations

import sys
import traceback

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
        _leave(error)
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:  # what packages raise that do not fit
        if not _arose_in_an_import(error):
            raise
        _leave(error)


def main_whisperx() -> None:
    """Be the command `whisperx`, for a distribution that puts it on the path, and for `python -m`."""
    sys.argv[1:1] = ["whisperx"]
    main()


def _arose_in_an_import(error: Exception) -> bool:
    """Whether a module was being executed: built for another NumPy, a package raises this or that."""
    return any(frame.f_code.co_name == "<module>" for frame, _ in traceback.walk_tb(error.__traceback__))


def _leave(error: Exception) -> None:
    broken = _broken(error)
    translate = translator().translate
    print(f"{translate(broken.message)} [{broken.code}]\n  {translate(broken.hint)}", file=sys.stderr)
    sys.exit(BROKEN)


def _broken(error: Exception) -> InstallationBroken:
    """Name the packages that are to be installed anew: the doctor may need the same ones, and not start either."""
    from wortlaut.diagnosis.imports import find_unloadable, required_packages, service_packages  # noqa: PLC0415 where all is well it is not needed

    message = f"A package that Wortlaut needs cannot be loaded: {error}."
    suspects = [*required_packages(), *service_packages()]
    if names := find_unloadable(suspects, seconds=_LOOKING_SECONDS):
        return InstallationBroken(
            message, hint=f"Install it anew with `pip install --force-reinstall {' '.join(names)}`."
        )
    return InstallationBroken(message)
