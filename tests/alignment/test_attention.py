"""Onsets, pieces and cuts, with an engine that answers from a script."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from wortlaut.alignment import attention
from wortlaut.alignment.attention import WordTrack, find_cut, find_onsets, track_words
from wortlaut.alignment.spelling import SpelledWord
from wortlaut.errors import OutOfMemory


class OracleEngine:
    """Knows the true frame of each token; reads from the states which frames of the recording it was given."""

    def __init__(self, onset_of):
        self.onset_of = onset_of
        self.calls = []

    def align(self, features, start_sequence, text_tokens, num_frames, *, median_filter_width):
        states = np.array(features)
        offset, count = int(states[0, 0, 0]), states.shape[1]
        assert num_frames == 2 * count
        (tokens,) = text_tokens
        self.calls.append(tokens)
        frames = [self.onset_of[token] - offset for token in [*tokens, tokens[-1] + 1]]
        frames = [min(max(frame, 0), count - 1) for frame in frames]
        ends = [*frames[1:], count]
        path = [
            (row, frame)
            for row, (first, stop) in enumerate(zip(frames, ends, strict=True))
            for frame in range(first, max(stop, first + 1))
        ]
        return [SimpleNamespace(alignments=path, text_token_probs=[0.5] * len(tokens))]


def numbered_words(count, letters=4):
    """Return words of a space and letters, whose tokens are numbered through."""
    size = letters + 1
    return [
        SpelledWord(" word", tuple(range(position * size, (position + 1) * size)), 1, size) for position in range(count)
    ]


def numbered_states(count):
    return np.repeat(np.arange(count, dtype=np.float32)[:, None], 4, axis=1)


def test_onsets_are_the_first_frames_of_the_tokens():
    path = [(0, 0), (0, 1), (1, 2), (2, 2), (2, 3)]
    assert find_onsets(path, 2, 4) == [0, 2, 2]


@pytest.mark.parametrize(
    "path",
    [
        [],
        [(0, 0), (2, 1)],  # a token is missing
        [(0, 0), (1, 1)],  # the end is missing
        [(0, 3), (1, 1), (2, 3)],  # back in time
        [(0, 0), (1, 1), (2, 4)],  # beyond the window
        [(0, -1), (1, 1), (2, 3)],
        [(0, 0), (1, 1), (2, 2), (3, 3)],  # a token too many
    ],
)
def test_what_is_no_path_has_no_onsets(path):
    assert find_onsets(path, 2, 4) is None


def test_tracks_have_the_onsets_of_the_spoken_tokens_and_of_what_follows():
    words = numbered_words(2, letters=2)  # tokens 0-2 and 3-5
    engine = OracleEngine([0, 10, 15, 20, 25, 30, 35])
    first, second = track_words(engine, numbered_states(50), [1], words)
    assert first.onsets == pytest.approx((0.2, 0.3, 0.4))
    assert second.onsets == pytest.approx((0.5, 0.6, 0.7))
    assert first.probabilities == (0.5, 0.5)


@pytest.mark.parametrize("limit", [10, 37, 100, 300])
def test_pieces_agree_with_the_whole(monkeypatch, rng, limit):
    words = numbered_words(80)
    onsets = [0, *np.cumsum(rng.integers(1, 6, size=400)).tolist()]
    states = numbered_states(onsets[-1] + 20)
    monkeypatch.setattr(attention, "LARGEST_TEXT", 1000)
    whole = track_words(OracleEngine(onsets), states, [1], words)
    monkeypatch.setattr(attention, "LARGEST_TEXT", limit)
    monkeypatch.setattr(attention, "LARGEST_PIECE", limit)
    engine = OracleEngine(onsets)
    pieces = track_words(engine, states, [1], words)
    assert len(engine.calls) > 1
    assert max(map(len, engine.calls)) <= limit
    for piece_track, whole_track in zip(pieces, whole, strict=True):
        assert piece_track.onsets == pytest.approx(whole_track.onsets, abs=0.081)


def test_a_word_longer_than_a_piece_comes_to_an_end(monkeypatch):
    monkeypatch.setattr(attention, "LARGEST_TEXT", 20)
    monkeypatch.setattr(attention, "LARGEST_PIECE", 10)
    tracks = track_words(OracleEngine(list(range(200))), numbered_states(200), [1], numbered_words(3, letters=25))
    assert len(tracks) == 3


@pytest.mark.parametrize(
    ("pauses", "kept"),
    [
        ([9, 9, 9, 0, 0.1, 0.3, 0.2, 9, 9], 6),  # the longest of the middle
        ([0, 0, 0, 0, 0.5, 0.3, 3.0, 0, 0], 5),  # the first that is clear
        ([0, 0, 0, 0, 0, 0, 0, 0, 0], 4),
        ([0], 1),
        ([], 1),
    ],
)
def test_a_piece_is_cut_at_a_pause_in_its_middle(pauses, kept):
    ends = np.cumsum([1.0, *(1.0 + pause for pause in pauses)]).tolist()
    assert find_cut([WordTrack((end - 1.0, end), ()) for end in ends]) == kept


def test_without_a_path_the_rest_is_not_measured():
    engine = SimpleNamespace(align=lambda *_, **__: [SimpleNamespace(alignments=[], text_token_probs=[])])
    tracks = track_words(engine, numbered_states(50), [1], numbered_words(3))
    assert [track.is_measured for track in tracks] == [False] * 3


def test_too_few_frames_are_not_given_to_the_engine():
    tracks = track_words(SimpleNamespace(), numbered_states(2), [1], numbered_words(3))
    assert not any(track.is_measured for track in tracks)


def test_faults_of_the_engine_become_ours():
    def fail(*_, **__):
        raise RuntimeError("CUDA failed with error out of memory")

    with pytest.raises(OutOfMemory):
        track_words(SimpleNamespace(align=fail), numbered_states(50), [1], numbered_words(3))
