from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.diarization.frames import frame_times
from wortlaut.diarization.labelling import NOBODY
from wortlaut.diarization.overlap import neighbours, second_speakers, track_identities
from wortlaut.diarization.segmentation import FRAMES_PER_WINDOW, Segmentation

TIMES = frame_times(FRAMES_PER_WINDOW)


def inside(start, end):
    return (start <= TIMES) & (end > TIMES)


def window(*speech):
    tracks = np.zeros((1, FRAMES_PER_WINDOW, 3), np.uint8)
    for track, start, end in speech:
        tracks[0, inside(start, end), track] = 1
    count = tracks[0].sum(axis=1)
    return Segmentation(np.zeros(1), tracks, np.float32(count > 0), np.float32(count > 1))


def path_of(*speech):
    path = np.full(FRAMES_PER_WINDOW, NOBODY)
    for speaker, start, end in speech:
        path[inside(start, end)] = speaker
    return path


def test_the_second_one_is_whose_track_overlaps():
    # Speaker 3 talks over the end of speaker 1; speaker 2's short turn is nearer, but has another track.
    segmentation = window((0, 0, 5), (1, 4, 5), (1, 6.5, 9), (2, 5.2, 6))
    path = path_of((1, 0, 5), (2, 5.2, 6), (3, 6.5, 9))
    overlapped = segmentation.overlap > 0.5
    second = second_speakers(path, overlapped, segmentation, 4)
    assert (second[overlapped] == 3).all()
    assert (second[~overlapped] == NOBODY).all()


def test_without_a_track_that_helps_it_is_the_neighbour():
    segmentation = window((0, 0, 4), (1, 3.5, 4))
    path = path_of((0, 0, 4), (1, 6, 9))
    overlapped = segmentation.overlap > 0.5
    assert set(second_speakers(path, overlapped, segmentation, 2)[overlapped].tolist()) == {1}


def test_one_speaker_has_no_second():
    segmentation = window((0, 0, 9), (1, 2, 3))
    assert (second_speakers(path_of((0, 0, 9)), segmentation.overlap > 0.5, segmentation, 1) == NOBODY).all()


def test_identities_by_hand():
    tracks = np.zeros((100, 3), np.uint8)
    tracks[:40, 0] = 1
    tracks[40:50, 1] = 1
    tracks[45:50, 2] = 1
    path = np.repeat([0, 1, 0], [30, 10, 60])
    expected = [[30 / 40, 10 / 40], [5 / 20, 0], [0, 0]]  # five frames of track 1 alone are too few to be sure
    assert track_identities(tracks, path, 2) == pytest.approx(np.array(expected))


def test_the_nearest_other_turn():
    path = np.array([0, 0, 0, NOBODY, 1, 1, NOBODY, NOBODY, NOBODY, 2])
    assert neighbours(path).tolist() == [1, 1, 1, NOBODY, 0, 0, NOBODY, NOBODY, NOBODY, 1]


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=80), st.integers(0, 1000))
def test_the_second_speaker_is_another_and_only_where_two_speak(speakers, seed):
    rng = np.random.default_rng(seed)
    path = np.full(FRAMES_PER_WINDOW, NOBODY)
    path[: 7 * len(speakers)] = np.repeat(speakers, 7)
    tracks = (rng.random((1, FRAMES_PER_WINDOW, 3)) < 0.4).astype(np.uint8)
    overlapped = rng.random(FRAMES_PER_WINDOW) < 0.3
    nothing = np.zeros(FRAMES_PER_WINDOW, np.float32)
    second = second_speakers(path, overlapped, Segmentation(np.zeros(1), tracks, nothing, nothing), 4)
    assert (second[~overlapped | (path == NOBODY)] == NOBODY).all()
    named = second != NOBODY
    assert (second[named] != path[named]).all()
