from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wortlaut.attribution import attribute
from wortlaut.transcript import Turn, Word

A, B = "SPEAKER_00", "SPEAKER_01"


def speakers(words, turns):
    return [word.speaker for word in attribute(words, turns)]


def test_a_word_belongs_to_the_turn_it_shares_most_time_with():
    turns = [Turn(0.0, 1.0, A), Turn(1.0, 2.0, B)]
    assert speakers([Word("a", 0.2, 0.6), Word("b", 0.9, 1.3), Word("c", 0.6, 1.1)], turns) == [A, B, A]


def test_a_word_in_a_gap_goes_to_the_nearest_turn():
    turns = [Turn(0.0, 1.0, A), Turn(5.0, 6.0, B)]
    assert speakers([Word("a", 1.5, 1.9), Word("b", 4.0, 4.4), Word("c", 8.0, 8.4)], turns) == [A, B, B]


def test_without_turns_the_words_stay_as_they_are():
    words = [Word("a", 0.0, 1.0)]
    assert attribute(words, []) == words


def test_a_long_turn_that_began_long_ago_is_found():
    short = [Turn(100.0 + index, 100.5 + index, B) for index in range(50)]
    assert speakers([Word("a", 60.0, 60.4)], [Turn(0.0, 90.0, A), *short]) == [A]


times = st.integers(0, 400).map(lambda tenths: tenths / 10)
words_strategy = st.lists(st.tuples(times, st.integers(1, 30)), max_size=20).map(
    lambda pairs: [Word(f" w{start}", start, start + length / 10) for start, length in sorted(pairs)]
)


@st.composite
def exclusive_turns(draw):
    edges = sorted(draw(st.sets(st.integers(0, 400), min_size=2, max_size=20)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    return [Turn(start / 10, end / 10, draw(st.sampled_from([A, B]))) for start, end in pairs]


@given(words_strategy, exclusive_turns())
def test_attribution_agrees_with_a_search_over_all_turns(words, turns):
    def shared(word, turn):
        return min(word.end, turn.end) - max(word.start, turn.start)

    labelled = attribute(words, turns)
    assert [(word.text, word.start, word.end) for word in labelled] == [(w.text, w.start, w.end) for w in words]
    for word in labelled:
        best = max(shared(word, turn) for turn in turns)
        assert word.speaker in {turn.speaker for turn in turns if abs(shared(word, turn) - best) < 1e-9}
