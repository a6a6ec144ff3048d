"""CTM, the word times of NIST's scoring tools: `<file> <channel> <start> <duration> <word> [<confidence>]`.

SCTK, doc/infmts.htm. Fields are separated by spaces, so a word has none; speakers have no place.
"""

from __future__ import annotations

from wortlaut.formats.plain_text import one_token, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Transcript, Word

CHANNEL = "1"
MISSING = "<unk>"


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    recording = one_token(options.recording, missing="recording")
    return text_file([_line(word, recording) for word in transcript.words])


def _line(word: Word, recording: str) -> str:
    start_ms = round(word.start * 1000)
    duration_ms = max(round(word.end * 1000) - start_ms, 1)
    times = f"{start_ms / 1000:.3f} {duration_ms / 1000:.3f}"
    confidence = "" if word.confidence is None else f" {word.confidence:.3f}"
    return f"{recording} {CHANNEL} {times} {one_token(word.text, missing=MISSING)}{confidence}"
