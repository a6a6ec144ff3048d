"""How a transcript is to be rendered, and the shape of every renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wortlaut.errors import InvalidOption
from wortlaut.subtitles.presets import get_preset
from wortlaut.transcript import Transcript


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What the formats may be asked for; each takes what concerns it.

    Without `preset` and line rules, a subtitle cue is a segment. `preset` names a set of rules of
    `wortlaut.subtitles` and excludes the two line rules, which are those of whisperX.
    """

    recording: str = "recording"  # the name of the file that was transcribed, for formats that mention it
    max_line_width: int | None = None  # characters a line
    max_line_count: int | None = None  # lines a cue
    highlight_words: bool = False  # underline each word while it is spoken
    word_times: bool = False  # a time before every word, where a format leaves the choice
    preset: str | None = None  # netflix, bbc, ...
    speaker_labels: bool = True  # name the speaker in front of the text
    condenses: bool = False  # with a preset, leave hesitations out where people speak too fast; tell the user of it

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.max_line_width, self.max_line_count) if limit is not None]
        if any(limit < 1 for limit in limits):
            raise InvalidOption("max_line_width and max_line_count are at least 1.")
        if self.preset is not None:
            get_preset(self.preset)
        if self.preset is not None and limits:
            raise InvalidOption("A preset has its own line rules.", hint="Give a preset or line rules, not both.")


DEFAULTS = RenderOptions()


class Render(Protocol):
    """Turn a transcript into a file's bytes. Raises nothing but `ExtraMissing`, for any transcript."""

    def __call__(self, transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes: ...
