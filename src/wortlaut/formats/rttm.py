"""RTTM, the Rich Transcription Time Marked format of NIST: who speaks when, one turn a line.

`SPEAKER <file> <channel> <start> <duration> <NA> <NA> <speaker> <NA> <NA>`, in seconds; RT-09 evaluation plan,
appendix A. Turns may overlap. The fields are separated by spaces, so names have none.
"""

from __future__ import annotations

from wortlaut.formats.plain_text import one_token, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Transcript, Turn

MISSING = "<NA>"
SHORTEST_MS = 1


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    recording = one_token(options.recording, missing="recording")
    return text_file([_line(turn, recording) for turn in transcript.turns])


def _line(turn: Turn, recording: str) -> str:
    start_ms = round(turn.start * 1000)
    duration_ms = max(round(turn.end * 1000) - start_ms, SHORTEST_MS)
    speaker = one_token(turn.speaker, missing=MISSING)
    times = f"{start_ms / 1000:.3f} {duration_ms / 1000:.3f}"
    return f"SPEAKER {recording} 1 {times} {MISSING} {MISSING} {speaker} {MISSING} {MISSING}"
