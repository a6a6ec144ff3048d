"""STM, the references of NIST's scoring tools: `<file> <channel> <speaker> <start> <end> <label> text`.

SCTK, doc/infmts.htm. Braces would mean alternatives there and become round brackets.
"""

from __future__ import annotations

from wortlaut.formats.plain_text import one_line, one_token, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Segment, Transcript

CHANNEL = "1"
LABEL = "<o>"  # "overall": every segment counts
UNKNOWN_SPEAKER = "unknown"

_BRACES = str.maketrans("{}", "()")


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    recording = one_token(options.recording, missing="recording")
    return text_file([_line(segment, recording) for segment in transcript.segments])


def _line(segment: Segment, recording: str) -> str:
    speaker = one_token(segment.speaker or "", missing=UNKNOWN_SPEAKER)
    start_ms = round(segment.start * 1000)
    end_ms = max(round(segment.end * 1000), start_ms + 1)
    text = one_line(segment.text).translate(_BRACES)
    return f"{recording} {CHANNEL} {speaker} {start_ms / 1000:.3f} {end_ms / 1000:.3f} {LABEL} {text}"
