"""What a result says about itself: nothing that was skipped or repaired goes unsaid."""

from __future__ import annotations

from dataclasses import dataclass

ANNOUNCEMENTS = "wortlaut.downloads"
"""The logger for what is said before anything is fetched; each edge decides how to show it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader of a transcript should know: a fallback taken, a window dropped, a file cut short.

    `code` is for programs (kebab-case, stable), `message` for people. Times are seconds, where one place is meant.
    """

    code: str
    message: str
    start: float | None = None
    end: float | None = None
