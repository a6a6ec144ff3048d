"""What voices sound like: a CAM++ embedding every half second, from frames in which one person speaks alone.

A point in time gets an embedding of about 1.5 s around it. Only frames count in which the same local track
speaks alone, so that no embedding mixes two voices; where these are few, the stretch grows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.fbank import FRAME_SAMPLES, FRAMES_PER_SECOND, log_fbank
from wortlaut.diarization.frames import nearest_frames
from wortlaut.diarization.onnx_model import OnnxModel
from wortlaut.diarization.segmentation import FRAMES_PER_WINDOW, WINDOW, Segmentation
from wortlaut.errors import ModelCorrupt
from wortlaut.lookahead import map_ahead
from wortlaut.stages import Advance, ignore

POINT_STEP = 0.5  # seconds from one embedding to the next
DIMENSIONS = 192

_RADII = (0.75, 1.25, 2.0)  # seconds on either side of a point, tried until enough is clean
_ENOUGH_FRAMES = 60  # of 10 ms: clean speech at which a stretch need not grow
_LEAST_FRAMES = 20  # less says nothing about a voice
_TRACK_REACH_FRAMES = 3  # of segmentation on either side of a point, to see which track it belongs to
_BATCH = 4  # stretches embedded at once
_BLOCK = 10.0  # seconds of points whose samples are read at once
_FRAME_MIDDLE = FRAME_SAMPLES / 2 / SAMPLE_RATE


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Points in time with a voice.

    `times`: seconds, shape (points,), ascending. `clean`: seconds of speech that each is made of.
    `vectors`: unit length, shape (points, 192).
    """

    times: NDArray[np.float64]
    clean: NDArray[np.float64]
    vectors: NDArray[np.float32]


class EmbeddingNetwork:
    """CAM++ (Wang et al., Interspeech 2023)."""

    def __init__(self, path: Path) -> None:
        self._model = OnnxModel(path)

    def embed(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the unit vectors of features of shape (stretches, frames, 80), shape (stretches, 192)."""
        vectors = self._model.run(features - features.mean(axis=1, keepdims=True))
        if vectors.shape != (len(features), DIMENSIONS):
            raise ModelCorrupt(f"The embedding model gives {vectors.shape}, not ({len(features)}, {DIMENSIONS}).")
        return unit(vectors)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors along the last axis to length 1; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled


def embed(
    audio: Audio,
    segmentation: Segmentation,
    network: EmbeddingNetwork,
    *,
    threads: int = 1,
    advance: Advance = ignore,
) -> Embeddings:
    """Embed every half second in which somebody speaks alone. Holds some seconds of samples per thread."""
    blocks = np.arange(0.0, audio.duration, _BLOCK)

    def embed_block(start: float) -> list[tuple[float, float, NDArray[np.float32]]]:
        return sorted(_embed_block(audio, segmentation, network, start), key=itemgetter(0))

    points = []
    for start, found in zip(blocks, map_ahead(embed_block, blocks, workers=threads), strict=True):
        points += found
        advance(min(float(start) + _BLOCK, audio.duration))
    times, clean, vectors = zip(*points, strict=True) if points else ((), (), ())
    return Embeddings(np.array(times), np.array(clean), np.array(vectors, np.float32).reshape(-1, DIMENSIONS))


def _embed_block(
    audio: Audio, segmentation: Segmentation, network: EmbeddingNetwork, start: float
) -> Iterator[tuple[float, float, NDArray[np.float32]]]:
    """Yield time, clean seconds and vector of the points in one block, in any order."""
    times = np.arange(start, min(start + _BLOCK, audio.duration), POINT_STEP)
    stretches = {float(time): clean_frames(segmentation, float(time)) for time in times}
    stretches = {time: frames for time, frames in stretches.items() if len(frames) >= _LEAST_FRAMES}
    if not stretches:
        return
    first = min(int(frames[0]) for frames in stretches.values())
    last = max(int(frames[-1]) for frames in stretches.values())
    features = log_fbank(audio.clip(first / FRAMES_PER_SECOND, last / FRAMES_PER_SECOND + 2 * _FRAME_MIDDLE))
    inside = {time: frames[frames - first < len(features)] - first for time, frames in stretches.items()}
    for batch in _same_length(inside):
        vectors = network.embed(np.stack([features[inside[time]] for time in batch]))
        for time, vector in zip(batch, vectors, strict=True):
            yield time, len(inside[time]) / FRAMES_PER_SECOND, vector


def _same_length(stretches: Mapping[float, NDArray[np.intp]]) -> Iterator[list[float]]:
    """Yield the times of stretches that can be embedded together: 7 % less CPU time than one by one."""
    by_length: defaultdict[int, list[float]] = defaultdict(list)
    for time, frames in stretches.items():
        if len(frames) >= _LEAST_FRAMES:
            by_length[len(frames)].append(time)
    for times in by_length.values():
        yield from (times[first : first + _BATCH] for first in range(0, len(times), _BATCH))


def clean_frames(segmentation: Segmentation, time: float) -> NDArray[np.intp]:
    """Return the 10 ms frames around `time` in which the track that speaks there speaks alone; maybe none."""
    window = int(segmentation.best_windows(np.array([time]))[0])
    tracks = segmentation.tracks[window]
    alone = tracks * (tracks.sum(axis=1, keepdims=True) == 1)
    start = segmentation.starts[window]
    here = int(np.clip(nearest_frames(np.array([time - start + _FRAME_MIDDLE]))[0], 0, FRAMES_PER_WINDOW - 1))
    votes = alone[max(0, here - _TRACK_REACH_FRAMES) : here + _TRACK_REACH_FRAMES + 1].sum(axis=0)
    if not votes.any():
        return np.zeros(0, np.intp)
    return _grow(alone[:, votes.argmax()] > 0, float(start), time)


def _grow(alone: NDArray[np.bool_], start: float, time: float) -> NDArray[np.intp]:
    """Return the clean 10 ms frames within the smallest radius that holds enough of them."""
    clean = np.zeros(0, np.intp)
    for radius in _RADII:
        first = max(time - radius, start)
        stop = min(time + radius, start + WINDOW)
        frames = np.arange(round(first * FRAMES_PER_SECOND), round(stop * FRAMES_PER_SECOND))
        local = nearest_frames(frames / FRAMES_PER_SECOND + _FRAME_MIDDLE - start)
        clean = frames[alone[np.clip(local, 0, FRAMES_PER_WINDOW - 1)]]
        if len(clean) >= _ENOUGH_FRAMES:
            break
    return clean
