from __future__ import annotations

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.embedding import DIMENSIONS, EmbeddingNetwork, clean_frames, embed, unit
from wortlaut.diarization.frames import frame_times
from wortlaut.diarization.segmentation import FRAMES_PER_WINDOW, Segmentation
from wortlaut.errors import ModelCorrupt


class CountingNetwork:
    """Remembers how many frames it was given; its vector is their mean in the first two dimensions."""

    def __init__(self):
        self.frames = []

    def embed(self, features):
        self.frames += [features.shape[1]] * len(features)
        return np.tile(np.eye(1, DIMENSIONS, dtype=np.float32), (len(features), 1))


def one_window(*speech):
    """Return a segmentation of 10 s from (track, start, end)."""
    times = frame_times(FRAMES_PER_WINDOW)
    tracks = np.zeros((1, FRAMES_PER_WINDOW, 3), np.uint8)
    for track, start, end in speech:
        tracks[0, (times >= start) & (times < end), track] = 1
    count = tracks[0].sum(axis=1)
    return Segmentation(np.zeros(1), tracks, (count > 0).astype(np.float32), (count > 1).astype(np.float32))


def test_clean_frames_surround_the_point():
    frames = clean_frames(one_window((1, 0, 10)), 5.0)
    assert (frames[0], frames[-1]) == (425, 574)


def test_frames_of_others_and_of_overlap_are_left_out():
    frames = clean_frames(one_window((0, 0, 5.2), (1, 4.8, 10)), 4.5)
    assert 374 <= frames[0] <= 376
    assert frames[-1] == pytest.approx(480 - 1.25, abs=2)


def test_the_stretch_grows_until_enough_is_clean():
    bursts = [(2, start, start + 0.25) for start in (3.1, 4.1, 4.9, 5.7, 6.6)]
    assert len(clean_frames(one_window(*bursts), 5.0)) == pytest.approx(75, abs=5)


def test_nothing_is_clean_where_nobody_or_everybody_speaks():
    assert not len(clean_frames(one_window((0, 0, 3)), 5.0))
    assert not len(clean_frames(one_window((0, 0, 10), (1, 0, 10)), 5.0))


def test_points_lie_where_somebody_speaks_alone(rng):
    network = CountingNetwork()
    audio = Audio.from_array(rng.normal(0, 0.1, 10 * SAMPLE_RATE).astype(np.float32))
    found = embed(audio, one_window((0, 2, 4), (1, 6, 6.1)), network)
    assert found.times.tolist() == [2.0, 2.5, 3.0, 3.5, 4.0]
    assert found.vectors.shape == (5, DIMENSIONS)
    assert sorted(found.clean * 100) == pytest.approx(sorted(network.frames))
    assert max(network.frames) <= 150


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
    network = EmbeddingNetwork(models_dir / "campplus" / "campplus.onnx")
    features = rng.normal(size=(150, 80)).astype(np.float32)
    quiet, loud = network.embed(np.stack([features, features + np.float32(3.0)]))
    assert quiet.shape == (DIMENSIONS,)
    assert quiet @ loud == pytest.approx(1, abs=1e-4)


@pytest.mark.models
def test_another_network_is_refused(models_dir):
    with pytest.raises(ModelCorrupt):
        EmbeddingNetwork(models_dir / "segmentation-3.0" / "segmentation.onnx").embed(np.ones((1, 150, 80), np.float32))
