from __future__ import annotations

from wortlaut.audio import SpeechRegion, Window
from wortlaut.transcript import Word
from wortlaut.trust.coverage import padded, uncovered, words_without_speech
from wortlaut.trust.spans import Span

WORDS = [Word(" eins", 1.0, 1.5), Word(" zwei", 10.0, 10.5)]


def hears(*regions):
    def listen(span):
        inside = [Span(start, end).within(span.start, span.end) for start, end in regions]
        return [SpeechRegion(one.start, one.end) for one in inside if one.length > 0]

    return listen


def test_speech_without_words_is_found():
    assert uncovered(WORDS, 20.0, hears((0.5, 2.0), (4.0, 6.0), (9.5, 11.0))) == [SpeechRegion(4.0, 6.0)]


def test_without_words_all_speech_is_uncovered():
    assert uncovered([], 20.0, hears((4.0, 6.0))) == [SpeechRegion(4.0, 6.0)]


def test_short_gaps_are_not_listened_to():
    asked = []
    uncovered([Word(" a", 0.0, 1.0), Word(" b", 3.4, 20.0)], 20.0, lambda span: asked.append(span) or [])
    assert asked == []


def test_a_cough_is_no_speech_worth_it():
    assert uncovered(WORDS, 20.0, hears((4.0, 4.7))) == []


def test_padding_does_not_reach_into_words():
    narrow = Window(1.7, 6.0, (SpeechRegion(1.7, 6.0),))
    assert padded(narrow, WORDS, 20.0) == Window(1.5, 6.5, narrow.regions)
    assert padded(Window(10.2, 12.0, ()), WORDS, 20.0) == Window(10.2, 12.0, ())


def test_words_where_nobody_speaks_are_reported_as_one_run():
    words = [Word(" a", 1.0, 2.0), Word(" b", 5.0, 5.5), Word(" c", 5.5, 6.0), Word(" d", 9.0, 9.5)]
    [notice] = words_without_speech(words, [Span(0.0, 2.0), Span(9.2, 12.0)])
    assert (notice.code, notice.start, notice.end) == ("words-without-speech", 5.0, 6.0)
    assert "b c" in notice.message


def test_one_word_beside_its_speech_is_not_reported():
    assert words_without_speech([Word(" a", 2.4, 3.0), Word(" b", 8.0, 8.5)], [Span(0.0, 2.0)]) == []
