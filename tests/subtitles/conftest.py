"""Speech to cut into cues: plain sentences with even timing, and arbitrary words."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from wortlaut.subtitles.presets import PRESETS
from wortlaut.transcript import Segment, Transcript, Word

VOCABULARY = """
a the of and to in we you it is not but or for with on Anna Smith Berlin Dr. Mr. 3 million 1990, years. conversation,
house, tomorrow. really? extraordinarily straightforward! 'quoted' (aside) well-known don't
"""
WORDS = VOCABULARY.split()


def _said(text, *, start=0.0, language="en", speaker=None, chars_per_second=15.0, gap=0.1):
    """Time the words of a text evenly; every word but the first has its leading space."""
    words, at = [], start
    for index, token in enumerate(text.split()):
        end = at + len(token) / chars_per_second
        words.append(Word((" " if index else "") + token, at, end, None, speaker))
        at = end + gap
    return Segment(tuple(words), language)


@pytest.fixture(scope="session")
def said():
    return _said


@pytest.fixture(scope="session")
def transcript_of():
    def make(*segments):
        return Transcript(segments, (), segments[0].language, segments[-1].end + 5)

    return make


@st.composite
def _speech(draw, *, seconds_per_character, gaps, pause=0.0):
    """Words of a few speakers whose pace and gaps are drawn from what is given; at least `pause` between segments."""
    at, segments = draw(st.sampled_from([0.0, 3599.5])), []
    for _ in range(draw(st.integers(1, 5))):
        speaker = draw(st.sampled_from([None, "A", "B"]))
        words = []
        for index in range(draw(st.integers(1, 12))):
            text = draw(st.sampled_from(WORDS))
            end = at + len(text) * draw(seconds_per_character)
            words.append(Word((" " if index else "") + text, at, end, None, speaker))
            at = end + draw(gaps)
        segments.append(Segment(tuple(words), "en"))
        at = max(at, end + pause)
    return Transcript(tuple(segments), (), "en", at)


@pytest.fixture(scope="session")
def any_speech():
    """Speech of any pace, also too fast to be read and without pauses."""
    return _speech(
        seconds_per_character=st.floats(0.001, 0.5), gaps=st.sampled_from([0.0, 0.0, 0.02, 0.1, 0.4, 1.0, 3.0])
    )


@pytest.fixture(scope="session")
def slow_speech():
    """Speech slow enough for every preset's reading speed, and after each segment time to show its shortest cue."""
    return _speech(
        seconds_per_character=st.floats(0.1, 0.2),
        gaps=st.sampled_from([0.1, 0.25, 0.5]),
        pause=max(rules.min_duration + rules.min_gap for rules in PRESETS.values()),
    )
