"""TextGrid, EAF, CTM and STM, read back by textgrid, praatio, pympi, lxml and by hand."""

from __future__ import annotations

import itertools

import pympi
import pytest
import textgrid
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from praatio import textgrid as praat

from wortlaut.formats import FORMATS, RenderOptions
from wortlaut.transcript import Segment, Transcript, Turn, Word

MAY_DRIFT = 0.012
"""Seconds: words shorter than a millisecond are made one long, and push those behind them."""


def letters(text):
    return [character for character in text if character.isalnum()]


def saved(name, transcript, folder):
    path = folder / f"file.{FORMATS[name].extension}"
    path.write_bytes(FORMATS[name].render(transcript))
    return str(path)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("annotations")


def textgrid_words(grid):
    return {
        tier.name.removesuffix(" - words"): [each for each in tier.intervals if each.mark]
        for tier in grid.tiers
        if tier.name.endswith(" - words")
    }


def _by_text_and_start(word):
    return letters(word.text), word.start


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_textgrid_tiers_are_gapless_and_hold_every_word(transcripts, folder, data):
    transcript = data.draw(transcripts)
    grid = textgrid.TextGrid.fromFile(saved("textgrid", transcript, folder))
    for tier in grid.tiers:
        assert tier.intervals[0].minTime == 0
        assert tier.intervals[-1].maxTime == grid.maxTime
        assert all(this.maxTime == following.minTime for this, following in itertools.pairwise(tier.intervals))
    found = [each for words in textgrid_words(grid).values() for each in words]
    # Words that are shorter than a millisecond have no order across the tiers of speakers.
    expected = sorted((word for word in transcript.words if letters(word.text)), key=_by_text_and_start)
    found = sorted((each for each in found if letters(each.mark)), key=lambda each: (letters(each.mark), each.minTime))
    assert [letters(each.mark) for each in found] == [letters(word.text) for word in expected]
    for interval, word in zip(found, expected, strict=True):
        assert interval.minTime == pytest.approx(word.start, abs=MAY_DRIFT)
        assert interval.maxTime == pytest.approx(word.end, abs=MAY_DRIFT)


def test_praatio_reads_textgrid(conversation, tmp_path):
    grid = praat.openTextgrid(saved("textgrid", conversation, tmp_path), includeEmptyIntervals=False)
    assert grid.tierNames == (
        "SPEAKER_00 - segments",
        "SPEAKER_00 - words",
        "SPEAKER_01 - segments",
        "SPEAKER_01 - words",
    )
    assert [tuple(entry) for entry in grid.getTier("SPEAKER_01 - words").entries] == [
        (3661.0, 3661.25, "3"),
        (3661.25, 3662.062, "Äpfel!"),
    ]
    assert grid.maxTimestamp == 3700.0


def test_quotes_survive_textgrid(tmp_path):
    quoted = Transcript((Segment((Word('say "yes"', 0.0, 1.0),), "en"),), (), "en", 1.0)
    grid = textgrid.TextGrid.fromFile(saved("textgrid", quoted, tmp_path))
    assert [each.mark for each in textgrid_words(grid)["speech"]] == ['say "yes"']


def test_pympi_reads_eaf(conversation, tmp_path):
    eaf = pympi.Elan.Eaf(saved("eaf", conversation, tmp_path))
    assert set(eaf.get_tier_names()) == {"SPEAKER_00", "SPEAKER_00 - words", "SPEAKER_01", "SPEAKER_01 - words"}
    assert eaf.get_annotation_data_for_tier("SPEAKER_00") == [(500, 2004, "Guten Tag, R&D <live>.")]
    assert eaf.get_annotation_data_for_tier("SPEAKER_01 - words") == [
        (3_661_000, 3_661_250, "3"),
        (3_661_250, 3_662_062, "Äpfel!"),
    ]
    assert eaf.get_parameters_for_tier("SPEAKER_00 - words")["PARENT_REF"] == "SPEAKER_00"
    assert eaf.get_parameters_for_tier("SPEAKER_00 - words")["PARTICIPANT"] == "SPEAKER_00"


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_eaf_is_sound(transcripts, data):
    """Ids are unique, references resolve, slots are ordered, annotations last and words lie within segments."""
    transcript = data.draw(transcripts)
    root = etree.fromstring(FORMATS["eaf"].render(transcript))
    order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "CONSTRAINT"]
    assert [order.index(child.tag) for child in root] == sorted(order.index(child.tag) for child in root)
    times = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")}
    assert len(times) == len(list(root.iter("TIME_SLOT")))
    assert list(times.values()) == sorted(times.values())
    ids = [each.get("ANNOTATION_ID") for each in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(ids) == len(set(ids))
    types = {each.get("LINGUISTIC_TYPE_ID") for each in root.iter("LINGUISTIC_TYPE")}
    tiers = {tier.get("TIER_ID"): tier for tier in root.iter("TIER")}
    assert len(tiers) == len(list(root.iter("TIER")))
    spans = {name: spans_of(tier, times) for name, tier in tiers.items()}
    for name, tier in tiers.items():
        assert tier.get("LINGUISTIC_TYPE_REF") in types
        assert all(start < end for start, end in spans[name])
        assert all(this[1] <= following[0] for this, following in itertools.pairwise(spans[name]))
        if parent := tier.get("PARENT_REF"):
            assert all(any(a <= start and end <= b for a, b in spans[parent]) for start, end in spans[name])
    words = [each for each in tiers if each.endswith(" - words")]
    assert sum(len(spans[name]) for name in words) == len(transcript.words)


def spans_of(tier, times):
    return [
        (times[each.get("TIME_SLOT_REF1")], times[each.get("TIME_SLOT_REF2")])
        for each in tier.iter("ALIGNABLE_ANNOTATION")
    ]


def test_speakers_whose_names_look_alike_get_tiers_of_their_own(tmp_path):
    speakers = ["a\nb", "a b", "speech", "\n"]
    segments = tuple(Segment((Word("x", i, i + 1, None, name),), "en") for i, name in enumerate(speakers))
    turns = tuple(Turn(i, i + 1, name) for i, name in enumerate(speakers))
    eaf = pympi.Elan.Eaf(saved("eaf", Transcript(segments, turns, "en", 4), tmp_path))
    assert len(eaf.get_tier_names()) == 8
    assert all(len(eaf.get_annotation_data_for_tier(name)) == 1 for name in eaf.get_tier_names())


def test_silence_has_one_empty_tier(silence, tmp_path):
    grid = textgrid.TextGrid.fromFile(saved("textgrid", silence, tmp_path))
    assert [[each.mark for each in tier.intervals] for tier in grid.tiers] == [[""], [""]]
    assert grid.maxTime == 12.5
    eaf = pympi.Elan.Eaf(saved("eaf", silence, tmp_path))
    assert eaf.get_annotation_data_for_tier("speech") == []
    assert FORMATS["ctm"].render(silence) == b""
    assert FORMATS["stm"].render(silence) == b""


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_ctm_has_five_or_six_fields_a_word(transcripts, data):
    transcript = data.draw(transcripts)
    lines = FORMATS["ctm"].render(transcript, RenderOptions(recording="a b")).decode().split("\n")
    assert lines.pop() == ""
    for line, word in zip(lines, transcript.words, strict=True):
        recording, channel, start, duration, text, *confidence = line.split()
        assert (recording, channel) == ("a_b", "1")
        assert float(start) == pytest.approx(word.start, abs=0.000501)
        assert float(duration) > 0
        assert letters(text) == letters(word.text) or text == "<unk>"
        assert [float(each) for each in confidence] == pytest.approx(
            [] if word.confidence is None else [word.confidence], abs=0.0006
        )


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_stm_has_seven_fields_a_segment(transcripts, data):
    transcript = data.draw(transcripts)
    lines = FORMATS["stm"].render(transcript).decode().split("\n")
    assert lines.pop() == ""
    for line, segment in zip(lines, transcript.segments, strict=True):
        _, _, speaker, start, end, label, *text = line.split(" ", 6)
        assert letters(speaker) == letters(segment.speaker or "unknown") or speaker == "unknown"
        assert label == "<o>"
        assert float(start) < float(end)
        assert letters("".join(text)) == letters(segment.text)
        assert "{" not in "".join(text)
