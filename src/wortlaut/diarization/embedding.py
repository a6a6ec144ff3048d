"""What voices sound like: a CAM++ embedding every half second, from frames in which one person speaks alone.

A point in time gets an embedding of about 1.5 s around it. Only frames count in which the same local track
speaks alone, so that no embedding mixes two voices; where these are few, the stretch grows.

Each point belongs to the window whose middle is nearest. All that a track says around its points in that window
goes through the network at once, and the embeddings are pooled from its frames: neighbouring points share most of
theirs, and to embed each stretch alone would cost more than twice as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.fbank import FRAME_SAMPLES, FRAMES_PER_SECOND, log_fbank
from wortlaut.diarization.frames import nearest_frames
from wortlaut.diarization.onnx_model import OnnxModel
from wortlaut.diarization.resuming import Found, Resume, afresh
from wortlaut.diarization.segmentation import FRAMES_PER_WINDOW, TRACKS, WINDOW, Segmentation
from wortlaut.errors import ModelCorrupt
from wortlaut.lookahead import map_ahead
from wortlaut.stages import Advance, ignore

POINT_STEP = 0.5  # seconds from one embedding to the next
DIMENSIONS = 192

_RADII = (0.75, 1.25, 2.0)  # seconds on either side of a point, tried until enough is clean
_ENOUGH_FRAMES = 60  # of 10 ms: clean speech at which a stretch need not grow
_LEAST_FRAMES = 20  # less says nothing about a voice
_TRACK_REACH_FRAMES = 3  # of segmentation on either side of a point, to see which track it belongs to
_FRAME_MIDDLE = FRAME_SAMPLES / 2 / SAMPLE_RATE

Point = tuple[float, float, NDArray[np.float32]]
"""Time, clean seconds and vector."""


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

    def embed(self, features: NDArray[np.float32], parts: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the unit vectors of parts of what one voice says, shape (parts, 192).

        `features`: shape (frames, 80). `parts`: which frames each part is made of, shape (parts, frames).
        """
        centred = features - features.mean(axis=0)
        vectors = self._model.run(centred[None], parts.astype(np.float32))
        if vectors.shape != (len(parts), DIMENSIONS):
            raise ModelCorrupt(f"The embedding model gives {vectors.shape}, not ({len(parts)}, {DIMENSIONS}).")
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
    resume: Resume = afresh,
) -> Embeddings:
    """Embed every half second in which somebody speaks alone. Holds some seconds of samples per thread."""
    times = np.arange(0.0, audio.duration, POINT_STEP)
    windows = range(len(segmentation.starts))
    times_of = np.split(times, np.searchsorted(segmentation.best_windows(times), np.arange(1, len(windows))))

    def rows_from(first: int) -> Iterator[Found]:
        def embed_window(window: int) -> Found:
            return _in_order(_embed_window(audio, segmentation, network, window, times_of[window]))

        return map_ahead(embed_window, windows[first:], workers=threads)

    found = []
    for window, arrays in zip(windows, resume("embedding", rows_from), strict=True):
        found.append(arrays)
        advance(min(float(segmentation.starts[window]) + WINDOW, audio.duration))
    found_times, clean, vectors = zip(*found, strict=True)
    return Embeddings(np.concatenate(found_times), np.concatenate(clean), np.concatenate(vectors))


def _in_order(points: Iterator[Point]) -> Found:
    """Return times, clean seconds and vectors of points, sorted by time."""
    ordered = sorted(points, key=lambda point: point[0])
    times, clean, vectors = zip(*ordered, strict=True) if ordered else ((), (), ())
    return np.array(times), np.array(clean), np.array(vectors, np.float32).reshape(-1, DIMENSIONS)


def _embed_window(
    audio: Audio, segmentation: Segmentation, network: EmbeddingNetwork, window: int, times: NDArray[np.float64]
) -> Iterator[Point]:
    """Yield the points among `times` at which one track of the window speaks alone, in any order."""
    stretches = clean_stretches(segmentation, window, times)
    if not stretches:
        return
    first = min(int(frames[0]) for _, frames in stretches.values())
    last = max(int(frames[-1]) for _, frames in stretches.values())
    features = log_fbank(audio.clip(first / FRAMES_PER_SECOND, last / FRAMES_PER_SECOND + 2 * _FRAME_MIDDLE))
    for track_times, frames in stretches.values():
        inside = frames[frames - first < len(features)]
        parts = np.array([around(inside, time) for time in track_times])
        is_enough = parts.sum(axis=1) >= _LEAST_FRAMES
        if is_enough.any():
            vectors = network.embed(features[inside - first], parts[is_enough])
            clean = parts[is_enough].sum(axis=1) / FRAMES_PER_SECOND
            yield from zip(track_times[is_enough].tolist(), clean.tolist(), vectors, strict=True)


def clean_stretches(
    segmentation: Segmentation, window: int, times: NDArray[np.float64]
) -> Mapping[int, tuple[NDArray[np.float64], NDArray[np.intp]]]:
    """Return, for each track of a window, at which of `times` it speaks, and the 10 ms frames in which it is alone.

    The frames reach as far beyond the first and the last of its times as it takes to have enough of them. A track
    that has almost none is left out.
    """
    tracks = segmentation.tracks[window]
    alone = tracks * (tracks.sum(axis=1, keepdims=True) == 1) > 0
    start = float(segmentation.starts[window])
    speaking = speaking_tracks(alone, times - start)
    stretches = {}
    for track in range(TRACKS):
        track_times = times[speaking == track]
        frames = _clean_frames(alone[:, track], start, track_times) if len(track_times) else np.zeros(0, np.intp)
        if len(frames) >= _LEAST_FRAMES:
            stretches[track] = (track_times, frames)
    return stretches


def speaking_tracks(alone: NDArray[np.bool_], times: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the track that speaks alone at or next to each time from the window's start; -1 where none does."""
    reach = np.arange(-_TRACK_REACH_FRAMES, _TRACK_REACH_FRAMES + 1)
    here = np.clip(nearest_frames(times + _FRAME_MIDDLE), 0, FRAMES_PER_WINDOW - 1)
    near = here[:, None] + reach
    is_inside = (near >= 0) & (near < FRAMES_PER_WINDOW)
    votes = (alone[np.clip(near, 0, FRAMES_PER_WINDOW - 1)] & is_inside[:, :, None]).sum(axis=1)
    return np.where(votes.any(axis=1), votes.argmax(axis=1), -1)


def _clean_frames(alone: NDArray[np.bool_], start: float, times: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the clean 10 ms frames within the smallest radius of the times that holds enough of them."""
    clean = np.zeros(0, np.intp)
    for radius in _RADII:
        first = max(float(times[0]) - radius, start)
        stop = min(float(times[-1]) + radius, start + WINDOW)
        frames = np.arange(round(first * FRAMES_PER_SECOND), round(stop * FRAMES_PER_SECOND))
        local = nearest_frames(frames / FRAMES_PER_SECOND + _FRAME_MIDDLE - start)
        clean = frames[alone[np.clip(local, 0, FRAMES_PER_WINDOW - 1)]]
        if len(clean) >= _ENOUGH_FRAMES:
            break
    return clean


def around(frames: NDArray[np.intp], time: float) -> NDArray[np.bool_]:
    """Return which of the 10 ms frames lie within the smallest radius of a time that holds enough of them."""
    distances = np.abs(frames / FRAMES_PER_SECOND + _FRAME_MIDDLE - time)
    is_near = np.ones(len(frames), bool)
    for radius in _RADII:
        is_near = distances <= radius
        if is_near.sum() >= _ENOUGH_FRAMES:
            break
    return is_near
