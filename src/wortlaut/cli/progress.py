"""Progress bars on stderr, and none when stderr is not a terminal."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from wortlaut.errors import WortlautError
from wortlaut.localization.choice import translator
from wortlaut.notice import ANNOUNCEMENTS
from wortlaut.options import Progress
from wortlaut.stages import Listener, ignore

_TITLES = {
    "decode": "reading the sound",
    "detect": "finding speech",
    "recognize": "recognizing words",
    "diarize": "telling voices apart",
}


@contextmanager
def progress_listener(title: str, *, is_shown: bool) -> Generator[Listener]:
    """Give a listener that draws one bar a stage, as long as the block runs."""
    console = Console(stderr=True)
    if not is_shown or not console.is_terminal:
        yield ignore
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[title]}: {task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, transient=True, redirect_stdout=False) as bars:
        yield _Drawing(bars, title)


class _Drawing:
    """Shows the running stage; the one before it has ended when the next one speaks."""

    def __init__(self, bars: Bars, title: str) -> None:
        self._bars = bars
        self._title = title
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, progress: Progress, /) -> None:
        if progress.stage not in self._tasks:
            for task in self._tasks.values():
                self._bars.update(task, visible=False)
            description = translator().translate(_TITLES.get(progress.stage, progress.stage))
            self._tasks[progress.stage] = self._bars.add_task(description, title=self._title, total=None)
        total = progress.total or None
        self._bars.update(self._tasks[progress.stage], completed=progress.done, total=total)


class _InTheReadersLanguage(logging.Formatter):
    """Nothing but the message, each of its lines translated."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(translator().translate, record.getMessage().splitlines()))


def announce_downloads() -> None:
    """Print what the store says before it fetches models, also where nothing else is logged."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_InTheReadersLanguage())
    announcements = logging.getLogger(ANNOUNCEMENTS)
    announcements.handlers = [handler]
    announcements.setLevel(logging.INFO)
    announcements.propagate = False


def say(message: str) -> None:
    """Tell the user something that is not the result, in the user's language."""
    print(translator().translate(message), file=sys.stderr)


def described(error: WortlautError) -> str:
    """Return what is wrong and what to do, in the user's language; the code is the same in all of them."""
    translate = translator().translate
    return f"{translate(error.message)} [{error.code}]\n  {translate(error.hint)}"
