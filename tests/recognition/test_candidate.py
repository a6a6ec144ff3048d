from __future__ import annotations

import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.options import Decoding
from wortlaut.recognition.candidate import (
    CHARACTERS_PER_SECOND,
    LONGEST_PHRASE_TOKENS,
    LOOP_REPEATS,
    LOOP_TOKENS,
    SPARE_CHARACTERS,
    Candidate,
    doubts,
    has_loop,
    is_repetitive,
    is_silence,
    is_sparse,
    is_too_long,
    is_too_short,
    joined,
    most_credible,
    says_the_same,
    spoken_length,
)

GOOD = Candidate((1, 2, 3), " Wer nichts weiß, muss alles glauben.", -0.3, 0.01, 0.0)


def has_loop_by_definition(tokens: tuple[int, ...]) -> bool:
    """Try each phrase at each place and count how often it follows itself."""
    for size in range(1, LONGEST_PHRASE_TOKENS + 1):
        for start in range(len(tokens) - size + 1):
            end = start
            while tokens[end : end + size] == tokens[start : start + size]:
                end += size
            while end < len(tokens) and tokens[end] == tokens[end - size]:
                end += 1  # a phrase cut off in the middle still counts
            if end - start >= max(LOOP_REPEATS * size, LOOP_TOKENS):
                return True
    return False


def test_a_good_text_raises_no_doubt():
    assert doubts(GOOD, Decoding(), speech_seconds=3.0) == ()


def test_compression_is_measured_in_bytes():
    text = "äöü" * 40
    assert replace(GOOD, text=text).compression_ratio == 240 / len(zlib.compress(text.encode()))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": " Danke." * 30}, "repeats"),
        ({"tokens": (5, 6) * 20}, "repeats"),
        ({"avg_logprob": -1.01}, "unsure"),
        ({"text": " Ja."}, "nothing"),
        ({"text": "".join(chr(0x4E00 + 17 * i) for i in range(300))}, "longer"),
    ],
)
def test_each_sign_of_invention_raises_its_doubt(change, words):
    [reason] = doubts(replace(GOOD, **change), Decoding(), speech_seconds=6.0)
    assert words in reason


def test_thresholds_are_those_of_the_options():
    unsure, repeated = replace(GOOD, avg_logprob=-2.0), replace(GOOD, text=" Danke." * 30)
    assert doubts(unsure, Decoding(logprob_threshold=None), speech_seconds=3.0) == ()
    assert doubts(unsure, Decoding(logprob_threshold=-2.5), speech_seconds=3.0) == ()
    assert doubts(GOOD, Decoding(logprob_threshold=-0.1), speech_seconds=3.0)
    assert not is_repetitive(repeated, Decoding(compression_ratio_threshold=None))
    assert not is_repetitive(repeated, Decoding(compression_ratio_threshold=20.0))


@pytest.mark.parametrize(
    ("no_speech", "logprob", "decoding", "expected"),
    [
        (0.7, -1.5, Decoding(), True),
        (0.7, -0.5, Decoding(), False),
        (0.5, -1.5, Decoding(), False),
        (0.7, -0.5, Decoding(logprob_threshold=None), True),
        (0.7, -1.5, Decoding(no_speech_threshold=None), False),
    ],
)
def test_silence_needs_both_signs(no_speech, logprob, decoding, expected):
    candidate = replace(GOOD, no_speech_prob=no_speech, avg_logprob=logprob)
    assert is_silence(candidate, decoding, speech_seconds=3.0) is expected


@pytest.mark.parametrize(
    ("text", "no_speech", "seconds", "expected"),
    [
        (" you", 0.93, 30.0, True),
        (" you", 0.93, 0.5, False),
        (" you", 0.3, 30.0, False),
        (GOOD.text, 0.93, 30.0, False),
    ],
)
def test_next_to_nothing_in_much_silence_is_silence(text, no_speech, seconds, expected):
    candidate = replace(GOOD, text=text, no_speech_prob=no_speech, avg_logprob=-0.5)
    assert is_silence(candidate, Decoding(), speech_seconds=seconds) is expected


@pytest.mark.parametrize(("text", "seconds", "expected"), [("", 5.0, True), ("a", 4.9, False), ("a" * 30, 30.0, False)])
def test_much_speech_needs_some_text(text, seconds, expected):
    assert is_too_short(text, seconds) is expected


@given(st.floats(0, 30))
def test_longer_speech_carries_longer_text(seconds):
    limit = int(SPARE_CHARACTERS + CHARACTERS_PER_SECOND * seconds)
    assert not is_too_long("x" * limit, seconds)
    assert is_too_long("x" * (limit + 1), seconds)


@given(st.lists(st.integers(0, 2), max_size=60).map(tuple))
def test_loops_are_found_where_the_definition_finds_them(tokens):
    assert has_loop(tokens) == has_loop_by_definition(tokens)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(0, 20))
def test_a_phrase_said_again_and_again_is_a_loop(phrase, before):
    lead = tuple(range(100, 100 + before))
    repeats = max(LOOP_REPEATS, -(-LOOP_TOKENS // len(phrase)))
    assert has_loop(lead + tuple(phrase) * repeats)


@given(st.lists(st.integers(), max_size=100, unique=True).map(tuple))
def test_what_is_said_once_is_no_loop(tokens):
    assert not has_loop(tokens)


def test_emphasis_is_no_loop():
    assert not has_loop((7,) * 6)
    assert not has_loop((1, 2, 3, 4, 5, 6) * 3)


def test_the_most_probable_text_is_most_credible():
    doubtful = [replace(GOOD, avg_logprob=logprob) for logprob in (-1.5, -1.2, -2.0)]
    assert most_credible(doubtful, Decoding()) is doubtful[1]


def test_a_loop_is_less_credible_than_doubt():
    loop, doubt = replace(GOOD, tokens=(5,) * 40, avg_logprob=-0.1), replace(GOOD, avg_logprob=-1.5)
    assert most_credible([loop, doubt], Decoding()) is doubt
    assert most_credible([loop], Decoding()) is loop


def test_a_syllable_counts_for_its_letters():
    assert spoken_length("abc é") == 5
    assert spoken_length("東京") == spoken_length("도쿄") == 5


@pytest.mark.parametrize(
    ("text", "seconds", "expected"),
    [("x" * 55, 8.0, True), ("x" * 56, 8.0, False), ("x", 7.9, False), ("字" * 23, 8.0, False)],
)
def test_much_speech_with_little_text_is_sparse(text, seconds, expected):
    assert is_sparse(text, seconds) is expected


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        (" Yes. Yes. Yes.", " yes yes", True),
        (" Ask not what you can do.", " Ask not what you can do. And so, my fellow Americans", True),
        (" Ask not what you can do. And so, my fellow Americans", " Ask not what you can do.", False),
        (" no", " yes", False),
        (" 東京は晴れ", " 東京は晴れ、東京は晴れ。", True),
        ("", " yes", False),
        (" ...", " yes", False),
    ],
)
def test_saying_the_same_does_not_depend_on_how_often(text, other, expected):
    assert says_the_same(text, other) is expected


def test_pieces_are_joined_by_the_weight_of_their_tokens():
    whole = joined([Candidate((1, 2, 3), " abc", -0.4, 0.3, 0.0), Candidate((4,), " d", -0.1, 0.2, 0.0)])
    assert (whole.tokens, whole.text, whole.no_speech_prob) == ((1, 2, 3, 4), " abc d", 0.2)
    assert whole.avg_logprob == pytest.approx((4 * -0.4 + 2 * -0.1) / 6)
