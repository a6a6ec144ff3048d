"""`--explain`: what was decided about each stretch of a recording, as a table on stderr."""

from __future__ import annotations

from collections.abc import Sequence

from wortlaut.cli.progress import say
from wortlaut.formats.clock import clock, to_ms
from wortlaut.transcript import Decision, Trial

_LONGEST_TEXT = 60
"""Characters of a text that are shown: enough to find it again."""


def explain_decisions(recording: str, decisions: Sequence[Decision]) -> None:
    """Print a line a decision, and one for each text that was tried where there were several."""
    say(f"{recording}: {len(decisions)} stretches")
    for decision in decisions:
        for line in lines(decision):
            say(line)


def lines(decision: Decision) -> list[str]:
    """Return what is said of one decision."""
    reasons = f": {', '.join(decision.reasons)}" if decision.reasons else ""
    place = f"{_clock(decision.start)} - {_clock(decision.end)}"
    first = f"  {place}  {decision.outcome}{reasons}"
    if len(decision.trials) == 1:
        return [f"{first}  [{_measures(decision.trials[0])}]"]
    return [first, *(f"      {_tried(trial)}" for trial in decision.trials)]


def _tried(trial: Trial) -> str:
    text = trial.text.strip()
    shown = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    doubts = f" - {', '.join(trial.doubts)}" if trial.doubts else ""
    return f"{trial.way} [{_measures(trial)}]{doubts}: {shown or '(no text)'}"


def _measures(trial: Trial) -> str:
    return (
        f"log-probability {trial.avg_logprob:.2f}, no speech {trial.no_speech_prob:.2f}, "
        f"compression {trial.compression_ratio:.1f}"
    )


def _clock(seconds: float) -> str:
    return clock(to_ms(seconds), decimal_marker=".", shows_zero_hours=True)
