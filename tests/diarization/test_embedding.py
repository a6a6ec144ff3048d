from __future__ import annotations

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.embedding import DIMENSIONS, EmbeddingNetwork, around, clean_stretches, embed, unit
from wortlaut.diarization.frames import frame_times
from wortlaut.diarization.segmentation import FRAMES_PER_WINDOW, Segmentation
from wortlaut.errors import ModelCorrupt


class CountingNetwork:
    """Remembers of how many frames it was given how many each part has; its vector is the first axis."""

    def __init__(self):
        self.frames = []
        self.parts = []

    def embed(self, features, parts):
        assert parts.shape[1:] == (len(features),)
        self.frames.append(len(features))
        self.parts += parts.sum(axis=1).tolist()
        return np.tile(np.eye(1, DIMENSIONS, dtype=np.float32), (len(parts), 1))


def one_window(*speech):
    """Return a segmentation of 10 s from (track, start, end)."""
    times = frame_times(FRAMES_PER_WINDOW)
    tracks = np.zeros((1, FRAMES_PER_WINDOW, 3), np.uint8)
    for track, start, end in speech:
        tracks[0, (times >= start) & (times < end), track] = 1
    count = tracks[0].sum(axis=1)
    return Segmentation(np.zeros(1), tracks, (count > 0).astype(np.float32), (count > 1).astype(np.float32))


def stretches(segmentation, *times):
    """Return the clean frames of each track that speaks at one of the times."""
    found = clean_stretches(segmentation, 0, np.array(times))
    return {track: frames for track, (_, frames) in found.items()}


def test_clean_frames_surround_the_points():
    frames = stretches(one_window((1, 0, 10)), 4.5, 5.0)[1]
    assert (frames[0], frames[-1]) == (375, 574)


def test_frames_of_others_and_of_overlap_are_left_out():
    frames = stretches(one_window((0, 0, 5.2), (1, 4.8, 10)), 4.5)[0]
    assert 374 <= frames[0] <= 376
    assert frames[-1] == pytest.approx(480 - 1.25, abs=2)


def test_the_stretch_grows_until_enough_is_clean():
    bursts = [(2, start, start + 0.25) for start in (3.1, 4.1, 4.9, 5.7, 6.6)]
    assert len(stretches(one_window(*bursts), 5.0)[2]) == pytest.approx(75, abs=5)


def test_nothing_is_clean_where_nobody_or_everybody_speaks():
    assert stretches(one_window((0, 0, 3)), 5.0) == {}
    assert stretches(one_window((0, 0, 10), (1, 0, 10)), 5.0) == {}


def test_each_point_belongs_to_the_track_that_speaks_there():
    found = clean_stretches(one_window((2, 1, 4), (0, 5, 9)), 0, np.arange(0, 10, 0.5))
    assert found[0][0].tolist() == [5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0]
    assert found[2][0].tolist() == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert 1 not in found


def test_a_part_is_what_lies_around_its_point():
    near = np.flatnonzero(around(np.arange(400), 2.0))
    assert (near[0], near[-1]) == (124, 273)  # 25 ms frames whose middles lie within 0.75 s


def test_a_part_grows_where_frames_are_few():
    every_fifth = np.arange(0, 400, 5)
    assert np.diff(np.flatnonzero(around(every_fifth, 2.0))[[0, -1]]) * 5 / 100 > 2 * 1.25


def test_points_lie_where_somebody_speaks_alone(rng):
    network = CountingNetwork()
    audio = Audio.from_array(rng.normal(0, 0.1, 10 * SAMPLE_RATE).astype(np.float32))
    found = embed(audio, one_window((0, 2, 4), (1, 6, 6.1)), network)
    assert found.times.tolist() == [2.0, 2.5, 3.0, 3.5, 4.0]
    assert found.vectors.shape == (5, DIMENSIONS)
    assert (found.clean * 100).tolist() == pytest.approx(network.parts)
    assert max(network.parts) <= 150


def test_every_frame_goes_through_the_network_once_in_a_window(rng):
    network = CountingNetwork()
    audio = Audio.from_array(rng.normal(0, 0.1, 10 * SAMPLE_RATE).astype(np.float32))
    embed(audio, one_window((0, 1, 4), (1, 5, 9)), network)
    assert sorted(network.frames) == pytest.approx([300, 400], abs=4)


def test_silence_needs_no_network():
    found = embed(Audio.from_array(np.zeros(10 * SAMPLE_RATE, np.float32)), one_window(), None)
    assert found.times.shape == found.clean.shape == (0,)
    assert found.vectors.shape == (0, DIMENSIONS)


def test_threads_change_nothing(rng):
    audio = Audio.from_array(rng.normal(0, 0.1, 10 * SAMPLE_RATE).astype(np.float32))
    one, two = (embed(audio, one_window((0, 1, 9)), CountingNetwork(), threads=threads) for threads in (1, 2))
    assert one.times.tolist() == two.times.tolist()
    assert one.clean.tolist() == two.clean.tolist()


def test_unit_vectors(rng):
    vectors = rng.normal(size=(5, 7)).astype(np.float32)
    assert np.linalg.norm(unit(vectors), axis=1) == pytest.approx(1)
    assert not unit(np.zeros((1, 7), np.float32)).any()


@pytest.mark.models
def test_the_network_is_deaf_to_loudness(models_dir, rng):
    network = EmbeddingNetwork(models_dir / "campplus-pooled" / "campplus.onnx")
    features, everything = rng.normal(size=(150, 80)).astype(np.float32), np.ones((1, 150), bool)
    (quiet,), (loud,) = (network.embed(features + np.float32(level), everything) for level in (0.0, 3.0))
    assert quiet.shape == (DIMENSIONS,)
    assert quiet @ loud == pytest.approx(1, abs=1e-4)


@pytest.mark.models
def test_another_network_is_refused(models_dir):
    network = EmbeddingNetwork(models_dir / "segmentation-3.0-int8" / "segmentation.onnx")
    with pytest.raises(ModelCorrupt, match="1 inputs, not 2"):
        network.embed(np.ones((150, 80), np.float32), np.ones((1, 150), bool))
