from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wortlaut.comparison.differences import agreement, side_by_side
from wortlaut.transcript import Segment, Transcript, Word


def transcript(*segments: str, speakers: str = "", shift: float = 0.0) -> Transcript:
    """Make one word a second; `speakers` has one letter a word."""
    made, position = [], 0
    for text in segments:
        words = []
        for part in text.split():
            speaker = speakers[position] if speakers else None
            words.append(Word(f" {part}", position + shift, position + shift + 0.5, speaker=speaker))
            position += 1
        made.append(Segment(tuple(words), "en"))
    return Transcript(tuple(made), (), "en", 60.0)


def texts(cells):
    return [word.text.strip() + "!" * differs for word, differs in cells]


def test_case_and_punctuation_do_not_count():
    found = agreement(transcript("Hello, World."), transcript("hello world"))
    assert (found.words_in_common, found.differences, found.apart) == (2, (), 0.0)


def test_what_differs_is_named_with_its_place():
    found = agreement(transcript("one two three four"), transcript("one too three"))
    assert [(d.start, [w.text for w in d.first], [w.text for w in d.second]) for d in found.differences] == [
        (1.0, [" two"], [" too"]),
        (3.0, [" four"], []),
    ]


def test_distance_of_times_is_the_median():
    assert agreement(transcript("a b c"), transcript("a b c", shift=0.25)).apart == 0.25


def test_speakers_agree_whatever_they_are_called():
    assert agreement(transcript("a b c d", speakers="XXYY"), transcript("a b c d", speakers="YYXX")).same_speaker == 1.0
    assert agreement(transcript("a b c d", speakers="XXYY"), transcript("a b c d", speakers="PPPP")).same_speaker == 0.5
    assert agreement(transcript("a b"), transcript("a b", speakers="PP")).same_speaker is None


def test_rows_follow_the_first_and_mark_what_differs():
    rows = side_by_side(transcript("one two", "three four"), transcript("zero one too three", "four five"))
    assert [(texts(row.first), texts(row.second)) for row in rows] == [
        (["one", "two!"], ["zero!", "one", "too!"]),
        (["three", "four"], ["three", "four", "five!"]),
    ]


def test_nothing_on_one_side():
    (row,) = side_by_side(Transcript((), (), "und", 1.0), transcript("some words"))
    assert (texts(row.first), texts(row.second)) == ([], ["some!", "words!"])
    assert side_by_side(Transcript((), (), "und", 1.0), Transcript((), (), "und", 1.0)) == []


SEGMENTS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(" ".join), max_size=4)


@given(SEGMENTS, SEGMENTS)
def test_no_word_is_lost_and_none_moves(first, second):
    ours, theirs = transcript(*first), transcript(*second)
    rows = side_by_side(ours, theirs)
    assert [word for row in rows for word, _ in row.first] == list(ours.words)
    assert [word for row in rows for word, _ in row.second] == list(theirs.words)
    differing = {id(word) for row in rows for word, differs in (*row.first, *row.second) if differs}
    named = {id(word) for one in agreement(ours, theirs).differences for word in (*one.first, *one.second)}
    assert differing == named
