"""JSON: everything that is known, in a superset of whisperX's layout.

Every key is always there, null where nothing is known. `word` is whisperX's key and has no spaces around it;
`text` is the same word with its leading space, so that joined words are the text. Times are rounded to
microseconds, which is finer than a sample.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence

from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.notice import Notice
from wortlaut.transcript import Segment, Transcript, Turn, Word

Plain = dict[str, object]

DIGITS = 6
"""After the decimal point."""


def render(transcript: Transcript, _options: RenderOptions = DEFAULTS, /) -> bytes:
    text = json.dumps(document(transcript), ensure_ascii=False, allow_nan=False)
    # Half of a UTF-16 pair cannot be UTF-8; backslashreplace writes it as \udXXX, which is JSON's own escape.
    return text.encode(errors="backslashreplace")


def document(transcript: Transcript) -> Plain:
    """Return the JSON document as plain dicts, lists, strings, numbers and None."""
    return {
        "segments": [_segment(each) for each in transcript.segments],
        "word_segments": [_word(each) for each in transcript.words],
        "language": transcript.language,
        "duration": _number(transcript.duration),
        "text": transcript.text,
        "speakers": list(transcript.speakers),
        "turns": [_turn(each) for each in transcript.turns],
        "warnings": [_notice(each) for each in transcript.warnings],
        "provenance": _plain(transcript.provenance),
    }


def _segment(segment: Segment) -> Plain:
    return {
        "start": _number(segment.start),
        "end": _number(segment.end),
        "text": segment.text,
        "speaker": segment.speaker,
        "words": [_word(each) for each in segment.words],
        "avg_logprob": _number(segment.avg_logprob),
        "language": segment.language,
    }


def _word(word: Word) -> Plain:
    return {
        "word": word.text.strip(),
        "start": _number(word.start),
        "end": _number(word.end),
        "score": _number(word.confidence),
        "speaker": word.speaker,
        "source": word.source,
        "text": word.text,
    }


def _turn(turn: Turn) -> Plain:
    return {"start": _number(turn.start), "end": _number(turn.end), "speaker": turn.speaker}


def _notice(notice: Notice) -> Plain:
    return {
        "code": notice.code,
        "message": notice.message,
        "start": _number(notice.start),
        "end": _number(notice.end),
    }


def _number(value: float | None) -> float | None:
    """Round; JSON has no NaN and no infinity."""
    return round(float(value), DIGITS) if value is not None and math.isfinite(value) else None


def _plain(value: object) -> object:
    """Turn what provenance may hold into what JSON can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value)
