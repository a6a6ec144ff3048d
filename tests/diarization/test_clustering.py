from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.diarization.clustering import (
    USUAL_CUT,
    cluster,
    cluster_into,
    cosine_distances,
    count_merges,
    find_voices,
    labels_after,
    merge_most_alike,
    refine,
    silhouette,
    thin_out,
)
from wortlaut.diarization.embedding import Embeddings, unit
from wortlaut.options import Speakers


def voices(rng, *sizes, spread=0.35, dimensions=48):
    """Return points around `len(sizes)` orthogonal voices, and which voice each has."""
    centres = np.eye(len(sizes), dimensions)
    noise = rng.normal(0, spread / np.sqrt(dimensions), (sum(sizes), dimensions))
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return unit((centres[truth] + noise).astype(np.float32)), truth


def embeddings(vectors, clean=None):
    count = len(vectors)
    return Embeddings(np.arange(count) / 2, np.full(count, 1.5) if clean is None else np.array(clean), vectors)


def same_partition(labels, truth):
    return len(set(zip(labels.tolist(), truth.tolist(), strict=True))) == len(set(labels.tolist())) == len(set(truth))


points = st.builds(
    lambda seed, count, repeats: unit(
        np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)[np.arange(count * repeats) % count]
    ),
    st.integers(0, 10_000),
    st.integers(1, 12),
    st.integers(1, 3),
)


@pytest.mark.parametrize("sizes", [(40,), (40, 40), (60, 30, 12), (25, 25, 25, 25, 25, 25)])
def test_finds_how_many_voices_there_are(rng, sizes):
    vectors, truth = voices(rng, *sizes)
    assert same_partition(cluster(vectors), truth)


def test_a_few_stray_points_are_given_to_the_nearest_voice(rng):
    vectors, truth = voices(rng, 60, 60)
    strays = unit((np.eye(3, 48)[[0, 0, 1]] + 1.3 * np.eye(48)[[10, 11, 12]]).astype(np.float32))
    labels = cluster(np.concatenate([vectors, strays]))
    assert same_partition(labels, np.concatenate([truth, [0, 0, 1]]))


def test_one_strange_sound_in_a_short_recording_is_no_speaker(rng):
    vectors, _ = voices(rng, 9, 1)
    assert cluster(vectors).max() == 0
    vectors, truth = voices(rng, 8, 2)
    assert same_partition(cluster(vectors), truth)


@given(points)
def test_every_label_is_used_from_zero_on(vectors):
    labels = cluster(vectors)
    assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))
    assert len(labels) == len(vectors)


@given(points, st.data())
def test_a_demanded_number_is_always_met(vectors, data):
    wanted = data.draw(st.integers(1, len(vectors)))
    labels = cluster_into(vectors, wanted)
    assert sorted(set(labels.tolist())) == list(range(wanted))


@given(points, st.data())
def test_merging_stops_at_the_demanded_number_and_never_splits(vectors, data):
    before = np.arange(len(vectors))
    wanted = data.draw(st.integers(1, len(vectors)))
    middle = merge_most_alike(vectors, before, data.draw(st.integers(wanted, len(vectors))))
    after = merge_most_alike(vectors, middle, wanted)
    assert sorted(set(after.tolist())) == list(range(wanted))
    for one, other in itertools.combinations(range(len(vectors)), 2):
        assert middle[one] != middle[other] or after[one] == after[other]


def test_merging_takes_the_two_most_alike():
    vectors = unit(np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0.2], [0, 0, 1]], np.float32))
    assert merge_most_alike(vectors, np.arange(4), 3).tolist() == [0, 1, 1, 2]


@settings(max_examples=40)
@given(points, st.integers(1, 6), st.integers(0, 3))
def test_a_range_is_obeyed_where_there_are_enough_points(vectors, minimum, more):
    found = find_voices(embeddings(vectors), Speakers(minimum, minimum + more))
    assert min(minimum, len(vectors)) <= len(found) <= minimum + more
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_true_number_changes_nothing(rng):
    vectors, _ = voices(rng, 30, 20, 10)
    free, given_number = (find_voices(embeddings(vectors), some) for some in (Speakers(), Speakers(3, 3)))
    np.testing.assert_array_equal(free, given_number)


def test_who_says_little_is_found_when_the_number_is_given(rng):
    vectors, truth = voices(rng, 50, 50, 2)
    clean = np.where(truth == 2, 0.5, 1.5)
    assert len(find_voices(embeddings(vectors, clean), Speakers())) == 2
    found = find_voices(embeddings(vectors, clean), Speakers(3, 3))
    assert sorted((found @ np.eye(3, 48).T).argmax(axis=1).tolist()) == [0, 1, 2]


def test_nobody_heard_is_nobody_found():
    assert find_voices(embeddings(np.zeros((0, 192), np.float32)), Speakers(2, 2)).shape == (0, 192)


def test_silhouette_by_hand():
    # Distances: a pair at 0.2, a pair at 0.4, 1.0 between them, and a point alone, 0.8 from all.
    distances = np.full((5, 5), 1.0, np.float32)
    distances[0, 1] = distances[1, 0] = 0.2
    distances[2, 3] = distances[3, 2] = 0.4
    distances[4, :] = distances[:, 4] = 0.8
    np.fill_diagonal(distances, 0)
    expected = (2 * (0.8 - 0.2) / 0.8 + 2 * (0.8 - 0.4) / 0.8 + 0) / 5
    assert silhouette(distances, np.array([0, 0, 1, 1, 2])) == pytest.approx(expected, abs=1e-6)


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=15).filter(lambda labels: len(set(labels)) > 1), st.integers(0, 99)
)
def test_silhouette_as_rousseeuw_defines_it(labels, seed):
    labels = np.unique(labels, return_inverse=True)[1]
    distances = cosine_distances(unit(np.random.default_rng(seed).normal(size=(len(labels), 6)).astype(np.float32)))
    scores = []
    for i, own in enumerate(labels):
        mates = [distances[i, j] for j in np.flatnonzero(labels == own) if j != i]
        others = [distances[i, labels == k].mean() for k in set(labels.tolist()) - {own}]
        a, b = np.mean(mates) if mates else 0.0, min(others)
        scores.append((b - a) / max(a, b, 1e-9) if mates else 0.0)
    assert silhouette(distances, labels) == pytest.approx(np.mean(scores), abs=1e-4)


def test_labels_after_merges_by_hand():
    tree = np.array([[0, 1, 0.1, 2], [2, 3, 0.2, 2], [4, 5, 0.9, 4]])
    assert labels_after(tree, 0).tolist() == [0, 1, 2, 3]
    assert labels_after(tree, 1).tolist() in ([0, 0, 1, 2], [2, 2, 0, 1])
    assert same_partition(labels_after(tree, 2), np.array([0, 0, 1, 1]))
    assert labels_after(tree, 3).tolist() == [0, 0, 0, 0]
    assert [count_merges(tree, cut) for cut in (0.05, 0.1, USUAL_CUT, 1.0)] == [0, 1, 2, 3]


def test_a_long_recording_is_thinned_to_the_cleanest(rng):
    clean = rng.uniform(0.2, 1.5, 10_000)
    chosen = thin_out(np.arange(10_000), clean)
    assert len(chosen) == 3000
    assert (np.diff(chosen) > 0).all()
    assert np.diff(chosen).max() <= 8
    assert clean[chosen].mean() > clean.mean() + 0.2


def test_refining_moves_a_voice_to_its_points(rng):
    vectors, truth = voices(rng, 40, 40)
    moved = refine(vectors, vectors[[0, 40]])
    expected = [vectors[truth == k].mean(axis=0) for k in (0, 1)]
    np.testing.assert_allclose(moved, unit(np.stack(expected)), atol=1e-5)


def test_refining_keeps_a_voice_that_is_nearest_to_nothing():
    vectors = np.eye(1, 4, dtype=np.float32)
    far = np.eye(4, dtype=np.float32)[[0, 3]]
    np.testing.assert_allclose(refine(vectors, far), far)
