"""Logging as whisperX sets it up: the logger `whisperx`, on stdout."""

from __future__ import annotations

import logging
import sys

NAME = "whisperx"
_FORMAT = logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s", "%Y-%m-%d %H:%M:%S")


def setup_logging(level: str = "info", log_file: str | None = None) -> None:
    """Log to stdout from `level` on, and to a file as well if one is named. An unknown level is `warning`."""
    logger = logging.getLogger(NAME)
    number = logging.getLevelNamesMapping().get(level.upper(), logging.WARNING)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(number)
    logger.propagate = False  # the root logger would say it twice
    _add(logger, logging.StreamHandler(sys.stdout), number)
    if log_file:
        try:
            _add(logger, logging.FileHandler(log_file, encoding="utf-8"), number)
        except OSError as error:
            logger.warning("The log file %s cannot be written (%s); logging to the console only.", log_file, error)


def _add(logger: logging.Logger, handler: logging.Handler, level: int) -> None:
    handler.setLevel(level)
    handler.setFormatter(_FORMAT)
    logger.addHandler(handler)


def get_logger(name: str) -> logging.Logger:
    """Return a logger below `whisperx`, which is set up first if nobody has done so."""
    if not logging.getLogger(NAME).handlers:
        setup_logging()
    return logging.getLogger(NAME if name == "__main__" else name)
