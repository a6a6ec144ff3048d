"""The most probable way of given tokens through the frames of a CTC network: Viterbi over the CTC lattice.

Each frame says one token or the blank. A token may last several frames; blanks may stand before, between and after
tokens, and must stand between two equal ones. Graves et al., "Connectionist Temporal Classification" (ICML 2006).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BLOCK = 512
"""Frames whose decisions are held at once. Only the scores at the start of each block are kept on the way through;
the decisions within are made again on the way back. An hour of frames takes megabytes instead of gigabytes."""

_NEVER = -np.inf

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """The frames [first, stop) that say a token; `log_prob` is the mean over them."""

    first: int
    stop: int
    log_prob: float


def align_tokens(log_probs: NDArray[np.floating], tokens: NDArray[np.integer], blank: int) -> list[TokenSpan] | None:
    """Return where each token is said, None where the frames are too few for them.

    `log_probs` has shape (frames, vocabulary) and holds no NaN; a token never is the blank.
    """
    if not len(tokens):
        return []
    if len(log_probs) < _fewest_frames(tokens):
        return None
    return _spans(_best_states(log_probs, _Lattice.of(tokens, blank)), log_probs, tokens)


def _fewest_frames(tokens: NDArray[np.integer]) -> int:
    return len(tokens) + int(np.count_nonzero(tokens[1:] == tokens[:-1]))


@dataclass(frozen=True, slots=True)
class _Lattice:
    """The states of each frame: blank, token 0, blank, token 1 ... blank; state 2k + 1 says token k.

    `labels` is the column of each state, `passes_blank` where a state may follow the one two before it.
    Both have shape (2 * tokens + 1,).
    """

    labels: NDArray[np.integer]
    passes_blank: NDArray[np.bool_]

    @classmethod
    def of(cls, tokens: NDArray[np.integer], blank: int) -> _Lattice:
        labels = np.full(2 * len(tokens) + 1, blank, dtype=np.int64)
        labels[1::2] = tokens
        passes_blank = np.zeros(len(labels), dtype=np.bool_)
        passes_blank[3::2] = tokens[1:] != tokens[:-1]
        return cls(labels, passes_blank)

    def before_first(self) -> Scores:
        """Return scores that let the first frame be blank or say the first token."""
        scores = np.full(len(self.labels), _NEVER)
        scores[0] = 0.0
        return scores

    def advance(self, scores: Scores, frame: NDArray[np.floating]) -> tuple[Scores, NDArray[np.uint8]]:
        """Return the scores after a frame, and how many states each has advanced by: 0, 1 or 2."""
        ways = np.full((3, len(scores)), _NEVER)
        ways[0] = scores
        ways[1, 1:] = scores[:-1]
        ways[2, 2:] = np.where(self.passes_blank[2:], scores[:-2], _NEVER)
        moves = ways.argmax(axis=0).astype(np.uint8)
        return ways.max(axis=0) + frame[self.labels], moves


def _best_states(log_probs: NDArray[np.floating], lattice: _Lattice) -> NDArray[np.int64]:
    """Return the state of each frame, shape (frames,)."""
    scores = lattice.before_first()
    block_scores = []
    for start in range(0, len(log_probs), BLOCK):
        block_scores.append(scores)
        for frame in log_probs[start : start + BLOCK]:
            scores, _ = lattice.advance(scores, frame)
    state = len(scores) - 1 if scores[-1] >= scores[-2] else len(scores) - 2
    states = np.empty(len(log_probs), dtype=np.int64)
    for index in range(len(block_scores) - 1, -1, -1):
        start = index * BLOCK
        moves = list(_moves(log_probs[start : start + BLOCK], block_scores[index], lattice))
        for offset in range(len(moves) - 1, -1, -1):
            states[start + offset] = state
            state -= int(moves[offset][state])
    return states


def _moves(frames: NDArray[np.floating], scores: Scores, lattice: _Lattice) -> Iterator[NDArray[np.uint8]]:
    for frame in frames:
        scores, moves = lattice.advance(scores, frame)
        yield moves


def _spans(states: NDArray[np.int64], log_probs: NDArray[np.floating], tokens: NDArray[np.integer]) -> list[TokenSpan]:
    saying = np.flatnonzero(states % 2 == 1)
    positions = states[saying] // 2
    values = log_probs[saying, tokens[positions]]
    bounds = np.searchsorted(positions, np.arange(len(tokens) + 1)).tolist()
    return [
        TokenSpan(int(saying[first]), int(saying[stop - 1]) + 1, float(values[first:stop].mean()))
        for first, stop in pairwise(bounds)
    ]
