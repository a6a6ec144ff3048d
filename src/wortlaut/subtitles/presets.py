"""Published subtitle rules under the names of their publishers.

`netflix`: Timed Text Style Guide, General Requirements (42 characters, two lines, 5/6 s to 7 s, gap of two
frames), English (20 characters a second for adults; most other languages have 17), Simplified Chinese (16
characters a line, 9 a second) and Subtitle Timing Guidelines (half a second after the speech at most, gaps
below half a second closed, two frames of lead). Frames are those of 24 a second.

`bbc`: BBC Subtitle Guidelines. Teletext's 37 characters, two lines, 160 to 180 words a minute (0.33 s a word, at
6 characters with the space 18 a second), no gap shorter than a second, and at most 1.5 s before and after the
speech. They name no shortest and no longest duration: 1 s is common practice, 7 s is Netflix's.

`youtube`: YouTube publishes no limits, but accepts CEA-608, whose rows have 32 columns. Durations are those of
the Captioning Key of the Described and Captioned Media Program: 40 frames of 30 a second to 6 s.

`reels`: practice rather than publication, for upright video: one short line, as fast as it is spoken.

`whisperx`: whisperX's SubtitlesProcessor, one line of about 45 characters, without rules about time.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wortlaut.errors import InvalidOption
from wortlaut.subtitles.rules import Rules

TWO_FRAMES = 2 / 24

PRESETS: Mapping[str, Rules] = MappingProxyType(
    {
        "netflix": Rules(
            max_line_chars=42,
            max_lines=2,
            max_chars_per_second=20.0,
            min_duration=5 / 6,
            max_duration=7.0,
            min_gap=TWO_FRAMES,
            chain_gap=0.5,
            max_hold=0.5,
            max_lead=TWO_FRAMES,
        ),
        "bbc": Rules(
            max_line_chars=37,
            max_lines=2,
            max_chars_per_second=18.0,
            min_duration=1.0,
            max_duration=7.0,
            min_gap=0.0,
            chain_gap=1.0,
            max_hold=1.5,
            max_lead=1.5,
        ),
        "youtube": Rules(
            max_line_chars=32,
            max_lines=2,
            max_chars_per_second=20.0,
            min_duration=4 / 3,
            max_duration=6.0,
            min_gap=0.0,
            chain_gap=0.5,
            max_hold=1.0,
            max_lead=0.25,
        ),
        "reels": Rules(
            max_line_chars=20,
            max_lines=1,
            max_chars_per_second=None,
            min_duration=0.3,
            max_duration=3.0,
            min_gap=0.0,
            chain_gap=0.5,
            max_hold=0.3,
            max_lead=0.0,
            max_wide_line_chars=10,
            max_wide_chars_per_second=None,
        ),
        "whisperx": Rules(
            max_line_chars=45,
            max_lines=1,
            max_chars_per_second=None,
            min_duration=0.001,
            max_duration=30.0,
            min_gap=0.0,
            chain_gap=0.0,
            max_hold=0.0,
            max_lead=0.0,
            max_wide_line_chars=22,
            max_wide_chars_per_second=None,
        ),
    }
)


def get_preset(name: str) -> Rules:
    """Return the rules of that name. Raises `InvalidOption`."""
    if name not in PRESETS:
        raise InvalidOption(f"There is no preset {name!r}.", hint=f"The presets are {', '.join(PRESETS)}.")
    return PRESETS[name]
