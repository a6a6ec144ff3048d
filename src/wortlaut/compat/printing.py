"""What whisperX prints while it works, on stdout as whisperX does."""

from __future__ import annotations

import sys
from collections.abc import Callable

from wortlaut.options import Progress
from wortlaut.transcript import Passage


def print_passage(passage: Passage) -> None:
    """Print the text of a window as whisperX does."""
    sys.stdout.write(f"Transcript: [{round(passage.start, 3)} --> {round(passage.end, 3)}] {passage.text}\n")
    sys.stdout.flush()


class ProgressPrinter:
    """A listener that prints how much of the recording is recognized, in whisperX's words; never less than before."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, progress: Progress, /) -> None:
        if progress.stage != "recognize" or not progress.total:
            return
        percent = min(100 * progress.done / progress.total, 100.0)
        if percent > self._last:
            self._last = percent
            sys.stdout.write(f"Progress: {percent:.2f}%...\n")
            sys.stdout.flush()


def percent_reporter(
    is_printed: bool, callback: Callable[[float], None] | None, *, scale: float = 1.0, offset: float = 0.0
) -> Callable[[float], None]:
    """Return a function that takes percent: it prints them as whisperX does, scaled, and passes them on."""

    def report(percent: float) -> None:
        if is_printed:
            sys.stdout.write(f"Progress: {offset + scale * percent:.2f}%...\n")
        if callback is not None:
            callback(percent)

    return report
