from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SpeechRegion
from wortlaut.testing import silence
from wortlaut.transcript import Passage, Word
from wortlaut.trust.recutting import LONGEST_PIECES, lying_in, pieces, say_more

AUDIO = silence(40.0)
SAID = " Der Zug kommt heute spät."


def passage(*spans, text=SAID):
    return Passage(spans[0][0] - 0.2, spans[-1][1] + 0.2, text, "de", tuple(SpeechRegion(*span) for span in spans))


def words(text, start):
    return [Word(f" {part}", start + 0.5 * i, start + 0.5 * i + 0.4) for i, part in enumerate(text.split())]


def test_a_region_lies_in_the_passage_that_holds_half_of_it():
    whole = passage((1.0, 9.0))
    inside, outside = SpeechRegion(8.0, 10.0), SpeechRegion(8.9, 12.0)
    assert lying_in([inside, outside], whole) == [inside]


def test_what_the_first_detector_did_not_hear_is_in_the_pieces_too():
    cut = pieces(AUDIO, passage((1.0, 5.0), (15.0, 19.0)), [SpeechRegion(8.0, 12.0)], 8.0)
    assert [region for window in cut for region in window.regions] == [
        SpeechRegion(1.0, 5.0),
        SpeechRegion(8.0, 12.0),
        SpeechRegion(15.0, 19.0),
    ]


def test_a_short_passage_is_not_cut():
    assert pieces(AUDIO, passage((1.0, 5.0)), [SpeechRegion(3.0, 4.5)], 8.0) == []


@given(
    st.lists(st.floats(0.3, 6.0), min_size=1, max_size=6),
    st.lists(st.floats(0.4, 3.0), min_size=6, max_size=6),
    st.sampled_from(LONGEST_PIECES),
)
def test_pieces_stay_in_the_passage_in_order_and_are_short(lengths, pauses, longest):
    spans, position = [], 0.5
    for length, pause in zip(lengths, pauses, strict=False):
        spans.append((position, position + length))
        position += length + pause
    whole = passage(*spans)
    cut = pieces(silence(position + 1), whole, [SpeechRegion(*spans[0])], longest)
    assert all(whole.start <= one.start < one.end <= whole.end for one in cut)
    assert all(one.end - one.start <= longest + 1e-9 for one in cut)
    assert all(before.end <= after.start + 1e-9 for before, after in pairwise(cut))
    assert not cut or len(cut) > 1


def test_pieces_say_more_if_they_say_the_same_and_cover_more():
    whole = passage((1.0, 3.5), (8.0, 12.0))
    first, second = passage((1.0, 3.5)), passage((8.0, 12.0), text=" Das ist schade.")
    old, new = words(SAID, 1.0), words(" Das ist schade.", 8.2)
    assert say_more([(first, old), (second, new)], whole, old)
    assert not say_more([(first, old), (second, [])], whole, old)
    assert not say_more([(first, words(" Ganz etwas anderes hier.", 1.0)), (second, new)], whole, old)
