"""Compare what was observed of one recording with the truth.

A recording that failed is scored as an empty transcript: all its words are deleted, all its speech is missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wortlaut.evaluation.attribution_errors import cpwer, heard_said, true_said, wder
from wortlaut.evaluation.boundaries import BoundaryErrors, boundary_errors
from wortlaut.evaluation.coverage import uncovered_speech
from wortlaut.evaluation.normalization import counts_characters, tokens
from wortlaut.evaluation.observing import CRASHED, Cost, Observation
from wortlaut.evaluation.ratio import Ratio
from wortlaut.evaluation.sets import Item
from wortlaut.evaluation.text_errors import text_errors
from wortlaut.evaluation.turns import turn_errors
from wortlaut.options import Options
from wortlaut.transcript import Transcript, Word

COLLARS = {"der_0": 0.0, "der_25": 0.25}
"""Unscored seconds on each side of a true boundary."""


@dataclass(frozen=True, slots=True)
class FileScore:
    """The figures of one recording. `ratios` holds what could be measured, by dotted name (`der_0_parts.missed`).

    `deviations` are signed seconds by `boundary` and `boundary_forced`. `is_refused_rightly` is None for recordings
    that are not broken. `invented_words` is None where somebody speaks.
    """

    name: str
    seconds: float
    language: str | None
    cost: Cost
    ratios: Mapping[str, Ratio] = field(default_factory=dict)
    deviations: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    invented_words: int | None = None
    is_refused_rightly: bool | None = None
    error: str = ""
    forced_error: str = ""
    text: str = ""


def score(item: Item, observation: Observation, options: Options) -> FileScore:
    """Score one recording. What `options` did not ask for (speakers, detecting the language) is not scored."""
    error = f"{observation.error}: {observation.message}" if observation.error else ""
    if item.is_broken:
        refused = observation.error not in ("", CRASHED)
        return FileScore(item.name, 0.0, None, observation.cost, is_refused_rightly=refused, error=error)
    transcript = observation.transcript or Transcript((), (), "und", item.duration)
    language = item.language or transcript.language
    boundaries = _boundaries(item, transcript.words, observation.forced)
    return FileScore(
        name=item.name,
        seconds=item.duration or transcript.duration,
        language=language,
        cost=observation.cost,
        ratios={
            **_text_ratios(item, transcript, language),
            **(_speaker_ratios(item, transcript, language) if options.speakers else {}),
            **(_language_ratio(item, transcript) if options.language is None else {}),
            **{f"{name}.{key}": ratio for name, errors in boundaries.items() for key, ratio in errors.ratios().items()},
            **_coverage_ratio(item, transcript.words),
        },
        deviations={name: errors.deviations for name, errors in boundaries.items()},
        invented_words=len(transcript.words) if item.is_speechless else None,
        error=error,
        forced_error=observation.forced_error,
        text=transcript.text,
    )


def _boundaries(item: Item, recognized: Sequence[Word], forced: Sequence[Word] | None) -> Mapping[str, BoundaryErrors]:
    if not item.words:
        return {}
    found = {"boundary": boundary_errors(item.words, recognized)}
    return found if forced is None else {**found, "boundary_forced": boundary_errors(item.words, forced)}


def _text_ratios(item: Item, transcript: Transcript, language: str) -> Mapping[str, Ratio]:
    if item.text is None or not item.counts_for_wer:
        return {}
    recognized = transcript.text.replace("\n", " ")
    errors = text_errors(tokens(item.text, language), tokens(recognized, language))
    name = "cer" if counts_characters(language) else "wer"
    return {
        name: errors.rate,
        f"{name}_parts.substitutions": Ratio(errors.substitutions, errors.length),
        f"{name}_parts.deletions": Ratio(errors.deletions, errors.length),
        f"{name}_parts.insertions": Ratio(errors.insertions, errors.length),
    }


def _speaker_ratios(item: Item, transcript: Transcript, language: str) -> Mapping[str, Ratio]:
    ratios: dict[str, Ratio] = {}
    if item.turns:
        ratios["speaker_count_right"] = Ratio(len({turn.speaker for turn in transcript.turns}) == item.speaker_count, 1)
        duration = item.duration or transcript.duration
        for name, collar in COLLARS.items():
            errors = turn_errors(item.turns, transcript.turns, duration=duration, collar=collar).ratios()
            ratios |= {name if key == "rate" else f"{name}_parts.{key}": ratio for key, ratio in errors.items()}
    if any(utterance.speaker for utterance in item.utterances) and not counts_characters(language):
        truth, heard = true_said(item.utterances, language), heard_said(transcript.segments, language)
        ratios |= {"cpwer": cpwer(truth, heard), "wder": wder(truth, heard)}
    return ratios


def _language_ratio(item: Item, transcript: Transcript) -> Mapping[str, Ratio]:
    return {"language_right": Ratio(transcript.language == item.language, 1)} if item.language else {}


def _coverage_ratio(item: Item, words: Sequence[Word]) -> Mapping[str, Ratio]:
    truth = item.words or item.turns
    return {"uncovered_speech": uncovered_speech(truth, words)} if truth else {}
