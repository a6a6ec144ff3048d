"""From errors to exit codes. The most specific class decides; 2 is a wrong command line, as everywhere."""

from __future__ import annotations

from wortlaut import errors

UNEXPECTED = 1
USAGE = 2
INTERRUPTED = 130

EXIT_CODES: dict[type[errors.WortlautError], int] = {
    errors.WortlautError: UNEXPECTED,
    errors.InvalidOption: USAGE,
    errors.InvalidSetting: USAGE,
    errors.UnknownLanguage: USAGE,
    errors.UnknownFormat: USAGE,
    errors.UnknownModel: USAGE,
    errors.InputError: 3,
    errors.ModelError: 4,
    errors.ResourceError: 5,
    errors.JobError: 6,
    errors.ExtraMissing: 7,
    errors.Cancelled: INTERRUPTED,
}


def exit_code(error: errors.WortlautError) -> int:
    """Return the exit code of an error: that of its nearest class in the table."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
