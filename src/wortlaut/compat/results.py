"""Transcripts as whisperX's plain dicts, and back.

whisperX leaves a key out where it knows nothing, and programs written for it ask whether the key is there. So
nothing here is None: words always have start, end and score, speakers are there once somebody asked who speaks.
What whisperX does not have (duration, turns, warnings ...) stands beside it under names of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from wortlaut.formats.read import read_json
from wortlaut.formats.whisperx_json import document
from wortlaut.transcript import Transcript

Plain = dict[str, Any]

UNKNOWN_SCORE = 0.0
"""The score of a word whose time was not measured."""


def plain_result(transcript: Transcript, *, has_characters: bool = False) -> Plain:
    """Return the result as whisperX's command line writes it; with `chars` for each segment if asked for."""
    result = document(transcript)
    segments = [plain_segment(each, has_characters=has_characters) for each in _records(result["segments"])]
    words = [word for segment in segments for word in segment["words"]]
    return {**result, "segments": segments, "word_segments": words}


def plain_segment(segment: Mapping[str, Any], *, has_characters: bool = False) -> Plain:
    """Return a segment of our JSON with the keys that whisperX would have."""
    words = [_word(each) for each in segment["words"]]
    known = {key: value for key, value in segment.items() if value is not None} | {"words": words}
    return known | {"chars": characters(segment)} if has_characters else known


def _word(word: Mapping[str, Any]) -> Plain:
    scored = dict(word) | ({"score": UNKNOWN_SCORE} if word["score"] is None else {})
    return {key: value for key, value in scored.items() if value is not None}


def characters(segment: Mapping[str, Any]) -> list[Plain]:
    """Return the characters of a segment; those of a word share its time evenly, spaces have none."""
    found: list[Plain] = []
    for word in segment["words"]:
        text: str = word["text"]
        found += [{"char": each} for each in text[: len(text) - len(text.lstrip())]] if found else []
        spoken = text.strip()
        step = (word["end"] - word["start"]) / max(len(spoken), 1)
        for index, each in enumerate(spoken):
            start = word["start"] + step * index
            score = UNKNOWN_SCORE if word["score"] is None else word["score"]
            found.append(
                {"char": each, "start": round(start, 3), "end": round(start + step, 3), "score": round(score, 3)}
            )
    return found


def render_json(result: Mapping[str, object]) -> bytes:
    """Write a result as whisperX does. Half of a UTF-16 pair cannot be UTF-8; JSON has an escape for it."""
    return json.dumps(result, ensure_ascii=False, default=float).encode(errors="backslashreplace")


def transcript_of(result: Mapping[str, object]) -> Transcript:
    """Read a result of whisperX's API, ours or the original's. Raises `TranscriptInvalid`."""
    return read_json(render_json({key: _known(result[key]) for key in ("segments", "language") if key in result}))


def _known(value: object) -> object:
    """Leave out what is None or NaN: pandas fills holes with it."""
    if isinstance(value, Mapping):
        return {key: _known(each) for key, each in value.items() if not _is_hole(each)}
    return [_known(each) for each in value] if isinstance(value, list | tuple) else value


def _is_hole(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _records(value: object) -> list[Plain]:
    assert isinstance(value, list)
    return value
