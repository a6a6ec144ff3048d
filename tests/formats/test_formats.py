"""What holds for every format."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.errors import InvalidOption, UnknownFormat
from wortlaut.formats import FORMATS, RenderOptions, get_format

TEXT = [each for each in FORMATS if each != "docx"]
GOLDEN = [each for each in TEXT if each != "html"]  # its style and script may change


def test_each_format_stands_under_its_own_name():
    assert all(each.name == name for name, each in FORMATS.items())


def test_extensions_are_distinct():
    assert len({each.extension for each in FORMATS.values()}) == len(FORMATS)


def test_an_unknown_format_names_those_that_exist():
    with pytest.raises(UnknownFormat) as caught:
        get_format("pdf")
    assert "pdf" in caught.value.message
    assert all(name in caught.value.hint for name in FORMATS)


def test_a_known_format_is_found():
    assert get_format("srt") is FORMATS["srt"]


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_file(name, conversation, golden):
    each = FORMATS[name]
    assert each.render(conversation).decode() == (golden / f"conversation.{each.extension}").read_bytes().decode()


@pytest.mark.parametrize("name", TEXT)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_anything_becomes_clean_utf8(name, transcripts, data):
    content = FORMATS[name].render(data.draw(transcripts))
    text = content.decode()
    assert not text.startswith("\ufeff")
    assert "\r" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_rendering_twice_gives_the_same_bytes(name, conversation):
    assert FORMATS[name].render(conversation) == FORMATS[name].render(conversation)


@pytest.mark.parametrize("name", FORMATS)
def test_silence_renders(name, silence):
    assert isinstance(FORMATS[name].render(silence), bytes)


@pytest.mark.parametrize(
    "options",
    [{"max_line_width": 0}, {"max_line_count": 0}, {"preset": "nobody"}, {"preset": "netflix", "max_line_width": 42}],
)
def test_senseless_options_are_refused(options):
    with pytest.raises(InvalidOption):
        RenderOptions(**options)


def test_formats_load_no_third_party_package():
    probe = "import sys, wortlaut.formats; print([m for m in ('docx', 'lxml', 'numpy', 'typer') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
