"""Which embeddings are the same voice.

Average-linkage clustering on cosine distance. No fixed cut of its tree suits every recording: telephone speech
needs one below 0.50, a reverberant room one above 0.60. So several cuts are tried, and the one whose clusters
stand apart best (mean silhouette; Rousseeuw, 1987) wins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage

from wortlaut.diarization.embedding import POINT_STEP, Embeddings, unit
from wortlaut.options import Speakers

Labels = NDArray[np.intp]
Vectors = NDArray[np.float32]
Tree = NDArray[np.float64]

CUTS = np.arange(0.46, 0.761, 0.02)
USUAL_CUT = 0.66  # where the number of speakers is given and not found
ONE_SPEAKER_SILHOUETTE = 0.34  # one cluster has no silhouette: what several have to beat

_CLEAN = 1.0  # seconds of clean speech that an embedding needs to say how many voices there are
_FEWEST_POINTS = 4  # clean ones; with fewer, all take part
_MOST_POINTS = 3000  # in the tree, whose memory and time grow with the square
_SMALLEST_SPEAKER = 2.5  # seconds
_SMALLEST_SHARE = 0.1  # of all speech, where there is little
_LITTLE_SPEECH_POINTS = 40
_FEWEST_POINTS_OF_A_SPEAKER = 2  # one point apart from all others is a cough or a change of tone
_REFINEMENTS = 2


def find_voices(embeddings: Embeddings, speakers: Speakers) -> Vectors:
    """Return one unit vector a speaker, shape (speakers, 192). No embedding: no speaker.

    What the recording itself says comes first: a demand that agrees with it changes nothing. Where more speakers
    are demanded, also embeddings of little speech are listened to, for that may be all that somebody says.
    """
    if not len(embeddings.times):
        return embeddings.vectors
    everything = thin_out(np.arange(len(embeddings.times)), embeddings.clean)
    clean = thin_out(np.flatnonzero(embeddings.clean >= _CLEAN), embeddings.clean)
    chosen = clean if len(clean) >= _FEWEST_POINTS else everything
    labels = cluster(embeddings.vectors[chosen], _seconds_per_point(embeddings, chosen))
    found = int(labels.max()) + 1
    wanted = _nearest_allowed(found, speakers, len(everything))
    if wanted < found:
        labels = merge_most_alike(embeddings.vectors[chosen], labels, wanted)
    elif wanted > found:
        chosen = everything
        labels = cluster_into(embeddings.vectors[chosen], wanted)
    return refine(embeddings.vectors, centroids(embeddings.vectors[chosen], labels))


def _nearest_allowed(found: int, speakers: Speakers, points: int) -> int:
    most = points if speakers.maximum is None else min(points, speakers.maximum)
    return min(max(found, speakers.minimum), most)


def thin_out(points: NDArray[np.intp], clean: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return at most 3000 points, evenly over the recording: the cleanest of each group of neighbours."""
    if len(points) <= _MOST_POINTS:
        return points
    return np.array([group[clean[group].argmax()] for group in np.array_split(points, _MOST_POINTS)])


def _seconds_per_point(embeddings: Embeddings, chosen: NDArray[np.intp]) -> float:
    """Return how much speech each point stands for."""
    thinned = len(chosen) == _MOST_POINTS
    return POINT_STEP * len(embeddings.times) / len(chosen) if thinned else POINT_STEP


def cluster(vectors: Vectors, seconds: float = POINT_STEP) -> Labels:
    """Label unit vectors of shape (points, dimensions) with 0 .. K-1, each standing for `seconds` of speech.

    Nothing is left out: clusters too small for a speaker are given to the nearest one.
    """
    if len(vectors) < 2:  # noqa: PLR2004 - a tree has at least one pair
        return np.zeros(len(vectors), np.intp)
    tree: Tree = linkage(vectors, "average", "cosine")
    distances = cosine_distances(vectors)
    cuts = sorted({count_merges(tree, cut) for cut in CUTS})
    choices = [absorb_small(vectors, labels_after(tree, merges), seconds) for merges in cuts]
    return max(choices, key=lambda labels: silhouette(distances, labels))


def cluster_into(vectors: Vectors, wanted: int) -> Labels:
    """Label unit vectors with 0 .. wanted-1, each label used, for 1 <= wanted <= points.

    The largest clusters of the usual cut count as speakers, also those too small for one otherwise; where these
    are too few, the cut goes lower.
    """
    if len(vectors) == wanted:
        return np.arange(wanted)
    tree: Tree = linkage(vectors, "average", "cosine")
    merges = min(count_merges(tree, USUAL_CUT), len(vectors) - wanted)
    labels = labels_after(tree, merges)
    largest = np.argsort(-np.bincount(labels), kind="stable")[:wanted]
    return absorb(vectors, labels, largest)


def merge_most_alike(vectors: Vectors, labels: Labels, wanted: int) -> Labels:
    """Merge the two clusters with the most similar means until `wanted` are left."""
    while (clusters := int(labels.max()) + 1) > wanted:
        means = centroids(vectors, labels)
        alike = np.triu(means @ means.T, k=1) - 2 * np.tri(clusters, dtype=np.float32)
        kept, dissolved = np.unravel_index(alike.argmax(), alike.shape)
        merged = np.where(labels == dissolved, kept, labels)
        labels = merged - (merged > dissolved)
    return labels


def count_merges(tree: Tree, distance: float) -> int:
    """Return how many merges happen up to a distance; average linkage never merges nearer than before."""
    return int(np.searchsorted(tree[:, 2], distance, side="right"))


def labels_after(tree: Tree, merges: int) -> Labels:
    """Return the labels after the first merges: exactly points - merges clusters, also where distances tie."""
    points = len(tree) + 1
    members = {index: [index] for index in range(points)}
    for index, (left, right) in enumerate(tree[:merges, :2].astype(int)):
        members[points + index] = members.pop(left) + members.pop(right)
    labels = np.zeros(points, np.intp)
    for label, cluster_members in enumerate(members.values()):
        labels[cluster_members] = label
    return labels


def large_clusters(labels: Labels, seconds: float) -> NDArray[np.intp]:
    """Return the clusters that are long enough for a speaker; at least the longest."""
    sizes = np.bincount(labels) * seconds
    least = max(_SMALLEST_SPEAKER, 3 * seconds)
    if len(labels) < _LITTLE_SPEECH_POINTS:
        least = max(min(least, _SMALLEST_SHARE * sizes.sum()), _FEWEST_POINTS_OF_A_SPEAKER * seconds)
    large = np.flatnonzero(sizes >= least)
    return large if len(large) else np.array([sizes.argmax()])


def absorb_small(vectors: Vectors, labels: Labels, seconds: float) -> Labels:
    """Give what is too short for a speaker to the nearest long cluster."""
    return absorb(vectors, labels, large_clusters(labels, seconds))


def absorb(vectors: Vectors, labels: Labels, kept: NDArray[np.intp]) -> Labels:
    """Keep the clusters `kept`, renumbered from 0, and give the points of all others to the nearest of them."""
    means = unit(np.stack([vectors[labels == label].mean(axis=0) for label in kept]))
    absorbed: Labels = (vectors @ means.T).argmax(axis=1)
    for new, old in enumerate(kept):
        absorbed[labels == old] = new
    return absorbed


def cosine_distances(vectors: Vectors) -> Vectors:
    """Return 1 - cosine of all pairs of unit vectors, never negative."""
    distances: Vectors = np.maximum(1 - vectors @ vectors.T, 0)
    return distances


def silhouette(distances: Vectors, labels: Labels) -> float:
    """Return the mean of (b - a) / max(a, b) over all points.

    a is the mean distance to the point's own cluster, b to the nearest other one; a point alone counts 0.
    """
    clusters = int(labels.max()) + 1
    if clusters == 1:
        return ONE_SPEAKER_SILHOUETTE
    points = np.arange(len(labels))
    belongs = np.eye(clusters, dtype=np.float32)[labels]
    sizes = belongs.sum(axis=0)
    sums = distances @ belongs
    own = sums[points, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / sizes
    means[points, labels] = np.inf
    other = means.min(axis=1)
    scores = (other - own) / np.maximum(np.maximum(own, other), 1e-9)
    return float(np.where(sizes[labels] > 1, scores, 0).mean())


def centroids(vectors: Vectors, labels: Labels) -> Vectors:
    """Return the unit mean of each cluster, shape (clusters, dimensions)."""
    return unit(np.stack([vectors[labels == label].mean(axis=0) for label in range(int(labels.max()) + 1)]))


def refine(vectors: Vectors, voices: Vectors) -> Vectors:
    """Move voices to the mean of all points nearest to them; one that is nearest to none stays."""
    for _ in range(_REFINEMENTS):
        nearest = (vectors @ voices.T).argmax(axis=1)
        means = [vectors[nearest == k].mean(axis=0) if (nearest == k).any() else voices[k] for k in range(len(voices))]
        voices = unit(np.stack(means))
    return voices
