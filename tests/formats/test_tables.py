"""Plain text, tables of segments and RTTM."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyannote.core import Segment as Span
from pyannote.database.util import load_rttm

from wortlaut.formats import FORMATS, RenderOptions
from wortlaut.transcript import Transcript, Turn


def read_tsv(content):
    rows = csv.reader(io.StringIO(content.decode(), newline=""), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    return list(rows)


def read_rttm(content, folder):
    path = folder / "turns.rttm"
    path.write_bytes(content)
    return load_rttm(path)


def letters(text):
    return [character for character in text if character.isalnum()]


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_tsv_has_a_row_a_segment(transcripts, data):
    transcript = data.draw(transcripts)
    header, *rows = read_tsv(FORMATS["tsv"].render(transcript))
    assert header == ["start", "end", "text"]
    for (start, end, text), segment in zip(rows, transcript.segments, strict=True):
        assert abs(int(start) - segment.start * 1000) <= 0.5001
        assert abs(int(end) - segment.end * 1000) <= 0.5001
        assert letters(text) == letters(segment.text)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_audacity_has_a_label_a_segment(transcripts, data):
    transcript = data.draw(transcripts)
    rows = read_tsv(FORMATS["aud"].render(transcript))
    for (start, end, text), segment in zip(rows, transcript.segments, strict=True):
        assert float(start) == pytest.approx(segment.start, abs=0.000501)
        assert float(end) == pytest.approx(segment.end, abs=0.000501)
        assert letters(text) == letters((segment.speaker or "") + segment.text)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_txt_has_a_line_a_segment(transcripts, data):
    transcript = data.draw(transcripts)
    lines = FORMATS["txt"].render(transcript).decode().split("\n")
    assert lines.pop() == ""
    for line, segment in zip(lines, transcript.segments, strict=True):
        assert letters(line) == letters((segment.speaker or "") + segment.text)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_rttm_has_ten_fields_a_turn(transcripts, data):
    transcript = data.draw(transcripts)
    lines = FORMATS["rttm"].render(transcript).decode().splitlines()
    for line, turn in zip(lines, transcript.turns, strict=True):
        kind, _, channel, start, duration, *_, speaker, _, _ = line.split()
        assert (kind, channel) == ("SPEAKER", "1")
        assert len(line.split()) == 10
        assert float(start) == pytest.approx(turn.start, abs=0.000501)
        assert float(duration) > 0
        assert float(start) + float(duration) == pytest.approx(turn.end, abs=0.0015)
        assert letters(speaker) == letters(turn.speaker) or speaker == "<NA>"


def test_pyannote_reads_rttm(conversation, tmp_path):
    content = FORMATS["rttm"].render(conversation, RenderOptions(recording="my talk.mp3"))
    annotation = read_rttm(content, tmp_path)["my_talk.mp3"]
    assert [
        (span.start, pytest.approx(span.end), label) for span, _, label in annotation.itertracks(yield_label=True)
    ] == [
        (0.4, 2.1, "SPEAKER_00"),
        (2.0, 2.5, "SPEAKER_01"),
        (3660.9, 3662.1, "SPEAKER_01"),
    ]
    assert annotation.get_overlap().duration() == pytest.approx(0.1)
    assert Span(2.0, 2.1) in annotation.get_overlap().support()


def test_a_turn_without_a_usable_name_keeps_its_ten_fields():
    nameless = Transcript((), (Turn(0.0, 1.0, "\n"),), "en", 2.0)
    assert FORMATS["rttm"].render(nameless) == b"SPEAKER recording 1 0.000 1.000 <NA> <NA> <NA> <NA> <NA>\n"


def test_labels_can_be_left_out(conversation):
    options = RenderOptions(speaker_labels=False)
    assert b"SPEAKER" not in FORMATS["txt"].render(conversation, options)
    assert b"SPEAKER" not in FORMATS["aud"].render(conversation, options)


def test_silence(silence):
    assert FORMATS["txt"].render(silence) == b""
    assert FORMATS["aud"].render(silence) == b""
    assert FORMATS["rttm"].render(silence) == b""
    assert FORMATS["tsv"].render(silence) == b"start\tend\ttext\n"
