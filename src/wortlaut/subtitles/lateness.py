"""Where cues come late because people speak too fast, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wortlaut.notice import Notice
from wortlaut.subtitles.condensing import Stretch
from wortlaut.subtitles.cue import Cue
from wortlaut.subtitles.rules import Rules
from wortlaut.subtitles.timing import lag_of, needed_time
from wortlaut.transcript import Word

LATE = 1.5
"""Seconds after its first word from which a cue is late for everybody to see: what the BBC allows at most."""

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class LateRun:
    """Cues that follow each other without time to spare, some of them late."""

    cues: tuple[Cue, ...]

    @property
    def stretch(self) -> Stretch:
        """When their words are said."""
        return Stretch(self.cues[0].words[0].start, self.cues[-1].words[-1].end)

    @property
    def lag(self) -> float:
        """Seconds that the latest of them comes after its first word."""
        return max(map(lag_of, self.cues))


def late_runs(cues: Sequence[Cue]) -> list[LateRun]:
    """Return the runs in which a cue is late; each begins with the last cue that was on time."""
    return [run for run in map(LateRun, _runs(cues)) if run.lag > LATE]


def _runs(cues: Sequence[Cue]) -> Iterator[tuple[Cue, ...]]:
    run: list[Cue] = []
    for cue in cues:
        if run and lag_of(cue) <= _ROUNDING:
            yield tuple(run)
            run = []
        run.append(cue)
    if run:
        yield tuple(run)


def notices_of(cues: Sequence[Cue], omitted: Sequence[Word], rules: Rules) -> Iterator[Notice]:
    """Say which words were left out, where cues come late, and where there is no time to read them."""
    for word in omitted:
        message = f"{word.text.strip()!r} was left out of the subtitles: people speak too fast to be read."
        yield Notice("subtitles-condensed", message, word.start, word.end)
    for run in late_runs(cues):
        message = f"People speak too fast to be read; subtitles come up to {run.lag:.1f} s late."
        yield Notice("subtitles-late", message, run.stretch.start, run.stretch.end)
    for hurried in _hurried(cues, rules):
        message = "People speak too fast to be read; this subtitle is shorter than the rules demand."
        yield Notice("subtitles-too-fast", message, hurried.words[0].start, hurried.words[-1].end)


def _hurried(cues: Iterable[Cue], rules: Rules) -> Iterator[Cue]:
    return (cue for cue in cues if cue.end - cue.start < needed_time(cue, rules) - _ROUNDING)
