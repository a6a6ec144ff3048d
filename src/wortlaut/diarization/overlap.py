"""Who the second one is where two people talk at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wortlaut.diarization.labelling import NOBODY
from wortlaut.diarization.segmentation import TRACKS, Segmentation

_FIRM_FRAMES = 20  # in which a track must have spoken alone before its vote counts in full


def second_speakers(
    path: NDArray[np.intp], overlapped: NDArray[np.bool_], segmentation: Segmentation, speakers: int
) -> NDArray[np.intp]:
    """Return the second speaker of each overlapped frame, NOBODY elsewhere and where nobody can be named.

    A local track that speaks alone elsewhere in its window says by that who it is. Where no track helps, the
    second one is who speaks in the nearest turn before or after.
    """
    second = np.full(len(path), NOBODY)
    frames = np.flatnonzero(overlapped & (path != NOBODY))
    if not len(frames) or speakers < 2:  # noqa: PLR2004 - it takes two to overlap
        return second
    votes = _track_votes(path, segmentation, speakers)[frames]
    votes[np.arange(len(frames)), path[frames]] = 0
    named = votes.max(axis=1) > 0
    second[frames] = np.where(named, votes.argmax(axis=1), neighbours(path)[frames])
    return second


def _track_votes(path: NDArray[np.intp], segmentation: Segmentation, speakers: int) -> NDArray[np.float32]:
    """Return how much the tracks of all windows say that each speaker is active, shape (frames, speakers)."""
    from scipy.optimize import linear_sum_assignment  # slow to load, for what many short clips lack  # noqa: PLC0415

    votes = np.zeros((len(path), speakers), np.float32)
    for first, window_tracks in zip(segmentation.first_frames, segmentation.tracks, strict=True):
        tracks = window_tracks[: max(0, len(path) - first)]
        if not (tracks.sum(axis=1) > 1).any():
            continue
        weights = track_identities(tracks, path[first : first + len(tracks)], speakers)
        for track, speaker in zip(*linear_sum_assignment(-weights), strict=True):
            votes[first : first + len(tracks), speaker] += tracks[:, track] * weights[track, speaker]
    return votes


def track_identities(tracks: NDArray[np.uint8], path: NDArray[np.intp], speakers: int) -> NDArray[np.float64]:
    """Return how surely each track is each speaker, from the frames it speaks alone, shape (3, speakers), [0, 1]."""
    alone = (tracks > 0) & (tracks.sum(axis=1, keepdims=True) == 1) & (path != NOBODY)[:, None]
    frames = np.stack([np.bincount(path[alone[:, track]], minlength=speakers) for track in range(TRACKS)])
    shares: NDArray[np.float64] = frames / np.maximum(frames.sum(axis=1, keepdims=True), _FIRM_FRAMES)
    return shares


def neighbours(path: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return, for each frame in which one speaks, who speaks in the nearest turn of another; NOBODY if alone."""
    frames = np.flatnonzero(path != NOBODY)
    result = np.full(len(path), NOBODY)
    begins = np.flatnonzero(np.diff(path[frames], prepend=NOBODY))
    if len(begins) < 2:  # noqa: PLR2004 - one turn has no neighbour
        return result
    first = frames[begins]
    last = frames[np.append(begins[1:], len(frames)) - 1]
    turn = np.searchsorted(first, frames, side="right") - 1
    to_previous = np.where(turn > 0, frames - last[np.maximum(turn - 1, 0)], len(path))
    to_next = np.where(turn + 1 < len(first), first[np.minimum(turn + 1, len(first) - 1)] - frames, len(path))
    nearest = np.where(to_previous <= to_next, turn - 1, turn + 1)
    result[frames] = path[first[nearest]]
    return result
