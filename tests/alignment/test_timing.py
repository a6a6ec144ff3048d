"""Limits of words and how sure they are."""

from __future__ import annotations

import numpy as np
import pytest

from wortlaut.alignment.attention import NO_TRACK, WordTrack
from wortlaut.alignment.timing import confidence, longest_duration, timed
from wortlaut.audio import Audio, SpeechRegion
from wortlaut.transcript import Passage

NOISE = Audio.from_array(np.random.default_rng(1).standard_normal(30 * 16_000).astype(np.float32) / 10)


def track(*onsets):
    return WordTrack(onsets, (0.5,) * (len(onsets) - 1))


def passage(text, *regions, start=0.0, end=20.0):
    return Passage(start, end, text, "en", regions)


def test_tracks_are_on_the_clock_of_the_passage():
    (word,) = timed(["hi"], [track(1.0, 1.2, 1.4)], NOISE, passage("hi", start=7.0))
    assert (word.start, word.end) == pytest.approx((8.0, 8.4))


def test_a_word_that_stood_still_at_its_end_is_cut_there():
    (word,) = timed(["and"], [track(1.0, 1.1, 1.2, 8.0)], NOISE, passage("and"))
    assert word.start == 1.0
    assert word.end == pytest.approx(1.0 + longest_duration("and"))


def test_a_word_that_stood_still_at_its_start_is_cut_there():
    (word,) = timed(["and"], [track(1.0, 7.8, 7.9, 8.0)], NOISE, passage("and"))
    assert word.end == 8.0
    assert word.start == pytest.approx(8.0 - longest_duration("and"))


def test_a_word_does_not_reach_far_out_of_the_speech():
    (word,) = timed(["and"], [track(1.0, 1.2, 1.3, 1.9)], NOISE, passage("and", SpeechRegion(1.2, 1.6)))
    assert (word.start, word.end) == pytest.approx((1.05, 1.75))


def test_a_word_outside_of_all_speech_stays_where_it_was_heard():
    (word,) = timed(["and"], [track(1.0, 1.2, 1.3, 1.9)], NOISE, passage("and", SpeechRegion(5.0, 6.0)))
    assert (word.start, word.end) == (1.0, 1.9)


def test_one_frame_of_a_space_is_enough_for_a_short_word():
    tracks = [track(1.0, 1.4), track(1.5, 1.5), track(1.6, 2.0)]
    words = timed(["to", " a", " t"], tracks, NOISE, passage("to a t"))
    assert words[1].source == "aligned"
    assert words[1].end - words[1].start == pytest.approx(0.1)


def test_a_word_that_was_passed_over_is_interpolated():
    tracks = [track(1.0, 1.4), track(1.4, 1.4), track(1.4, 2.0)]
    words = timed(["to", " a", " t"], tracks, NOISE, passage("to a t"))
    assert [word.source for word in words] == ["aligned", "interpolated", "aligned"]
    assert words[1].confidence is None
    assert words[0].end <= words[1].start < words[1].end <= words[2].start


def test_without_any_track_words_are_spread_over_the_speech():
    regions = SpeechRegion(2.0, 3.0), SpeechRegion(6.0, 7.0)
    words = timed(["ab", " cd"], [NO_TRACK, NO_TRACK], NOISE, passage("ab cd", *regions))
    assert [(word.start, word.end, word.source) for word in words] == [
        (2.0, 3.0, "interpolated"),
        (6.0, 7.0, "interpolated"),
    ]


def test_confidence_grows_with_the_characters_probabilities():
    values = [confidence(WordTrack((0.0, 1.0), (p,))) for p in (0.0, 1e-4, 1e-3, 1e-2, 1.0)]
    assert values == sorted(set(values))
    assert values[2] == pytest.approx(0.5)
    assert values[0] >= 0.0
    assert values[-1] <= 1.0


def test_one_doubtful_character_makes_a_word_doubtful():
    assert confidence(WordTrack((0.0, 1.0), (0.5, 1e-5))) < confidence(WordTrack((0.0, 1.0), (0.01, 0.01)))
