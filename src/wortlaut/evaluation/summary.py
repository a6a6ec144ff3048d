"""From the figures of recordings to those of a set, as plain values for JSON.

Percent: wer, cer, cpwer, wder, der_*, boundary*, uncovered_speech, language_right. Everything that a set has no truth
for is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wortlaut.evaluation.boundaries import TOLERANCES_MS, median_ms
from wortlaut.evaluation.observing import SetObservation
from wortlaut.evaluation.ratio import Ratio, confidence_interval, total
from wortlaut.evaluation.scoring import FileScore

RATES = ("wer", "cer", "der_0", "der_25", "cpwer", "wder", "uncovered_speech", "language_right")
WITH_INTERVAL = (*RATES, "boundary.within_50", "boundary.within_100", "boundary_forced.within_50")
DIGITS = 2
"""Decimals of a percentage: the sets are too small for more."""

ABOUT = {
    "percent": [*RATES, "boundary", "boundary_forced", "der_*_parts", "wer_parts"],
    "wer": "errors per true word, summed over the set, after Whisper's normalisation; TIMIT's sa1 and sa2 left out",
    "cer": "the same in characters, for languages without spaces (those items are not in wer)",
    "boundary": "starts and ends of recognized words within so many ms of the truth; matched: of the true words",
    "boundary_forced": "the same when the true text is aligned",
    "der_0": "diarization error rate, no collar, overlapping speech scored, whole recording",
    "der_25": "the same with 0.25 s on each side of every true boundary left unscored (md-eval; pyannote's collar=0.5)",
    "uncovered_speech": "true speech more than 0.5 s from every recognized word",
    "hallucinated_words": "words in recordings without speech",
    "cpu_per_second": "processor seconds (user + system, child processes included) per second of audio, models loaded",
    "peak_mb": "largest resident memory of the process and its children, in 10^6 bytes",
    "intervals": "95 %, bootstrap over files; these sets are small, so mind them",
}


def summarize(scores: Sequence[FileScore], observation: SetObservation) -> dict[str, Any]:
    """Return the figures of a set."""
    heard = [score for score in scores if score.is_refused_rightly is None]
    return {
        "files": len(scores),
        "seconds": _rounded(sum(score.seconds for score in heard)),
        **{name: _percent(heard, name) for name in RATES},
        "wer_parts": _parts(heard, "wer_parts", ("substitutions", "deletions", "insertions")),
        "wer_by_language": _by_language(heard),
        "boundary": _boundary(heard, "boundary"),
        "boundary_forced": _boundary(heard, "boundary_forced"),
        "der_0_parts": _parts(heard, "der_0_parts", ("missed", "false_alarm", "confusion")),
        "der_25_parts": _parts(heard, "der_25_parts", ("missed", "false_alarm", "confusion")),
        "speaker_count_right": _counted([score.ratios.get("speaker_count_right") for score in heard]),
        "hallucinated_words": _hallucinated(heard),
        "broken_refused": _counted([_as_ratio(score.is_refused_rightly) for score in scores]),
        "failed": [score.name for score in heard if score.error],
        **_costs(heard, observation),
        "intervals": _intervals(heard),
    }


def file_figures(score: FileScore) -> dict[str, Any]:
    """Return the figures of one recording."""
    return {
        "name": score.name,
        "seconds": _rounded(score.seconds),
        "language": score.language,
        **{name: _rounded(ratio.percent) for name, ratio in score.ratios.items()},
        **{f"{name}.median_ms": _rounded(median_ms(errors)) for name, errors in score.deviations.items()},
        "hallucinated_words": score.invented_words,
        "refused": score.is_refused_rightly,
        "error": score.error or None,
        "forced_error": score.forced_error or None,
        "cpu_seconds": _rounded(score.cost.cpu),
        "wall_seconds": _rounded(score.cost.wall),
    }


def _costs(heard: Sequence[FileScore], observation: SetObservation) -> dict[str, Any]:
    seconds = sum(score.seconds for score in heard)
    cpu, wall = sum(score.cost.cpu for score in heard), sum(score.cost.wall for score in heard)
    return {
        "cpu_per_second": round(cpu / seconds, 4) if seconds else None,
        "wall_per_second": round(wall / seconds, 4) if seconds else None,
        "load_seconds": _rounded(observation.load.wall),
        "load_cpu_seconds": _rounded(observation.load.cpu),
        "peak_mb": round(observation.peak_megabytes),
    }


def _ratios(scores: Sequence[FileScore], name: str) -> list[Ratio]:
    return [score.ratios[name] for score in scores if name in score.ratios]


def _percent(scores: Sequence[FileScore], name: str) -> float | None:
    return _rounded(total(_ratios(scores, name)).percent)


def _parts(scores: Sequence[FileScore], name: str, parts: Sequence[str]) -> dict[str, float | None] | None:
    found = {part: _percent(scores, f"{name}.{part}") for part in parts}
    return None if all(percent is None for percent in found.values()) else found


def _boundary(scores: Sequence[FileScore], name: str) -> dict[str, float | None] | None:
    found = _parts(scores, name, [*(f"within_{tolerance}" for tolerance in TOLERANCES_MS), "matched"])
    deviations = [deviation for score in scores for deviation in score.deviations.get(name, ())]
    return None if found is None else {**found, "median_ms": _rounded(median_ms(deviations))}


def _by_language(scores: Sequence[FileScore]) -> dict[str, float | None] | None:
    """Return the word error rate of each language of a mixed set; None for a set in one language."""
    languages = sorted({score.language for score in scores if score.language and "wer" in score.ratios})
    if len(languages) < 2:  # noqa: PLR2004 one language is no mixture
        return None
    return {
        language: _percent([score for score in scores if score.language == language], "wer") for language in languages
    }


def _hallucinated(scores: Sequence[FileScore]) -> int | None:
    counts = [score.invented_words for score in scores if score.invented_words is not None]
    return sum(counts) if counts else None


def _as_ratio(is_right: bool | None) -> Ratio | None:
    return None if is_right is None else Ratio(is_right, 1)


def _counted(ratios: Sequence[Ratio | None]) -> str | None:
    """Write `3 of 4`; None where there is nothing to count."""
    found = total([ratio for ratio in ratios if ratio])
    return f"{found.part:.0f} of {found.whole:.0f}" if found.whole else None


def _intervals(scores: Sequence[FileScore]) -> Mapping[str, list[float]]:
    found = {name: confidence_interval(_ratios(scores, name)) for name in WITH_INTERVAL}
    return {name: [round(bound, DIGITS) for bound in interval] for name, interval in found.items() if interval}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
