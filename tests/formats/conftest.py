"""Transcripts to render: a small conversation, an empty one, and arbitrary ones full of what breaks formats."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from wortlaut.notice import Notice
from wortlaut.transcript import Provenance, Segment, Transcript, Turn, Word

NASTY = [
    "-->",
    "---->",
    "<b>",
    "</u>",
    "<v Bob>",
    "<!--",
    "]]>",
    "&amp;",
    "&",
    "{\\an8}",
    "{\\k99}",
    "\\N",
    "a\nb",
    "a\r\n\r\n7\r\n00:00:00,000 --> 00:00:01,000\r\nb",
    "tab\ttab",
    "\ufeffmark",
    "\u202eright",
    "\u200fרי",
    "line\u2028line",
    "\x00null",
    "\x85next",
    "\x1cfile",
    "half\ud800pair",
    '"quoted""',
    "'single'",
    "=1+1",
    "a,b;c|d",
    "[00:01.00]",
    "#",
    "`*_~#[x](y)",
    "日本語",
    "😀",
]


def _texts():
    return st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=8)).filter(lambda text: text.strip())


@st.composite
def _words(draw, start, speaker):
    words = []
    for index in range(draw(st.integers(1, 4))):
        start += draw(st.sampled_from([0.0, 0.0004, 0.2, 1.0, 4.0]))
        end = start + draw(st.sampled_from([0.0002, 0.001, 0.0333, 0.25, 0.9]))
        space = draw(st.sampled_from(["", " "])) if index else ""
        confidence = draw(st.none() | st.floats(0, 1))
        source = draw(st.sampled_from(["aligned", "interpolated"]))
        words.append(Word(space + draw(_texts()), start, end, confidence, speaker, source))
        start = end
    return tuple(words)


@st.composite
def _transcripts(draw):
    at = draw(st.sampled_from([0.0, 59.9996, 3599.9999, 360_001.5]))
    names = [None, "SPEAKER_00", "SPEAKER_01", *draw(st.lists(_texts(), max_size=2))]
    segments, turns = [], []
    for _ in range(draw(st.integers(0, 4))):
        speaker = draw(st.sampled_from(names))
        words = draw(_words(at, speaker))
        segments.append(Segment(words, draw(st.sampled_from(["en", "ja"])), draw(st.none() | st.floats(-9, 0))))
        at = words[-1].end
        if speaker:
            turns.append(Turn(words[0].start, at, speaker))
    notices = tuple(Notice("odd", draw(_texts()), None, 1.5) for _ in range(draw(st.integers(0, 2))))
    return Transcript(tuple(segments), tuple(turns), "en", at + 1, warnings=notices)


@pytest.fixture(scope="session")
def transcripts():
    """A strategy; draw from it with `st.data()`."""
    return _transcripts()


@pytest.fixture
def conversation():
    """Two speakers; the second starts after more than an hour."""
    hello = (
        Word("Guten", 0.5, 0.82, 0.91, "SPEAKER_00"),
        Word(" Tag,", 0.9, 1.25, 0.8, "SPEAKER_00"),
        Word(" R&D", 1.3, 1.7, None, "SPEAKER_00", "interpolated"),
        Word(" <live>.", 1.7, 2.004, 0.5, "SPEAKER_00"),
    )
    answer = (Word("3", 3661.0, 3661.25, 0.99, "SPEAKER_01"), Word(" Äpfel!", 3661.25, 3662.0625, 0.7, "SPEAKER_01"))
    return Transcript(
        segments=(Segment(hello, "de", -0.25), Segment(answer, "de", -0.5)),
        turns=(Turn(0.4, 2.1, "SPEAKER_00"), Turn(2.0, 2.5, "SPEAKER_01"), Turn(3660.9, 3662.1, "SPEAKER_01")),
        language="de",
        duration=3700.0,
        provenance=Provenance(versions={"wortlaut": "0.1"}, options={"beam_size": 5, "temperatures": (0.0, 0.2)}),
        warnings=(Notice("window-dropped", "A window had no speech.", 10.0, 12.0),),
    )


@pytest.fixture
def silence():
    return Transcript(segments=(), turns=(), language="en", duration=12.5)


@pytest.fixture
def golden():
    return Path(__file__).parent / "golden"
