"""JSON back to a transcript: Wortlaut's own in full, whisperX's as far as it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from wortlaut.errors import InputError
from wortlaut.formats.fields import Fields, NotAField
from wortlaut.formats.word_times import Untimed, place_words, split_words
from wortlaut.notice import Notice
from wortlaut.transcript import OUTCOMES, Decision, Provenance, Segment, Transcript, Trial, Turn, Word

UNDETERMINED = "und"
"""ISO 639-2 for a language nobody has named."""


class TranscriptInvalid(InputError):
    """The file is not a transcript that can be read."""

    code = "transcript-invalid"
    default_hint = "Give a JSON file written by wortlaut or whisperX."


def read_json(content: bytes) -> Transcript:
    """Read a JSON transcript.

    What `render` wrote comes back equal, times to the microsecond. In whisperX's files words may lack times:
    they are put between their neighbours and marked as interpolated; segments without words get their words
    from the text. Raises `TranscriptInvalid`.
    """
    try:
        return _transcript(Fields(_parse(content)))
    except NotAField as error:
        raise TranscriptInvalid(f"The file is not a transcript: {error}.") from error


def _parse(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:  # bad syntax or encoding, numbers of 5000 digits; deep nesting
        raise TranscriptInvalid(f"The file is not JSON: {error}.") from error


def _transcript(fields: Fields) -> Transcript:
    language = fields.text("language") or UNDETERMINED
    segments = tuple(segment for each in fields.records("segments") for segment in _segments(each, language))
    last = max((word.end for segment in segments for word in segment.words), default=0.0)
    return Transcript(
        segments=segments,
        turns=_turns(fields, segments),
        language=language,
        duration=last if (duration := fields.number("duration")) is None else duration,
        provenance=_provenance(fields.record("provenance")),
        warnings=tuple(_notice(each) for each in fields.records("warnings", missing=())),
    )


def _segments(fields: Fields, language: str) -> list[Segment]:
    """Return the segment, or nothing if it has no words."""
    words = _words(fields)
    language = fields.text("language") or language
    return [Segment(words, language, fields.number("avg_logprob"))] if words else []


def _words(fields: Fields) -> tuple[Word, ...]:
    speaker = fields.text("speaker")
    text = fields.text("text") or ""
    if not fields.has("words"):
        untimed = [Untimed(piece, speaker=speaker) for piece in split_words(text)]
    else:
        untimed = _with_spaces([_untimed(each, speaker) for each in fields.records("words")], text)
    if not untimed:
        return ()
    start, end = (fields.number(key) for key in ("start", "end"))
    return place_words(untimed, start, end)


def _untimed(fields: Fields, speaker: str | None) -> Untimed:
    source = fields.text("source") or "aligned"
    if source not in ("aligned", "interpolated"):
        raise NotAField(f"{source!r} is no source of a time")
    return Untimed(
        text=fields.required_text("word") if not fields.has("text") else fields.required_text("text"),
        start=fields.number("start"),
        end=fields.number("end"),
        confidence=fields.number("score"),
        speaker=fields.text("speaker") if "speaker" in fields.values else speaker,
        is_aligned=source == "aligned",
        has_spaces=fields.has("text"),
    )


def _with_spaces(words: list[Untimed], text: str) -> list[Untimed]:
    """Give whisperX's bare words back the spaces that stand before them in the segment's text."""
    spaced, at = [], 0
    for word in words:
        found = text.find(word.text, at)
        if word.has_spaces:
            spaced.append(word)
        elif found < 0 or text[at:found].strip():
            spaced.append(word.with_text(f" {word.text}"))
        else:
            spaced.append(word.with_text(text[at:found] + word.text))
            at = found + len(word.text)
    return spaced


def _turns(fields: Fields, segments: tuple[Segment, ...]) -> tuple[Turn, ...]:
    if fields.has("turns"):
        return tuple(_turn(each) for each in fields.records("turns"))
    return tuple(Turn(each.start, each.end, each.speaker) for each in segments if each.speaker)


def _turn(fields: Fields) -> Turn:
    return Turn(fields.required_number("start"), fields.required_number("end"), fields.required_text("speaker"))


def _notice(fields: Fields) -> Notice:
    return Notice(
        fields.required_text("code"), fields.required_text("message"), fields.number("start"), fields.number("end")
    )


def _provenance(fields: Fields) -> Provenance:
    models = fields.record("models")
    return Provenance(
        versions=fields.record("versions").texts(),
        models={role: models.record(role).texts() for role in models.values},
        options=_frozen_options(fields.record("options").values),
        devices=fields.record("devices").texts(),
        seconds=fields.record("seconds").numbers(),
        decisions=tuple(_decision(each) for each in fields.records("decisions", missing=())),
        reused=fields.record("reused").numbers(),
    )


def _decision(fields: Fields) -> Decision:
    outcome = fields.required_text("outcome")
    if outcome not in OUTCOMES:
        raise NotAField(f"{outcome!r} is no outcome of a decision")
    return Decision(
        fields.required_number("start"),
        fields.required_number("end"),
        outcome,
        _reasons(fields, "reasons"),
        tuple(_trial(each) for each in fields.records("trials", missing=())),
    )


def _trial(fields: Fields) -> Trial:
    return Trial(
        fields.required_text("way"),
        fields.text("text") or "",
        fields.required_number("avg_logprob"),
        fields.required_number("no_speech_prob"),
        fields.required_number("compression_ratio"),
        _reasons(fields, "doubts"),
    )


def _reasons(fields: Fields, key: str) -> tuple[str, ...]:
    reasons = fields.values.get(key) or ()
    if not isinstance(reasons, list | tuple) or not all(isinstance(each, str) for each in reasons):
        raise NotAField(f"{key!r} is to be a list of texts")
    return tuple(str(each) for each in reasons)


def _frozen_options(options: Mapping[str, object]) -> dict[str, object]:
    return {key: _frozen(value) for key, value in options.items()}


def _frozen(value: object) -> object:
    """Options are values: JSON's lists become tuples again."""
    if isinstance(value, dict):
        return _frozen_options(value)
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
