from __future__ import annotations

import pytest

from wortlaut.evaluation.coverage import uncovered_speech
from wortlaut.transcript import Turn, Word


def test_speech_far_from_every_word_is_uncovered() -> None:
    turns = [Turn(0, 10, "anna"), Turn(8, 12, "bert")]
    words = [Word("one", 1, 2), Word("two", 2.2, 3), Word("far", 20, 21)]
    # the words reach from 0.5 to 3.5 s; speech is 0-12 s
    missing = uncovered_speech(turns, words)
    assert (missing.part, missing.whole) == pytest.approx((9, 12))


def test_all_and_nothing() -> None:
    assert uncovered_speech([Turn(1, 2, "anna")], []).percent == 100
    assert uncovered_speech([Turn(1, 2, "anna")], [Word("word", 1, 2)]).percent == 0
    assert uncovered_speech([], [Word("word", 1, 2)]).percent is None
