from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from wortlaut.evaluation.text_errors import TextErrors, matched, text_errors

words = st.lists(st.sampled_from("abcde"), max_size=8)


def edit_distance(truth: list[str], heard: list[str]) -> int:
    """Levenshtein's recursion as he wrote it: slow, and nothing like the library's."""
    if not truth or not heard:
        return len(truth) + len(heard)
    if truth[0] == heard[0]:
        return edit_distance(truth[1:], heard[1:])
    return 1 + min(
        edit_distance(truth[1:], heard), edit_distance(truth, heard[1:]), edit_distance(truth[1:], heard[1:])
    )


def test_a_textbook_example() -> None:
    truth = ["the", "cat", "sat", "on", "the", "mat"]
    heard = ["the", "cat", "sit", "on", "mat", "mat"]
    assert text_errors(truth, heard).count == 2
    assert text_errors(["a", "b", "c", "d"], ["a", "x", "c"]) == TextErrors(1, 1, 0, 4)
    assert text_errors(["a", "b"], ["a", "c", "b", "d"]) == TextErrors(0, 0, 2, 2)


def test_silence_on_either_side() -> None:
    assert text_errors([], []) == TextErrors(0, 0, 0, 0)
    assert text_errors(["a", "b"], []) == TextErrors(0, 2, 0, 2)
    assert text_errors([], ["a", "b"]) == TextErrors(0, 0, 2, 0)
    assert matched([], ["a"]) == matched(["a"], []) == []


def test_inventing_words_costs_more_than_everything() -> None:
    assert text_errors(["a"], ["b", "c", "d"]).rate.percent == 300


@given(words, words)
def test_the_count_is_the_edit_distance(truth: list[str], heard: list[str]) -> None:
    assert text_errors(truth, heard).count == edit_distance(truth, heard)


@given(words, words)
def test_matches_are_equal_words_in_order_and_account_for_all_words(truth: list[str], heard: list[str]) -> None:
    pairs = matched(truth, heard)
    assert all(truth[true] == heard[guess] for true, guess in pairs)
    assert all(a < b and c < d for (a, c), (b, d) in itertools.pairwise(pairs))
    errors = text_errors(truth, heard)
    assert len(pairs) == len(truth) - errors.substitutions - errors.deletions
    assert len(matched(truth, heard, substitutions=True)) == len(truth) - errors.deletions


def test_words_without_letters_match_nothing() -> None:
    assert matched(["", "a"], ["", "a"]) == [(1, 1)]
