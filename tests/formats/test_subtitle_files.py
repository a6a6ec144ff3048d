"""SubRip and WebVTT, read back by pysubs2, webvtt-py and a strict parser."""

from __future__ import annotations

import html
import io
import itertools
import re

import pysubs2
import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.formats import FORMATS, RenderOptions
from wortlaut.transcript import Segment, Transcript, Word

TIME = r"(?:(\d{2,}):)?(\d\d):(\d\d)[.,](\d{3})"


def milliseconds(text):
    hours, minutes, seconds, millis = (int(part or 0) for part in re.fullmatch(TIME, text).groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis


def parse_srt(content):
    blocks = content.decode().split("\n\n")
    assert blocks.pop() == ""
    cues = []
    for number, block in enumerate(blocks, 1):
        index, times, *lines = block.split("\n")
        assert index == str(number)
        start, end = times.split(" --> ")
        assert lines
        assert all(lines)
        cues.append((milliseconds(start), milliseconds(end), lines))
    return cues


def parse_vtt(content):
    header, *blocks = content.decode().split("\n\n")
    assert header == "WEBVTT"
    assert blocks.pop() in ("", "\n")
    cues = []
    for block in blocks:
        times, *lines = block.split("\n")
        start, end = times.split(" --> ")
        cues.append((milliseconds(start), milliseconds(end), [html.unescape(line) for line in lines]))
    return cues


def letters(text):
    return [character for character in text if character.isalnum()]


def one_line(text):
    text = re.sub(r"[\ud800-\udfff\ufffe\uffff]", "\ufffd", text.replace("\ufeff", ""))
    return re.sub(r" *[\x00-\x1f\x7f-\x9f\u2028\u2029][ \x00-\x1f\x7f-\x9f\u2028\u2029]*", " ", text).strip()


def label(segment):
    return f"[{one_line(segment.speaker)}]: " if segment.speaker else ""


def shown(transcript):
    return [each for each in transcript.segments if one_line(each.text)]


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_srt_keeps_text_and_times(transcripts, data):
    transcript = data.draw(transcripts)
    cues = parse_srt(FORMATS["srt"].render(transcript))
    segments = shown(transcript)
    assert len(cues) == len(segments)
    for (start, end, lines), segment in zip(cues, segments, strict=True):
        assert letters("\n".join(lines)) == letters(label(segment) + segment.text)
        assert abs(start - segment.start * 1000) <= 12
        assert abs(end - segment.end * 1000) <= 12


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_vtt_keeps_text_exactly(transcripts, data):
    transcript = data.draw(transcripts)
    cues = parse_vtt(FORMATS["vtt"].render(transcript))
    assert [lines for _, _, lines in cues] == [[label(each) + one_line(each.text)] for each in shown(transcript)]


@pytest.mark.parametrize("name", ["srt", "vtt"])
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_cues_last_and_never_overlap(name, transcripts, data):
    options = RenderOptions(highlight_words=data.draw(st.booleans()))
    content = FORMATS[name].render(data.draw(transcripts), options)
    cues = parse_srt(content) if name == "srt" else parse_vtt(content)
    assert all(start < end for start, end, _ in cues)
    assert all(this[1] <= following[0] for this, following in itertools.pairwise(cues))


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_pysubs2_and_webvtt_find_every_cue(transcripts, data):
    transcript = data.draw(transcripts)
    srt = pysubs2.SSAFile.from_string(FORMATS["srt"].render(transcript).decode(), format_="srt")
    hundred_hours_ms = 100 * 3_600_000  # pysubs2 knows two digits of hours
    assert [(each.start, each.end) for each in srt] == [
        (start % hundred_hours_ms, end % hundred_hours_ms)
        for start, end, _ in parse_srt(FORMATS["srt"].render(transcript))
    ]
    vtt = webvtt.from_buffer(io.BytesIO(FORMATS["vtt"].render(transcript)))
    assert len(vtt) == len(srt)


def test_pysubs2_reads_srt(conversation):
    subtitles = pysubs2.SSAFile.from_string(FORMATS["srt"].render(conversation).decode(), format_="srt")
    assert [(each.start, each.end, each.plaintext) for each in subtitles] == [
        (500, 2004, "[SPEAKER_00]: Guten Tag, R&D ‹live>."),
        (3_661_000, 3_662_062, "[SPEAKER_01]: 3 Äpfel!"),
    ]


def test_webvtt_reads_vtt(conversation):
    captions = webvtt.from_buffer(io.BytesIO(FORMATS["vtt"].render(conversation)))
    assert [(each.start, each.end, html.unescape(each.text)) for each in captions] == [
        ("00:00:00.500", "00:00:02.004", "[SPEAKER_00]: Guten Tag, R&D <live>."),
        ("01:01:01.000", "01:01:02.062", "[SPEAKER_01]: 3 Äpfel!"),
    ]


def test_silence_is_a_valid_file(silence):
    assert FORMATS["srt"].render(silence) == b""
    assert FORMATS["vtt"].render(silence) == b"WEBVTT\n\n"


def test_more_than_a_hundred_hours():
    late = Transcript((Segment((Word("late", 363_599.9996, 363_600.5),), "en"),), (), "en", 363_601)
    assert b"101:00:00,000 --> 101:00:00,500\nlate\n" in FORMATS["srt"].render(late)
    assert b"101:00:00.000 --> 101:00:00.500\nlate\n" in FORMATS["vtt"].render(late)


def test_highlighting_underlines_each_word_in_its_time_and_none_in_pauses(conversation):
    cues = parse_srt(FORMATS["srt"].render(conversation, RenderOptions(highlight_words=True, speaker_labels=False)))
    assert [(start, end, lines[0]) for start, end, lines in cues[:4]] == [
        (500, 820, "<u>Guten</u> Tag, R&D ‹live>."),
        (820, 900, "Guten Tag, R&D ‹live>."),
        (900, 1250, "Guten <u>Tag,</u> R&D ‹live>."),
        (1250, 1300, "Guten Tag, R&D ‹live>."),
    ]
    assert cues[5][2] == ["Guten Tag, R&D <u>‹live>.</u>"]


def test_a_held_cue_ends_without_a_highlight():
    short = Transcript((Segment((Word("Yes.", 1.0, 1.25),), "en"),), (), "en", 5.0)
    cues = parse_srt(FORMATS["srt"].render(short, RenderOptions(highlight_words=True, preset="netflix")))
    assert cues == [(1000, 1250, ["<u>Yes.</u>"]), (1250, 1833, ["Yes."])]


def test_people_who_talk_at_once_overlap_on_the_screen():
    first, second = (Segment((Word(name, start, start + 2, None, name),), "en") for name, start in (("A", 1), ("B", 2)))
    cues = parse_srt(FORMATS["srt"].render(Transcript((first, second), (), "en", 5.0)))
    assert [(start, end) for start, end, _ in cues] == [(1000, 3000), (2000, 4000)]


def test_a_preset_keeps_speakers_in_voice_tags(conversation):
    captions = webvtt.from_buffer(io.BytesIO(FORMATS["vtt"].render(conversation, RenderOptions(preset="netflix"))))
    assert [(each.voice, html.unescape(each.text)) for each in captions] == [
        ("SPEAKER_00", "Guten Tag, R&D <live>."),
        ("SPEAKER_01", "3 Äpfel!"),
    ]


def test_line_rules_wrap_and_split(conversation):
    options = RenderOptions(max_line_width=10, max_line_count=1, speaker_labels=False)
    cues = parse_srt(FORMATS["srt"].render(conversation, options))
    assert [(start, end, lines) for start, end, lines in cues] == [
        (500, 1250, ["Guten Tag,"]),
        (1300, 1700, ["R&D"]),
        (1700, 2004, ["‹live>."]),
        (3_661_000, 3_662_062, ["3 Äpfel!"]),
    ]


def test_width_alone_keeps_segments_and_breaks_lines(conversation):
    cues = parse_srt(FORMATS["srt"].render(conversation, RenderOptions(max_line_width=14, speaker_labels=False)))
    assert [lines for _, _, lines in cues] == [["Guten Tag, R&D", "‹live>."], ["3 Äpfel!"]]


@settings(deadline=None, max_examples=30)
@given(data=st.data(), width=st.integers(1, 30), count=st.none() | st.integers(1, 3))
def test_line_rules_lose_no_text_and_keep_the_count(transcripts, data, width, count):
    transcript = data.draw(transcripts)
    options = RenderOptions(max_line_width=width, max_line_count=count, speaker_labels=False)
    cues = parse_vtt(FORMATS["vtt"].render(transcript, options))
    assert letters("".join("".join(lines) for *_, lines in cues)) == letters(transcript.text)
    assert all(len(lines) <= (count or len(lines)) for *_, lines in cues)
    longest_word = max((len(each.text) for each in transcript.words), default=0)
    assert all(len(line) <= max(width, longest_word) for *_, lines in cues for line in lines)
