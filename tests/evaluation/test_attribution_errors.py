from __future__ import annotations

import pytest

from wortlaut.evaluation.attribution_errors import cpwer, heard_said, true_said, wder
from wortlaut.evaluation.sets import Utterance
from wortlaut.transcript import Segment, Word


def said(**texts: str) -> list[tuple[str, str]]:
    return [(word, speaker) for speaker, text in texts.items() for word in text.split()]


def test_names_do_not_matter() -> None:
    truth = said(anna="good morning", bert="good evening to you")
    assert cpwer(truth, said(S1="good morning", S0="good evening to you")).percent == 0
    assert wder(truth, said(S1="good morning", S0="good evening to you")).percent == 0


def test_one_word_at_the_wrong_speaker_is_missing_there_and_too_much_here() -> None:
    truth = said(anna="a b c", bert="d e f g")
    heard = [("a", "S0"), ("b", "S0"), ("c", "S1"), ("d", "S1"), ("e", "S1"), ("f", "S1"), ("g", "S1")]
    assert cpwer(truth, heard).percent == pytest.approx(100 * 2 / 7)
    assert wder(truth, heard).percent == pytest.approx(100 * 1 / 7)


def test_a_misheard_word_still_has_a_speaker() -> None:
    truth = said(anna="a b", bert="c d")
    heard = [("a", "S0"), ("x", "S1"), ("c", "S1"), ("d", "S1")]
    assert wder(truth, heard).percent == pytest.approx(25)


def test_too_few_and_too_many_speakers() -> None:
    truth = said(anna="a b c", bert="d")
    assert cpwer(truth, said(S0="a b c d")).percent == pytest.approx(50)  # d is too much for anna, bert is silent
    assert cpwer(truth, said(S0="a b c", S1="d", S2="e")).percent == pytest.approx(25)


def test_nothing_heard() -> None:
    truth = said(anna="a b", bert="c")
    assert cpwer(truth, []).percent == 100
    assert wder(truth, []).percent is None


def test_utterances_are_read_in_the_order_of_time() -> None:
    utterances = [Utterance("Goodbye.", 5, 6, "anna"), Utterance("Hello, uh, there!", 0, 1, "bert")]
    assert true_said(utterances, "en") == [("hello", "bert"), ("there", "bert"), ("goodbye", "anna")]


def test_segments_give_their_speaker_to_their_words() -> None:
    words = (Word(" Hello", 0, 1, speaker="S0"), Word(" there.", 1, 2, speaker="S0"))
    assert heard_said([Segment(words, "en")], "en") == [("hello", "S0"), ("there", "S0")]
    assert heard_said([Segment((Word("Hi", 0, 1),), "en")], "en") == [("hi", "")]
