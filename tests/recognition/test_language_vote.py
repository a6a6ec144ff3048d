from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SpeechRegion, Window
from wortlaut.recognition.language_vote import VOTING_WINDOWS, Vote, elect, speech_seconds, voters
from wortlaut.stages import LanguageGuess


def windows_with(seconds: list[float]) -> list[Window]:
    return [Window(30.0 * i, 30.0 * i + s, (SpeechRegion(30.0 * i, 30.0 * i + s),)) for i, s in enumerate(seconds)]


@given(st.lists(st.floats(0.1, 29), max_size=40))
def test_voters_are_few_different_and_talkative(seconds):
    windows = windows_with(seconds)
    chosen = voters(windows)
    assert len(chosen) == len(set(chosen)) == min(VOTING_WINDOWS, len(windows))
    lengths = [speech_seconds(one) for one in chosen]
    assert lengths == sorted(lengths, reverse=True)
    if windows:
        assert lengths[0] == max(map(speech_seconds, windows))


def test_voters_come_from_all_over_the_recording():
    windows = windows_with([5.0] * 50)
    assert sorted(windows.index(one) // 10 for one in voters(windows)) == [0, 1, 2, 3, 4]


def test_speech_counts_and_pauses_do_not():
    assert speech_seconds(Window(0, 20, (SpeechRegion(0, 2), SpeechRegion(15, 20)))) == 7
    assert speech_seconds(Window(3, 20, ())) == 17


def test_votes_are_weighted_by_speech_and_confidence():
    votes = [Vote({"de": 0.9, "nl": 0.1}, 10.0), Vote({"nl": 0.6, "de": 0.4}, 20.0)]
    # weights 10 * 0.9 = 9 and 20 * 0.6 = 12; German (9 * 0.9 + 12 * 0.4) / 21
    guess = elect(votes)
    assert guess.language == "de"
    assert guess.probability == pytest.approx(12.9 / 21)


def test_a_long_sure_window_outvotes_short_ones():
    votes = [Vote({"en": 0.5, "fr": 0.1}, 1.0)] * 3 + [Vote({"fr": 0.95, "en": 0.01}, 25.0)]
    assert elect(votes).language == "fr"


def test_without_votes_nothing_is_known():
    assert elect([]) == LanguageGuess("en", 0.0)
    assert elect([Vote({}, 3.0)]) == LanguageGuess("en", 0.0)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(0.01, 30)), min_size=1, max_size=5))
def test_the_probability_is_between_the_lowest_and_the_highest_vote(votes):
    guess = elect([Vote({"ja": probability}, seconds) for probability, seconds in votes])
    probabilities = [probability for probability, _ in votes]
    assert guess.language == "ja"
    assert min(probabilities) - 1e-9 <= guess.probability <= max(probabilities) + 1e-9
