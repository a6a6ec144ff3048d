"""The clock of segmentation-3.0: frames of 62 ms every 17 ms, counted from the start of the recording.

Its SincNet has the strides 10, 3, 3 and 3, so that a frame moves on by 270 samples and sees 991.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE

FRAME_STEP = 270 / SAMPLE_RATE
FRAME_WIDTH = 991 / SAMPLE_RATE


def frame_count(duration: float) -> int:
    """Return how many frames have their middle inside a recording of `duration` seconds; at least one."""
    return max(1, math.ceil((duration - FRAME_WIDTH / 2) / FRAME_STEP))


def frame_times(count: int) -> NDArray[np.float64]:
    """Return the middles of the first `count` frames, in seconds."""
    return np.arange(count, dtype=np.float64) * FRAME_STEP + FRAME_WIDTH / 2


def nearest_frames(times: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the frames whose middles lie nearest; the first may be negative."""
    return np.rint((times - FRAME_WIDTH / 2) / FRAME_STEP).astype(np.intp)


def frame_boundary(frame: int, count: int, duration: float) -> float:
    """Return the time at which a run of frames that begins with `frame` starts, or one that ends before it ends.

    What begins with the first frame begins with the recording, and what ends with the last ends with it.
    """
    if frame <= 0:
        return 0.0
    if frame >= count:
        return duration
    return min((frame - 0.5) * FRAME_STEP + FRAME_WIDTH / 2, duration)
