"""whisperX's `SubtitlesProcessor`: subtitles of one short line each."""  # noqa: N999 the name is whisperX's

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wortlaut.compat.results import transcript_of
from wortlaut.compat.whisperx.utils import format_timestamp
from wortlaut.subtitles.cue import cues_of_segments
from wortlaut.subtitles.engine import build_cues
from wortlaut.subtitles.rules import Rules

SHORT_LINE_LANGUAGES = frozenset(
    {*("am", "ar", "fa", "hi", "ja", "ka", "km", "kn", "ko", "lo"), *("ml", "mr", "my", "ne", "ta", "te", "th", "ti")}
    | {"ur", "zh"}
)
SHORT_LINE = 30
"""Characters in a line of these languages."""


class SubtitlesProcessor:
    """Cuts segments into subtitles of one line, by Wortlaut's subtitle engine.

    `min_char_length_splitter` is taken and not used: the engine weighs where to cut by itself.
    """

    def __init__(
        self,
        segments: Sequence[Mapping[str, Any]],
        lang: str,
        max_line_length: int = 45,
        min_char_length_splitter: int = 30,
        is_vtt: bool = False,
    ) -> None:
        self.segments = segments
        self.lang = lang
        self.max_line_length = SHORT_LINE if lang in SHORT_LINE_LANGUAGES else max_line_length
        self.min_char_length_splitter = min_char_length_splitter
        self.is_vtt = is_vtt

    def process_segments(self, advanced_splitting: bool = True) -> list[dict[str, Any]]:
        """Return the subtitles: start, end, text. Without advanced splitting each segment is one."""
        transcript = transcript_of({"segments": list(self.segments), "language": self.lang})
        cues = build_cues(transcript, self._rules()) if advanced_splitting else cues_of_segments(transcript.segments)
        return [{"start": cue.start, "end": cue.end, "text": cue.text} for cue in cues]

    def save(self, filename: str | Path = "subtitles.srt", advanced_splitting: bool = True) -> int:
        """Write a SubRip or WebVTT file and return the number of subtitles."""
        subtitles = self.process_segments(advanced_splitting)
        blocks = [f"{number}\n{self._times(each)}\n{each['text']}\n" for number, each in enumerate(subtitles, 1)]
        header = ["WEBVTT\n"] if self.is_vtt else []
        Path(filename).write_bytes("".join(f"{block}\n" for block in [*header, *blocks]).encode())
        return len(subtitles)

    def _times(self, subtitle: Mapping[str, Any]) -> str:
        marker = "." if self.is_vtt else ","
        return " --> ".join(
            format_timestamp(subtitle[edge], always_include_hours=True, decimal_marker=marker)
            for edge in ("start", "end")
        )

    def _rules(self) -> Rules:
        """One line, shown while it is spoken; pauses up to 0.8 s are bridged as in whisperX."""
        return Rules(
            max_line_chars=self.max_line_length,
            max_wide_line_chars=self.max_line_length,
            max_lines=1,
            max_chars_per_second=None,
            max_wide_chars_per_second=None,
            min_duration=0.001,
            max_duration=30.0,
            min_gap=0.0,
            chain_gap=0.8,
            max_hold=0.0,
            max_lead=0.0,
        )
