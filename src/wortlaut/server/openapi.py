"""What the OpenAPI document says about forms that routes read themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wortlaut.formats import FORMATS
from wortlaut.server.parameters import LARGEST

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "string", "enum": ["true", "false", "1", "0", "yes", "no", "on", "off", ""]}
"""What is empty counts as not given."""
_NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": LARGEST}

_SHARES = "Use what was computed for this recording before, and let later jobs use this."

_PROPERTIES: Mapping[str, Schema] = {
    "language": {**_TEXT, "description": "Code or English name; detected when left out."},
    "languages": {**_TEXT, "description": "Those that may occur, where the language is detected; comma-separated."},
    "model": {**_TEXT, "description": "One of GET /v1/models; the service's own when left out."},
    "task": {**_TEXT, "enum": ["transcribe", "translate"]},
    "speakers": {**_TEXT, "description": "auto, off, a number, or a range such as 2-4."},
    "diarize": {**_FLAG, "description": "Say who speaks. Also: enable_diarization."},
    "min_speakers": _NUMBER,
    "max_speakers": _NUMBER,
    "num_speakers": _NUMBER,
    "words": {**_FLAG, "description": "Measure a time for every word. Also: align, align_words."},
    "initial_prompt": {**_TEXT, "description": "Style and spelling to follow. Also: prompt."},
    "hotwords": {**_TEXT, "description": "Names and terms to expect."},
    "temperature": {"type": "number", "minimum": 0, "maximum": 1},
    "beam_size": _NUMBER,
}


_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "hint"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": {**_TEXT, "description": "What is wrong."},
        "code": {**_TEXT, "description": "The same for programs."},
        "hint": {**_TEXT, "description": "What to do about it."},
    },
}
_OPENAIS: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {"message": _TEXT, "type": _TEXT, "param": {"type": ["string", "null"]}, "code": _TEXT},
        }
    },
}

Responses = dict[int | str, dict[str, Any]]


def _failures(media_type: str, schema: Schema) -> Responses:
    content = {media_type: {"schema": schema}}
    return {
        "4XX": {"description": "The request cannot be done as it is.", "content": content},
        "5XX": {"description": "The service cannot do it now; Retry-After says when it may.", "content": content},
    }


PROBLEMS = _failures("application/problem+json", _PROBLEM)
OPENAI_ERRORS = _failures("application/json", _OPENAIS)


def answers(*media_types: str) -> Responses:
    """Describe what a route answers that is not, or not only, JSON."""
    content = {
        each: {"schema": {} if each.endswith(("json", "stream")) else _TEXT} for each in dict.fromkeys(media_types)
    }
    return {200: {"description": "As asked for.", "content": content}}


TRANSCRIPTS = answers(*(each.media_type for each in FORMATS.values()))


def form(file_field: str, *, also: Mapping[str, Schema] | None = None) -> Schema:
    """Describe a multipart form: the recording, the parameters of every route, and what is special to one."""
    properties: Schema = {file_field: {"type": "string", "format": "binary"}, **_PROPERTIES, **(also or {})}
    schema = {"type": "object", "required": [file_field], "properties": properties}
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {"requestBody": body}


SUBMISSION = form(
    "file",
    also={
        "url": {**_TEXT, "description": "Where the recording lies, instead of the file."},
        "upload": {**_TEXT, "description": "A complete upload's id (/v1/uploads), instead of the file."},
        "webhook": {**_TEXT, "description": "Where to POST that the job has ended."},
        "cache": {**_FLAG, "description": _SHARES},
    },
)
SUBMISSION["requestBody"]["content"]["multipart/form-data"]["schema"].pop("required")
CHANGES: Schema = {
    "requestBody": {
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {**_PROPERTIES, "cache": {**_FLAG, "description": _SHARES}}}
            }
        }
    }
}
CONDUCTOR = form("file")
OPENAI = form(
    "file",
    also={
        "response_format": {**_TEXT, "enum": ["json", "text", "srt", "vtt", "verbose_json", "diarized_json"]},
        "timestamp_granularities[]": {"type": "array", "items": {**_TEXT, "enum": ["word", "segment"]}},
        "stream": _FLAG,
    },
)
ASR = form("audio_file", also={"output": _TEXT, "encode": _FLAG})
DETECTION = form("audio_file", also={"encode": _FLAG})
PIECE: Schema = {
    "requestBody": {"content": {"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}
