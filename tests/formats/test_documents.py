"""Documents for people: Markdown, Word, HTML and CSV, read back by markdown-it, python-docx, lxml and csv."""

from __future__ import annotations

import csv
import io
import sys

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from markdown_it import MarkdownIt

from wortlaut.errors import ExtraMissing
from wortlaut.formats import FORMATS, RenderOptions
from wortlaut.formats.paragraphs import paragraphs_of
from wortlaut.transcript import Segment, Transcript, Word


def letters(text):
    return [character for character in text if character.isalnum()]


def said(start, end, speaker="A"):
    return Segment((Word("x", start, end, None, speaker),), "en")


def test_a_paragraph_ends_with_the_speaker_with_a_pause_and_after_a_minute():
    segments = [
        said(0, 1),
        said(1, 2),
        said(2, 3, "B"),
        said(3, 4),
        said(6, 7),
        *(said(at, at + 9) for at in range(7, 80, 9)),
    ]
    assert [(each.speaker, each.start) for each in paragraphs_of(segments)] == [
        ("A", 0),
        ("B", 2),
        ("A", 3),
        ("A", 6),
        ("A", 70),
    ]


def test_markdown_shows_the_text_and_nothing_else(conversation):
    tokens = MarkdownIt().parse(FORMATS["md"].render(conversation, RenderOptions(recording="a*b*.mp3")).decode())
    assert [each.type for each in tokens if each.nesting == 1] == ["heading_open", "paragraph_open", "paragraph_open"]
    shown = ["".join(part.content for part in each.children or []) for each in tokens if each.type == "inline"]
    assert shown == ["a*b*.mp3", "SPEAKER_00 00:00:00Guten Tag, R&D <live>.", "SPEAKER_01 01:01:013 Äpfel!"]


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_no_text_becomes_markdown(transcripts, data):
    transcript = data.draw(transcripts)
    tokens = MarkdownIt("commonmark").parse(FORMATS["md"].render(transcript).decode())
    blocks = [each.type for each in tokens if each.nesting == 1]
    assert blocks == ["heading_open"] + ["paragraph_open"] * len(paragraphs_of(transcript.segments))
    inline = [part for each in tokens for part in each.children or []]
    assert {part.type for part in inline} <= {
        "text",
        "text_special",
        "strong_open",
        "strong_close",
        "code_inline",
        "hardbreak",
    }
    shown = "".join(part.content for part in inline if part.type == "text")
    expected = "recording" + "".join((each.speaker or "") + each.text for each in paragraphs_of(transcript.segments))
    assert letters(shown) == letters(expected)


def word_paragraphs(content):
    return docx.Document(io.BytesIO(content)).paragraphs


def test_docx_has_a_title_and_named_paragraphs(conversation):
    title, first, second = word_paragraphs(FORMATS["docx"].render(conversation, RenderOptions(recording="talk.mp3")))
    assert (title.text, title.style.name) == ("talk.mp3", "Heading 1")
    assert first.text == "SPEAKER_00 [00:00:00]\nGuten Tag, R&D <live>."
    assert second.text == "SPEAKER_01 [01:01:01]\n3 Äpfel!"
    assert [run.text for run in first.runs if run.bold] == ["SPEAKER_00 "]


@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_docx_holds_any_text(transcripts, data):
    transcript = data.draw(transcripts)
    paragraphs = word_paragraphs(FORMATS["docx"].render(transcript))[1:]
    for shown, expected in zip(paragraphs, paragraphs_of(transcript.segments), strict=True):
        assert letters(shown.text.partition("\n")[2]) == letters(expected.text)


def test_docx_without_its_extra_says_what_to_install(conversation, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(ExtraMissing) as caught:
        FORMATS["docx"].render(conversation)
    assert "wortlaut[docx]" in caught.value.hint


def page_of(transcript, **options):
    return html.document_fromstring(FORMATS["html"].render(transcript, RenderOptions(**options)))


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_html_has_a_span_a_word_with_its_times(transcripts, data):
    transcript = data.draw(transcripts)
    spans = page_of(transcript).xpath("//section/p/span")
    for span, word in zip(spans, transcript.words, strict=True):
        assert letters(span.text or "") == letters(word.text)
        assert float(span.get("data-start")) == pytest.approx(word.start, abs=0.000501)
        assert float(span.get("data-end")) == pytest.approx(word.end, abs=0.000501)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_html_has_no_element_that_text_put_there(transcripts, data):
    page = page_of(data.draw(transcripts), recording='"><script src=//evil.example></script>')
    known = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "audio",
        "main",
        "section",
        "button",
        "p",
    }
    assert {each.tag for each in page.iter()} <= known | {"span", "script"}
    assert len(page.xpath("//script")) == 1
    assert not page.xpath("//script/@src | //link | //img | //@onclick | //@href")
    assert all(src.startswith("./") for src in page.xpath("//@src"))


def test_html_shows_speakers_times_doubts_and_the_recording(conversation):
    page = page_of(conversation, recording="my talk #1.mp3")
    assert page.xpath("string(//title)") == "my talk #1.mp3"
    assert page.xpath("//audio/@src") == ["./my%20talk%20%231.mp3"]
    assert page.xpath("//span[@class='speaker']/text()") == ["SPEAKER_00", "SPEAKER_01"]
    assert page.xpath("//button/text()") == ["00:00:00", "01:01:01"]
    assert len(set(page.xpath("//section/@style"))) == 2
    assert [each.text_content() for each in page.xpath("//section/p")] == ["Guten Tag, R&D <live>.", "3 Äpfel!"]
    assert page.xpath("//span[@class='doubtful']") == []


def test_html_marks_words_of_low_confidence():
    doubtful = Transcript((Segment((Word("hm", 0, 1, 0.49), Word(" yes", 1, 2, 0.5)), "en"),), (), "en", 2)
    assert page_of(doubtful).xpath("//span[@class='doubtful']/text()") == ["hm"]


def test_html_forbids_everything_from_outside(silence):
    (policy,) = page_of(silence).xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    assert "*" not in policy


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_csv_has_a_row_a_segment(transcripts, data):
    transcript = data.draw(transcripts)
    content = FORMATS["csv"].render(transcript).decode()
    rows = list(csv.DictReader(io.StringIO(content, newline=""), strict=True))
    assert len(content.splitlines()) >= len(rows) + 1
    for row, segment in zip(rows, transcript.segments, strict=True):
        assert float(row["start"]) == pytest.approx(segment.start, abs=0.000501)
        assert float(row["end"]) == pytest.approx(segment.end, abs=0.000501)
        assert row["language"] == segment.language
        assert letters(row["speaker"]) == letters(segment.speaker or "")
        assert letters(row["text"]) == letters(segment.text)


def test_silence(silence):
    assert FORMATS["csv"].render(silence) == b"start,end,speaker,language,text\n"
    assert FORMATS["md"].render(silence) == b"# recording\n"
    assert len(word_paragraphs(FORMATS["docx"].render(silence))) == 1
    assert page_of(silence).xpath("//section") == []
