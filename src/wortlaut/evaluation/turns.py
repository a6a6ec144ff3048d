"""Diarization error rate: how much of the time the wrong people are said to speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from wortlaut.evaluation.ratio import Ratio
from wortlaut.transcript import Turn


@dataclass(frozen=True, slots=True)
class TurnErrors:
    """Seconds of speaker time: two people talking at once count twice. `spoken` is the whole of the truth."""

    missed: float
    false_alarm: float
    confusion: float
    spoken: float

    def ratios(self) -> Mapping[str, Ratio]:
        """Return the error rate as `rate` and its three parts."""
        errors = self.missed + self.false_alarm + self.confusion
        parts = {"missed": self.missed, "false_alarm": self.false_alarm, "confusion": self.confusion}
        return {name: Ratio(part, self.spoken) for name, part in {"rate": errors, **parts}.items()}


def turn_errors(truth: Sequence[Turn], found: Sequence[Turn], *, duration: float, collar: float) -> TurnErrors:
    """Score the whole recording, overlapping speech included, under the best mapping of names.

    `collar` is what is left unscored on EACH side of every true boundary, in seconds, as in NIST's md-eval:
    0.25 forgives a quarter of a second before and after. pyannote.metrics counts the whole width (its `collar=0.5`).
    """
    metric = DiarizationErrorRate(collar=2 * collar, skip_overlap=False)
    whole = Timeline([Segment(0.0, duration)])
    parts = metric.compute_components(_annotation(truth), _annotation(found), uem=whole)
    return TurnErrors(
        missed=float(parts["missed detection"]),
        false_alarm=float(parts["false alarm"]),
        confusion=float(parts["confusion"]),
        spoken=float(parts["total"]),
    )


def _annotation(turns: Sequence[Turn]) -> Annotation:
    """Merge the turns of each speaker where they overlap: nobody speaks twice at once."""
    annotation = Annotation()
    for index, turn in enumerate(turns):
        annotation[Segment(turn.start, turn.end), index] = turn.speaker
    return annotation.support()
