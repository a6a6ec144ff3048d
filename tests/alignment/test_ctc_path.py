"""The CTC lattice: against every path there is, and what must hold for any emissions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.alignment import ctc_path
from wortlaut.alignment.ctc_path import align_tokens

BLANK = 0


def emissions(frames, vocabulary, seed):
    logits = np.random.default_rng(seed).normal(0, 3, (frames, vocabulary))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def collapsed(path):
    return tuple(label for label, _ in itertools.groupby(path) if label != BLANK)


def best_by_trying_all(log_probs, tokens):
    """Return the best labelling of all frames that reads as `tokens`, None if there is none."""
    frames, vocabulary = log_probs.shape
    paths = [path for path in itertools.product(range(vocabulary), repeat=frames) if collapsed(path) == tokens]
    return max(paths, key=lambda path: sum(log_probs[range(frames), path]), default=None)


def runs(path):
    """Return [first, stop) of each token of a labelling."""
    at, found = 0, []
    for label, group in itertools.groupby(path):
        length = len(list(group))
        if label != BLANK:
            found.append((at, at + length))
        at += length
    return found


@given(
    tokens=st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple),
    frames=st.integers(1, 6),
    seed=st.integers(0, 10_000),
)
def test_it_is_the_best_of_all_paths(tokens, frames, seed):
    log_probs = emissions(frames, 4, seed)
    expected = best_by_trying_all(log_probs, tokens)
    spans = align_tokens(log_probs, np.array(tokens), BLANK)
    if expected is None:
        assert spans is None
    else:
        assert [(span.first, span.stop) for span in spans] == runs(expected)
        for span, token in zip(spans, tokens, strict=True):
            assert span.log_prob == pytest.approx(log_probs[span.first : span.stop, token].mean())


@given(
    tokens=st.lists(st.integers(1, 5), max_size=60),
    spare=st.integers(0, 80),
    seed=st.integers(0, 10_000),
    block=st.sampled_from([1, 7, 512]),
)
def test_tokens_are_ordered_inside_and_equal_neighbours_are_apart(tokens, spare, seed, block):
    repeats = sum(a == b for a, b in itertools.pairwise(tokens))
    frames = len(tokens) + repeats + spare
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ctc_path, "BLOCK", block)
        spans = align_tokens(emissions(max(frames, 1), 6, seed), np.array(tokens, dtype=np.int64), BLANK)
    assert len(spans) == len(tokens)
    edges = [edge for span in spans for edge in (span.first, span.stop)]
    assert edges == sorted(edges)
    assert all(0 <= span.first < span.stop <= frames for span in spans)
    for (a, b), (before, after) in zip(itertools.pairwise(tokens), itertools.pairwise(spans), strict=True):
        assert a != b or before.stop < after.first


def test_blocks_make_no_difference(monkeypatch):
    log_probs, tokens = emissions(700, 30, 1), np.random.default_rng(2).integers(1, 30, 200)
    whole = align_tokens(log_probs, tokens, BLANK)
    monkeypatch.setattr(ctc_path, "BLOCK", 13)
    assert align_tokens(log_probs, tokens, BLANK) == whole


def test_what_does_not_fit_is_not_aligned():
    assert align_tokens(emissions(3, 4, 0), np.array([1, 1, 2]), BLANK) is None  # a blank between the two
    assert align_tokens(emissions(4, 4, 0), np.array([1, 1, 2]), BLANK) is not None


def test_a_token_ends_where_it_is_last_said():
    """Not where the next one begins: the pause between them belongs to neither."""
    said = [BLANK, 1, 1, BLANK, BLANK, BLANK, 2, BLANK]
    log_probs = np.log(np.full((8, 3), 0.05))
    log_probs[range(8), said] = np.log(0.9)
    spans = align_tokens(log_probs, np.array([1, 2]), BLANK)
    assert [(span.first, span.stop) for span in spans] == [(1, 3), (6, 7)]
