"""Violations, found in cues and in files."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.subtitles.checker import Violation, check
from wortlaut.subtitles.presets import PRESETS
from wortlaut.subtitles.subtitle_files import SubtitlesInvalid, read_subtitles

NETFLIX = PRESETS["netflix"]


def srt(*cues):
    return "\n".join(f"{n}\n{times}\n{text}\n" for n, (times, text) in enumerate(cues, 1)).encode()


def violations(*cues):
    return [(each.number, each.rule, round(each.actual, 3)) for each in check(read_subtitles(srt(*cues)), NETFLIX)]


def test_good_cues_break_nothing():
    assert (
        violations(
            ("00:00:01,000 --> 00:00:03,000", "Everything is fine here."),
            ("00:00:03,083 --> 00:00:05,000", "And here\nas well."),
        )
        == []
    )


@pytest.mark.parametrize(
    ("times", "text", "expected"),
    [
        ("00:00:01,000 --> 00:00:04,000", "", ("empty", 0)),
        ("00:00:01,000 --> 00:00:04,000", "a\nb\nc", ("too-many-lines", 3)),
        ("00:00:01,000 --> 00:00:04,000", "x" * 43, ("line-too-long", 43)),
        ("00:00:01,000 --> 00:00:07,000", "字" * 17, ("line-too-long", 17)),
        ("00:00:01,000 --> 00:00:04,000", "今日\n。明日", ("line-start", 2)),
        ("00:00:01,000 --> 00:00:01,800", "short", ("too-short", 0.8)),
        ("00:00:01,000 --> 00:00:08,500", "long", ("too-long", 7.5)),
        ("00:00:01,000 --> 00:00:02,000", "x" * 30, ("too-fast", 30.0)),
    ],
)
def test_a_cue_that_breaks_a_rule(times, text, expected):
    assert violations((times, text)) == [(1, *expected)]


def test_gaps_and_overlaps_are_charged_to_the_first_of_two():
    assert violations(
        ("00:00:01,000 --> 00:00:03,000", "one"),
        ("00:00:03,050 --> 00:00:05,000", "two"),
        ("00:00:04,900 --> 00:00:07,000", "three"),
    ) == [(1, "gap", 0.05), (2, "overlap", 0.1)]


def test_all_violations_of_a_cue_are_reported():
    text = "x" * 50 + "\ny\nz"
    assert [rule for _, rule, _ in violations(("00:00:01,000 --> 00:00:01,500", text))] == [
        "too-many-lines",
        "line-too-long",
        "too-short",
        "too-fast",
    ]


def test_messages_name_the_cue_the_value_and_the_limit():
    assert Violation(7, "line-too-long", 50, 42).message == "cue 7: a line of 50 characters, at most 42"
    assert Violation(2, "too-fast", 31.25, 20).message == "cue 2: 31.2 characters a second, at most 20.0"


def test_srt_with_other_line_ends_a_mark_and_tags():
    content = b"\xef\xbb\xbf1\r\n0:00:01.5 --> 00:00:02,500 X1:0\r\n<i>one</i> {\\an8}two\r\n3 < 4\r\n\r\n\r\n"
    (cue,) = read_subtitles(content)
    assert (cue.start, cue.end, cue.lines) == (1.5, 2.5, ("one two", "3 < 4"))


def test_vtt_with_notes_identifiers_voices_and_entities():
    content = (
        "WEBVTT - title\n\nNOTE\nnothing --> here\n\nSTYLE\n::cue {}\n\nintro\n00:01.000 --> 01:00:02.000 align:left\n"
        "<v Anna>R&amp;D &lt;3</v> <00:01.500><c.loud>now</c>\n"
    )
    (cue,) = read_subtitles(content.encode())
    assert (cue.start, cue.end, cue.lines) == (1.0, 3602.0, ("R&D <3 now",))
    assert [word.text for word in cue.words] == ["R&D", " <3", " now"]


@pytest.mark.parametrize("content", [b"no subtitles", b"\xff\xfe1\x00", b'{"segments": []}'])
def test_other_files_are_refused(content):
    with pytest.raises(SubtitlesInvalid):
        read_subtitles(content)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"WEBVTT\n"])
def test_empty_files_have_no_cues(content):
    assert read_subtitles(content) == []


@settings(deadline=None, max_examples=200)
@given(text=st.text(alphabet="1:0,.->\n ab<&;WEBVTT{\\}", max_size=80))
def test_anything_is_read_or_refused(text):
    try:
        cues = read_subtitles(text.encode())
    except SubtitlesInvalid:
        return
    assert isinstance(check(cues, NETFLIX), list)
