"""The rules between words, on tracks made by hand."""

from __future__ import annotations

import pytest

from wortlaut.alignment.attention import WordTrack
from wortlaut.alignment.boundaries import Edges, find_edges
from wortlaut.alignment.silences import Silence


def track(*onsets):
    return WordTrack(onsets, (0.5,) * (len(onsets) - 1))


def edges(tracks, *silences, start=0.0, end=5.0):
    return find_edges(tracks, silences, start, end)


def test_words_meet_within_the_interval_of_the_space():
    first, second = edges([track(1.0, 1.4), track(1.5, 2.0)])
    assert first.end == second.start == pytest.approx(1.47)
    assert (first.start, second.end) == (1.0, 2.0)


def test_a_long_interval_is_a_pause_of_neither_word():
    first, second = edges([track(1.0, 1.4), track(1.7, 2.0)])
    assert (first.end, second.start) == (1.4, 1.7)


def test_a_silence_moves_both_edges():
    first, second = edges([track(1.0, 1.5), track(1.55, 2.0)], Silence(1.38, 1.62))
    assert (first.end, second.start) == (1.38, 1.62)


def test_a_silence_does_not_reach_the_middle_of_a_word():
    first, second = edges([track(1.0, 1.5), track(1.55, 2.0)], Silence(1.1, 1.9))
    assert first.end == pytest.approx(1.25)
    assert second.start == pytest.approx(1.775)


def test_of_several_silences_the_longest_counts():
    first, second = edges([track(1.0, 1.4), track(2.0, 3.0)], Silence(1.4, 1.5), Silence(1.6, 1.95))
    assert (first.end, second.start) == (1.6, 1.95)


def test_a_silence_elsewhere_changes_nothing():
    tracks = [track(1.0, 1.4), track(1.5, 2.0)]
    assert edges(tracks, Silence(3.0, 4.0))[0] == edges(tracks)[0]


def test_the_window_starts_and_ends_with_silence():
    (word,) = edges([track(0.3, 2.2)], Silence(0.0, 0.45), Silence(1.8, 5.0))
    assert word == Edges(0.45, pytest.approx(1.9))


def test_the_last_word_ends_at_the_first_silence_after_it():
    (word,) = edges([track(1.0, 1.5)], Silence(1.48, 1.8), Silence(2.0, 5.0))
    assert word.end == 1.48


def test_the_first_word_starts_at_the_last_silence_before_it():
    (word,) = edges([track(2.0, 2.5)], Silence(0.0, 1.5), Silence(1.7, 2.02))
    assert word.start == 2.02


def test_no_tracks_no_edges():
    assert edges([]) == []
