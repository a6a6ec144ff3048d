"""One speaker a frame: the most probable path of speakers through the recording.

The path gains by how well the voice at a frame fits a speaker, and pays for every change of speaker: much
inside a local track, little where segmentation sees the track change or a pause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wortlaut.diarization.embedding import Embeddings
from wortlaut.diarization.frames import FRAME_STEP, frame_times
from wortlaut.diarization.segmentation import FRAMES_PER_WINDOW, TRACKS, Segmentation

NOBODY = -1

GAIN_PER_SECOND = 4.0  # of a cosine of 1
CHANGE_INSIDE_TRACK = 1.0
CHANGE_OF_TRACK = 0.3
REACH = 0.6  # seconds that an embedding speaks for on either side


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Runs of frames with the same embedding and the same local track, the steps of the path.

    `first_frames`: shape (cells,). `gains`: shape (cells, speakers). `change_costs`: of entering each cell with
    another speaker, shape (cells,). `are_heard`: whether somebody speaks there and an embedding says how.
    """

    first_frames: NDArray[np.intp]
    gains: NDArray[np.float64]
    change_costs: NDArray[np.float64]
    are_heard: NDArray[np.bool_]


def label_frames(
    speaking: NDArray[np.bool_],
    segmentation: Segmentation,
    embeddings: Embeddings,
    voices: NDArray[np.float32],
    *,
    demanded: int = 1,
) -> NDArray[np.intp]:
    """Return the speaker of each frame, NOBODY where nobody speaks, shape (frames,).

    At least `demanded` speakers occur in it, if there are as many voices and cells in which one is heard.
    """
    if not len(voices):
        return np.where(speaking, 0, NOBODY)
    cells = divide(speaking, segmentation, embeddings, voices)
    path = include_everyone(best_path(cells.gains, cells.change_costs), cells, demanded)
    lengths = np.diff(np.append(cells.first_frames, len(speaking)))
    return np.where(speaking, np.repeat(path, lengths), NOBODY)


def divide(
    speaking: NDArray[np.bool_], segmentation: Segmentation, embeddings: Embeddings, voices: NDArray[np.float32]
) -> Cells:
    """Divide the recording into cells."""
    times = frame_times(len(speaking))
    point = nearest_points(embeddings.times, times)
    heard = speaking & (np.abs(embeddings.times[point] - times) <= REACH)
    changes = track_changes(speaking, segmentation)
    kind = np.where(speaking, 2 * point + heard, -1)
    begins = np.ones(len(speaking), bool)
    begins[1:] = (kind[1:] != kind[:-1]) | (changes[1:] & speaking[1:])
    first = np.flatnonzero(begins)
    seconds = np.diff(np.append(first, len(speaking))) * FRAME_STEP
    cosines = embeddings.vectors[point[first]] @ voices.T
    gains = np.where(heard[first, None], cosines, 0.0) * (GAIN_PER_SECOND * seconds)[:, None]
    return Cells(first, gains, np.where(changes[first], CHANGE_OF_TRACK, CHANGE_INSIDE_TRACK), heard[first])


def nearest_points(points: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the index of the point nearest to each time, both ascending; the earlier one of two."""
    return np.searchsorted((points[1:] + points[:-1]) / 2, times)


def track_changes(speaking: NDArray[np.bool_], segmentation: Segmentation) -> NDArray[np.bool_]:
    """Return where a speaker may cheaply change: in pauses, and where one window sees another track begin."""
    frames = np.arange(len(speaking))
    window = segmentation.best_windows(frame_times(len(speaking)))
    inside = np.clip(frames - segmentation.first_frames[window], 0, FRAMES_PER_WINDOW - 1)
    tracks = segmentation.tracks[window, inside]
    alone = np.where(tracks.sum(axis=1) == 1, tracks.argmax(axis=1), TRACKS)
    changes = np.zeros(len(speaking), bool)
    changes[1:] = ~speaking[1:] | ((alone[1:] != alone[:-1]) & (window[1:] == window[:-1]))
    return changes


def best_path(gains: NDArray[np.float64], change_costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the speaker of each cell that gains most in sum (Viterbi).

    As all changes into a cell cost the same, the best one always comes from the speaker who leads so far.
    """
    speakers = np.arange(gains.shape[1])
    came_from = np.empty(gains.shape, np.intp)
    total = gains[0]
    for cell in range(1, len(gains)):
        leader = int(total.argmax())
        changed = total[leader] - change_costs[cell]
        came_from[cell] = np.where(total >= changed, speakers, leader)
        total = np.maximum(total, changed) + gains[cell]
    path = np.empty(len(gains), np.intp)
    path[-1] = total.argmax()
    for cell in range(len(gains) - 1, 0, -1):
        path[cell - 1] = came_from[cell, path[cell]]
    return path


def include_everyone(path: NDArray[np.intp], cells: Cells, demanded: int) -> NDArray[np.intp]:
    """Give each speaker whom the path leaves out the one cell that costs least, until `demanded` speakers occur.

    Nobody loses the only cell in which they are heard.
    """
    complete = path.copy()
    for speaker in range(cells.gains.shape[1]):
        occurrences = np.bincount(complete[cells.are_heard], minlength=cells.gains.shape[1])
        if np.count_nonzero(occurrences) >= demanded:
            break
        available = np.flatnonzero(cells.are_heard & (occurrences[complete] > 1))
        if not occurrences[speaker] and len(available):
            costs = cells.gains[available, complete[available]] - cells.gains[available, speaker]
            complete[available[costs.argmin()]] = speaker
    return complete
