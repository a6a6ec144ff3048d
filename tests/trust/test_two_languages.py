"""Windows in which people speak two languages are heard again in pieces, and only those."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SpeechRegion, Window
from wortlaut.options import Decoding
from wortlaut.testing import silence
from wortlaut.transcript import Passage, Word
from wortlaut.trust.audit import Auditor
from wortlaut.trust.spans import Span
from wortlaut.trust.two_languages import LONGEST_PIECE, MIXED_SHARE, are_in_two_languages, language_pieces

FIRST, SECOND = SpeechRegion(1.0, 8.0), SpeechRegion(9.0, 16.0)


def passage(text=" Guten Abend, and good evening.", share=0.3, language="de", regions=(FIRST, SECOND), doubts=()):
    start, end = regions[0].start - 0.1, regions[-1].end + 0.1
    return Passage(start, end, text, language, regions, other_language_share=share, doubts=doubts)


def word(at, text=" so"):
    return Word(text, at, at + 0.5, 0.9)


def never(_window):
    return False


def always(_window):
    return True


def test_a_window_of_unsure_language_is_cut_at_its_pauses():
    cut = language_pieces(silence(20.0), passage(), always)
    assert [one.regions for one in cut] == [(FIRST,), (SECOND,)]
    assert all(one.end - one.start <= LONGEST_PIECE for one in cut)


@pytest.mark.parametrize("more", [{"share": MIXED_SHARE - 0.01}, {"share": 0.0}, {"text": ""}, {"regions": (FIRST,)}])
def test_a_window_that_is_surely_in_one_language_stays_whole(more):
    assert language_pieces(silence(20.0), passage(**more), always) == []


def test_one_piece_in_another_language_is_enough_and_none_is_not():
    assert language_pieces(silence(20.0), passage(), never) == []
    assert len(language_pieces(silence(20.0), passage(), lambda one: one.start < SECOND.start)) == 2
    assert len(language_pieces(silence(20.0), passage(), lambda one: one.end > FIRST.end + 1)) == 2


def test_two_languages_count_only_where_nothing_speaks_against_them():
    german, english = (passage(regions=(FIRST,)), [word(1.0)]), (passage(language="en", regions=(SECOND,)), [word(9.0)])
    doubted = (passage(language="en", regions=(SECOND,), doubts=("the model is unsure",)), [word(9.0)])
    silent = (passage(language="en", regions=(SECOND,)), [])
    assert are_in_two_languages([german, english], *german)
    assert not are_in_two_languages([german, german], *german)
    assert not are_in_two_languages([german, doubted], *german)
    assert not are_in_two_languages([german, silent], *german)


def audited(whole, said, is_in_another=always):
    """Audit a passage whose pieces say `said` (language and text by order)."""
    answers = iter(said)

    def hear_again(windows: list[Window]):
        heard = [(one, next(answers)) for one in windows]
        return [
            (Passage(one.start, one.end, text, code, one.regions), [Word(text, one.start, one.end, 0.9)])
            for one, (code, text) in heard
        ]

    def listen(span):
        inside = [Span(one.start, one.end).within(span.start, span.end) for one in (FIRST, SECOND)]
        return [SpeechRegion(one.start, one.end) for one in inside if one.length > 0.8]

    covered = [Word(" Abend", FIRST.start, FIRST.end, 0.9), Word(" evening.", SECOND.start, SECOND.end, 0.9)]
    auditor = Auditor(silence(20.0), Decoding(), listen, lambda *_: [], hear_again, is_in_another, [Span(1.0, 16.0)])
    return auditor.audit([(whole, covered)])


def test_pieces_in_two_languages_take_the_place_of_the_window():
    found = audited(passage(), [("de", " Guten Abend."), ("en", " Good evening.")])
    assert [(one.language, one.text) for one, _ in found.timed] == [("de", " Guten Abend."), ("en", " Good evening.")]
    assert [one.outcome for one in found.decisions] == ["recovered", "recovered"]


def test_pieces_in_one_language_change_nothing():
    whole = passage()
    found = audited(whole, [("de", " Guten Abend."), ("de", " Gut Ivening.")])
    assert [one for one, _ in found.timed] == [whole]
    assert [one.outcome for one in found.decisions] == ["kept"]


def test_pieces_that_are_surely_in_the_usual_language_are_not_decoded():
    found = audited(passage(), [], never)  # hearing anything again would fail
    assert [one.outcome for one in found.decisions] == ["kept"]


@given(st.floats(0.0, MIXED_SHARE, exclude_max=True))
def test_windows_of_one_language_cost_nothing_more(share):
    found = audited(passage(share=share), [])  # hearing anything again would fail
    assert len(found.timed) == 1
