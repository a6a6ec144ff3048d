"""From frames to turns: runs of frames become stretches of time, short pauses close, speakers get names."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wortlaut.diarization.frames import FRAME_STEP, frame_boundary
from wortlaut.transcript import Turn

PAUSE_SHARE = 2.0  # of the shorter of the two stretches of speech beside it
SHORT_PAUSE = 0.3  # seconds; always inside a turn
LONG_PAUSE = 1.5  # seconds; longer ones always end it


def runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the half-open runs of frames that are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]


def hysteresis(probabilities: NDArray[np.float32], onset: float, offset: float) -> NDArray[np.bool_]:
    """Return the runs of frames of at least `offset` that reach `onset` somewhere."""
    active = probabilities >= offset
    for first, stop in runs(active):
        active[first:stop] = probabilities[first:stop].max() >= onset
    return active


def close_pauses(activity: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill the pauses inside a turn: short for what the speaker says before and after, and nobody else speaks.

    People pause for breath and thought in long turns; a word every second is not one turn but several.
    `activity`: shape (frames, speakers).
    """
    closed = activity.copy()
    silent = ~np.logical_or.reduce(activity, axis=1)
    for speaker, active in enumerate(activity.T):
        for (begins, pause), (resumes, ends) in pairwise(runs(active)):
            limit = pause_limit(pause - begins, ends - resumes)
            if resumes - pause <= limit and silent[pause:resumes].all():
                closed[pause:resumes, speaker] = True
                silent[pause:resumes] = False
    return closed


def pause_limit(before: int, after: int) -> float:
    """Return the longest pause inside a turn between two stretches of speech, all in frames."""
    return min(max(PAUSE_SHARE * min(before, after), SHORT_PAUSE / FRAME_STEP), LONG_PAUSE / FRAME_STEP)


def order_of_appearance(activity: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the speakers who speak at all, earliest first."""
    heard = np.flatnonzero(activity.any(axis=0))
    order: NDArray[np.intp] = heard[np.argsort(activity.argmax(axis=0)[heard], kind="stable")]
    return order


def to_turns(activity: NDArray[np.bool_], duration: float) -> tuple[Turn, ...]:
    """Return the turns of all speakers by start; column k of `activity` is SPEAKER_k."""
    count = len(activity)
    turns = [
        Turn(frame_boundary(first, count, duration), frame_boundary(stop, count, duration), f"SPEAKER_{speaker:02d}")
        for speaker, active in enumerate(activity.T)
        for first, stop in runs(active)
    ]
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker)))
