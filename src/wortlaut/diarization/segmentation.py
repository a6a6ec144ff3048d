"""Who speaks within ten seconds: pyannote/segmentation-3.0, moved over the recording.

The network sees windows of 10 s and gives, for each frame, the probabilities of seven sets of at most two out
of three speakers ("powerset"; Plaquet and Bredin, Interspeech 2023). Its three speakers are local: speaker 0
of one window need not be speaker 0 of the next. We call them tracks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.frames import FRAME_WIDTH, frame_count, nearest_frames
from wortlaut.diarization.onnx_model import OnnxModel
from wortlaut.diarization.resuming import Found, Resume, afresh
from wortlaut.errors import ModelCorrupt
from wortlaut.lookahead import map_ahead
from wortlaut.stages import Advance, ignore

WINDOW = 10.0  # seconds, as in training
HOP = 3.0  # seconds; less is no better, 4.0 costs a quarter less and 2 points of DER in meetings
FRAMES_PER_WINDOW = 589
TRACKS = 3

POWERSET = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.uint8)
"""The tracks in each of the seven classes, shape (7, 3)."""

_AT_LEAST_ONE_AND_TWO = (POWERSET.sum(axis=1, keepdims=True) >= [1, 2]).astype(np.float32)

_WINDOW_SAMPLES = round(WINDOW * SAMPLE_RATE)
_HOP_SAMPLES = round(HOP * SAMPLE_RATE)
_NOBODY = 0  # the class of the empty set
_BATCH = 2  # windows at once: 15 % less CPU time each than one; more gain nothing
_SILENCE = 2 / 2**15
"""Samples that stay within the last bit of 16-bit audio are digital silence: nobody is asked about them."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """What the network saw in all windows.

    `starts`: where the windows begin, seconds, shape (windows,), ascending.
    `tracks`: who speaks, 0 or 1, shape (windows, 589, 3).
    `speech` and `overlap`: the probability that at least one, or at least two people speak, averaged over the
    windows that see a frame, shape (frames,) with the frames counted from the start of the recording.
    """

    starts: NDArray[np.float64]
    tracks: NDArray[np.uint8]
    speech: NDArray[np.float32]
    overlap: NDArray[np.float32]

    @property
    def first_frames(self) -> NDArray[np.intp]:
        """The frame of the recording at which each window begins, shape (windows,)."""
        return nearest_frames(self.starts + FRAME_WIDTH / 2)

    def best_windows(self, times: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return, for each time, the window whose middle is nearest: the network sees most on both sides there."""
        middles = self.starts + WINDOW / 2
        return np.searchsorted((middles[1:] + middles[:-1]) / 2, times)


class SegmentationNetwork:
    """The network itself, without a clock."""

    def __init__(self, path: Path) -> None:
        self._model = OnnxModel(path)

    def probabilities(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the probabilities of the seven classes in windows of at most 10 s, shape (windows, 589, 7)."""
        probabilities = np.zeros((len(windows), FRAMES_PER_WINDOW, len(POWERSET)), np.float32)
        probabilities[:, :, _NOBODY] = 1
        heard = [index for index, samples in enumerate(windows) if np.abs(samples).max(initial=0.0) > _SILENCE]
        if heard:
            probabilities[heard] = self._listen([windows[index] for index in heard])
        return probabilities

    def _listen(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        batch = np.zeros((len(windows), 1, _WINDOW_SAMPLES), np.float32)
        for row, samples in zip(batch, windows, strict=True):
            row[0, : len(samples)] = samples
        output = self._model.run(batch)
        if output.shape != (len(windows), FRAMES_PER_WINDOW, len(POWERSET)):
            raise ModelCorrupt(f"The segmentation model gives {output.shape}, not ({len(windows)}, 589, 7).")
        return np.exp(output)


def segment(
    audio: Audio,
    network: SegmentationNetwork,
    *,
    threads: int = 1,
    advance: Advance = ignore,
    resume: Resume = afresh,
) -> Segmentation:
    """Move the network over the recording. Holds a few windows of samples per thread."""
    starts_samples = window_starts(len(audio.samples))
    # A piece is a batch: its windows are heard together, and heard alone they would come out a little different.
    batches = [starts_samples[first : first + _BATCH] for first in range(0, len(starts_samples), _BATCH)]
    tracks = np.zeros((len(starts_samples), FRAMES_PER_WINDOW, TRACKS), np.uint8)
    average = _Average(frame_count(audio.duration))

    def rows_from(first: int) -> Iterator[Found]:
        return map_ahead(lambda batch: _listened(audio, network, batch), batches[first:], workers=threads)

    for number, (batch, found) in enumerate(zip(batches, resume("segmentation", rows_from), strict=True)):
        for index, (start, active, speaking) in enumerate(zip(batch, *found, strict=True), number * _BATCH):
            tracks[index] = active
            average.add(start / SAMPLE_RATE, speaking)
        advance(min(batch[-1] / SAMPLE_RATE + WINDOW, audio.duration))
    speech, overlap = average.result().T
    return Segmentation(np.array(starts_samples) / SAMPLE_RATE, tracks, speech, overlap)


def _listened(audio: Audio, network: SegmentationNetwork, starts_samples: Sequence[int]) -> Found:
    """Return, for a batch of windows, the active tracks, and the probability that at least one and two people speak.

    Shapes (windows, 589, 3) and (windows, 589, 2).
    """
    length = len(audio.samples)
    classes = network.probabilities([audio.samples.read(s, min(s + _WINDOW_SAMPLES, length)) for s in starts_samples])
    return POWERSET[classes.argmax(axis=-1)], classes @ _AT_LEAST_ONE_AND_TWO


def window_starts(length_samples: int) -> list[int]:
    """Return where windows begin, in samples.

    The last one ends with the recording instead of being filled up with zeros, in which the network hears speech.
    """
    starts = list(range(0, max(1, length_samples - _WINDOW_SAMPLES + 1), _HOP_SAMPLES))
    if starts[-1] + _WINDOW_SAMPLES < length_samples:
        starts.append(length_samples - _WINDOW_SAMPLES)
    return starts


class _Average:
    """Probabilities of speech and of overlap, averaged over windows as they come."""

    def __init__(self, frames: int) -> None:
        self._sum = np.zeros((frames, 2), np.float32)
        self._windows = np.zeros((frames, 1), np.float32)

    def add(self, start: float, speaking: NDArray[np.float32]) -> None:
        first = int(nearest_frames(np.array([start + FRAME_WIDTH / 2]))[0])
        seen = self._sum[first : first + len(speaking)]
        seen += speaking[: len(seen)]
        self._windows[first : first + len(speaking)] += 1

    def result(self) -> NDArray[np.float32]:
        """Return shape (frames, 2). Frames behind the last window's last frame take what that says."""
        average = (self._sum / np.maximum(self._windows, 1)).astype(np.float32)
        seen = int(np.count_nonzero(self._windows))
        average[seen:] = average[max(seen - 1, 0)]
        return average
