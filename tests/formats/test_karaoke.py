"""ASS and LRC, read back by pysubs2 and a strict parser."""

from __future__ import annotations

import itertools
import re

import pysubs2
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wortlaut.formats import FORMATS, RenderOptions
from wortlaut.transcript import Segment, Transcript, Turn, Word

HUNDRED_HOURS = 360_000
"""Seconds: pysubs2 reads no more than two digits of hours."""


def letters(text):
    return [character for character in text if character.isalnum()]


def read_ass(content):
    return pysubs2.SSAFile.from_string(content.decode(), format_="ass")


def has_text(segment):
    return bool(re.sub(r"[\s\ufeff\x00-\x1f\x7f-\x9f\u2028\u2029]", "", segment.text))


def test_pysubs2_reads_speakers_as_styles(conversation):
    script = read_ass(FORMATS["ass"].render(conversation, RenderOptions(recording="talk.mp3")))
    assert script.info["Title"] == "talk.mp3"
    assert list(script.styles) == ["Default", "SPEAKER_00", "SPEAKER_01"]
    assert len({str(style.primarycolor) for style in script.styles.values()}) == 3
    assert [(each.start, each.end, each.style, each.name, each.plaintext) for each in script] == [
        (500, 2000, "SPEAKER_00", "SPEAKER_00", "Guten Tag, R&D <live>."),
        (3_661_000, 3_662_060, "SPEAKER_01", "SPEAKER_01", "3 Äpfel!"),
    ]


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_karaoke_times_add_up_to_the_words_times(transcripts, data):
    transcript = data.draw(transcripts)
    assume(transcript.duration < HUNDRED_HOURS)
    events = list(read_ass(FORMATS["ass"].render(transcript)))
    segments = [each for each in transcript.segments if has_text(each)]
    for event, segment in zip(events, segments, strict=True):
        assert letters(event.plaintext) == letters(segment.text)
        sung = sum(int(centis) for centis in re.findall(r"\{\\k(\d+)\}", event.text)) * 10
        assert event.start + sung == pytest.approx(segment.end * 1000, abs=60)
        assert re.sub(r"\{\\k\d+\}", "", event.text).count("{") == 0


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_ass_events_last_and_never_overlap(transcripts, data):
    transcript = data.draw(transcripts)
    assume(transcript.duration < HUNDRED_HOURS)
    events = list(read_ass(FORMATS["ass"].render(transcript)))
    assert all(event.start < event.end for event in events)
    assert all(this.end <= following.start for this, following in itertools.pairwise(events))


def test_names_cannot_break_a_style_line():
    named = Transcript(
        (Segment((Word("x", 0, 1, None, "Doe, {J}"),), "en"), Segment((Word("y", 1, 2, None, "Default"),), "en")),
        (Turn(0, 1, "Doe, {J}"),),
        "en",
        2,
    )
    script = read_ass(FORMATS["ass"].render(named))
    assert list(script.styles) == ["Default", "Default 2", "Doe; (J)"]
    assert [event.style for event in script] == ["Doe; (J)", "Default 2"]


def test_a_preset_breaks_lines_within_karaoke():
    words = tuple(Word(f" word{i:02d}", i / 4, i / 4 + 0.25) for i in range(12))
    (event,) = read_ass(
        FORMATS["ass"].render(Transcript((Segment(words, "en"),), (), "en", 3), RenderOptions(preset="netflix"))
    )
    assert event.plaintext.split("\n") == [
        "word00 word01 word02 word03 word04 word05",
        "word06 word07 word08 word09 word10 word11",
    ]


LINE = re.compile(r"\[(\d{2,}):([0-5]\d)\.(\d\d)\](.*)")


def read_lrc(content):
    title, length, *lines = content.decode().splitlines()
    assert title.startswith("[ti:")
    assert re.fullmatch(r"\[length:\d{2,}:\d\d\.\d\d\]", length)
    matches = [LINE.fullmatch(line) for line in lines]
    return [(int(m[1]) * 60 + int(m[2]) + int(m[3]) / 100, m[4]) for m in matches]


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_lrc_keeps_text_and_starts(transcripts, data):
    transcript = data.draw(transcripts)
    lines = read_lrc(FORMATS["lrc"].render(transcript))
    segments = [each for each in transcript.segments if has_text(each)]
    for (start, text), segment in zip(lines, segments, strict=True):
        assert start == pytest.approx(segment.start, abs=0.00501)
        assert letters(text) == letters((segment.speaker or "") + segment.text)
        assert not LINE.match(text)


def test_lrc_with_word_times(conversation):
    options = RenderOptions(recording="talk.mp3", word_times=True, speaker_labels=False)
    assert FORMATS["lrc"].render(conversation, options).decode().splitlines() == [
        "[ti:talk.mp3]",
        "[length:61:40.00]",
        "[00:00.50]<00:00.50>Guten <00:00.90>Tag, <00:01.30>R&D <00:01.70><live>. <00:02.00>",
        "[61:01.00]<61:01.00>3 <61:01.25>Äpfel! <61:02.06>",
    ]


def test_silence(silence):
    assert list(read_ass(FORMATS["ass"].render(silence))) == []
    assert read_lrc(FORMATS["lrc"].render(silence)) == []
