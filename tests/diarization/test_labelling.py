from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wortlaut.diarization.embedding import Embeddings
from wortlaut.diarization.frames import FRAME_STEP, frame_count, frame_times
from wortlaut.diarization.labelling import (
    CHANGE_INSIDE_TRACK,
    CHANGE_OF_TRACK,
    NOBODY,
    Cells,
    best_path,
    divide,
    include_everyone,
    label_frames,
    nearest_points,
)
from wortlaut.diarization.segmentation import FRAMES_PER_WINDOW, Segmentation

VOICES = np.eye(2, 192, dtype=np.float32)


def recording(duration=10.0, *, change=5.0, pause=None, track_change=None):
    """Speaker 0, from `change` on speaker 1; the local track changes at `track_change`, if at all."""
    times = frame_times(frame_count(duration))
    speaking = np.ones(len(times), bool)
    if pause:
        speaking[(times >= pause[0]) & (times < pause[1])] = False
    tracks = np.zeros((1, FRAMES_PER_WINDOW, 3), np.uint8)
    window_times = frame_times(FRAMES_PER_WINDOW)
    second = window_times >= (track_change or np.inf)
    tracks[0, ~second, 0] = 1
    tracks[0, second, 1] = 1
    points = np.arange(0, duration, 0.5)
    vectors = VOICES[(points >= change).astype(int)]
    segmentation = Segmentation(np.zeros(1), tracks, speaking.astype(np.float32), np.zeros(len(times), np.float32))
    return times, speaking, segmentation, Embeddings(points, np.full(len(points), 1.5), vectors)


def score(path, gains, costs):
    stays = sum(gains[cell, speaker] for cell, speaker in enumerate(path))
    changes = sum(costs[cell] for cell in range(1, len(path)) if path[cell] != path[cell - 1])
    return stays - changes


@given(
    st.integers(1, 6).flatmap(
        lambda cells: st.tuples(
            arrays(float, (cells, 3), elements=st.floats(-2, 2)), arrays(float, cells, elements=st.floats(0, 3))
        )
    )
)
def test_the_path_is_the_best_of_all(case):
    gains, costs = case
    best = max(score(path, gains, costs) for path in itertools.product(range(3), repeat=len(gains)))
    assert score(best_path(gains, costs), gains, costs) == pytest.approx(best)


def test_a_dear_change_is_not_made_for_a_short_word():
    gains = np.array([[1.0, 0], [0, 0.5], [1.0, 0]])
    assert best_path(gains, np.full(3, 1.0)).tolist() == [0, 0, 0]
    assert best_path(gains, np.full(3, 0.1)).tolist() == [0, 1, 0]


@given(st.integers(0, 1000), st.integers(1, 30))
def test_the_nearest_point(seed, count):
    rng = np.random.default_rng(seed)
    points, times = np.sort(rng.uniform(0, 10, count)), np.sort(rng.uniform(-1, 11, 40))
    assert nearest_points(points, times).tolist() == [np.abs(points - time).argmin() for time in times]


def test_voices_become_speakers_where_they_are_heard():
    times, speaking, segmentation, embeddings = recording(change=5.0)
    path = label_frames(speaking, segmentation, embeddings, VOICES)
    assert (path[times < 4.7] == 0).all()
    assert (path[times > 5.3] == 1).all()


def test_nobody_is_labelled_in_a_pause():
    times, speaking, segmentation, embeddings = recording(pause=(4, 6))
    path = label_frames(speaking, segmentation, embeddings, VOICES)
    assert ((path == NOBODY) == ((times >= 4) & (times < 6))).all()


def test_the_speaker_changes_with_the_track():
    times, speaking, segmentation, embeddings = recording(change=5.0, track_change=4.85)
    path = label_frames(speaking, segmentation, embeddings, VOICES)
    assert times[np.flatnonzero(path == 1)[0]] == pytest.approx(4.85, abs=2 * FRAME_STEP)


def test_a_change_costs_little_where_the_track_changes_or_a_pause_is():
    _, speaking, segmentation, embeddings = recording(track_change=5.1, pause=(7, 8))
    cells = divide(speaking, segmentation, embeddings, VOICES)
    times = frame_times(len(speaking))[cells.first_frames]
    cheap = times[cells.change_costs == CHANGE_OF_TRACK]
    assert cheap.min() == pytest.approx(5.1, abs=2 * FRAME_STEP)
    assert set(cells.change_costs.tolist()) == {CHANGE_OF_TRACK, CHANGE_INSIDE_TRACK}
    assert ((np.abs(times - 7) < 0.02) & (cells.change_costs == CHANGE_OF_TRACK)).any()


def test_without_a_voice_all_speech_is_one_speaker():
    _, speaking, segmentation, _ = recording(pause=(2, 3))
    nothing = Embeddings(np.zeros(0), np.zeros(0), np.zeros((0, 192), np.float32))
    path = label_frames(speaking, segmentation, nothing, nothing.vectors)
    assert (path == np.where(speaking, 0, NOBODY)).all()


def cells_of(gains, heard=None):
    count = len(gains)
    return Cells(np.arange(count), gains, np.full(count, 1.0), np.ones(count, bool) if heard is None else heard)


def test_who_was_left_out_gets_the_cell_that_costs_least():
    gains = np.array([[1.0, 0, 0.2], [1.0, 0, 0.9], [0, 1.0, 0.5], [0, 1.0, 0.1]])
    path = np.array([0, 0, 1, 1])
    assert include_everyone(path, cells_of(gains), 3).tolist() == [0, 2, 1, 1]
    assert include_everyone(path, cells_of(gains), 2).tolist() == path.tolist()


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 5))
def test_as_many_are_heard_as_cells_allow(seed, cells, speakers):
    rng = np.random.default_rng(seed)
    heard = rng.random(cells) < 0.8
    gains = np.where(heard[:, None], rng.normal(size=(cells, speakers)), 0)
    path = best_path(gains, np.full(cells, 5.0))
    complete = include_everyone(path, cells_of(gains, heard), speakers)
    assert len(set(complete[heard].tolist())) == min(speakers, heard.sum())
