"""Recordings made on the spot, in every container that PyAV can write."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.media.decoder import PyavDecoder

Encode = Callable[..., Path]


@pytest.fixture
def decoder(tmp_path: Path) -> PyavDecoder:
    spool_dir = tmp_path / "spool"
    spool_dir.mkdir()
    return PyavDecoder(spool_dir=spool_dir)


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    """Write samples of shape (channels, n) to a file.

    Timestamps begin at `start`; `gap` is (from, seconds): from there on they are later by that much.
    """

    def write(
        name: str,
        samples: NDArray[np.float32],
        *,
        codec: str = "pcm_s16le",
        rate: int = SAMPLE_RATE,
        layout: str = "mono",
        start: float = 0.0,
        gap: tuple[float, float] | None = None,
        video: bool = False,
        streams: int = 1,
        container: str | None = None,
        options: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", format=container, options=options or {}) as output:
            picture = output.add_stream("mpeg4", rate=10) if video else None
            sounds = [output.add_stream(codec, rate=rate, layout=layout) for _ in range(streams)]
            if picture is not None:
                picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
                _write_picture(output, picture, samples.shape[1] / rate + start)
            for sound in sounds:
                _write_sound(output, sound, samples, rate, layout, start, gap)
        return path

    return write


def _write_picture(output, stream, duration: float) -> None:
    for index in range(int(duration * 10)):
        frame = av.VideoFrame(32, 32, "yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, 10)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _write_sound(output, stream, samples, rate, layout, start, gap) -> None:
    frame_samples = stream.codec_context.frame_size or 1024
    shift = round(start * rate)
    for first in range(0, samples.shape[1], frame_samples):
        if gap and first >= gap[0] * rate:
            shift = round((start + gap[1]) * rate)
        piece = samples[:, first : first + frame_samples]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece.T, np.float32).reshape(1, -1), "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, first + shift, Fraction(1, rate)
        for converted in _converter(stream, layout, rate).resample(frame):
            converted.pts, converted.time_base = first + shift, Fraction(1, rate)
            output.mux(stream.encode(converted))
    output.mux(stream.encode(None))


def _converter(stream, layout: str, rate: int) -> av.AudioResampler:
    """A new one for each frame: rates are equal, so that nothing is held back."""
    return av.AudioResampler(stream.codec_context.format, layout, rate)


@pytest.fixture
def clicks() -> Callable[..., NDArray[np.float32]]:
    """Silence with short 1 kHz bursts that are strongest at the given times, shape (channels, n)."""

    def make(duration: float, times: tuple[float, ...], rate: int = SAMPLE_RATE, channels: int = 1):
        clock = np.arange(round(duration * rate)) / rate
        bursts = [
            np.exp(-(((clock - time) / 0.002) ** 2)) * np.cos(2 * np.pi * 1000 * (clock - time)) for time in times
        ]
        return np.tile(np.asarray(0.8 * sum(bursts), np.float32), (channels, 1))

    return make


@pytest.fixture
def loudest_times() -> Callable[[Audio, int], list[float]]:
    """Where the strongest bursts are, in order: the centre of the energy around each peak."""

    def find(audio: Audio, count: int) -> list[float]:
        power = np.square(audio.clip(0, audio.duration), dtype=np.float64)
        found = []
        for _ in range(count):
            peak = int(np.argmax(power))
            first = max(peak - 200, 0)
            around = power[first : peak + 200]
            found.append((first + float(np.sum(np.arange(len(around)) * around) / np.sum(around))) / SAMPLE_RATE)
            power[max(peak - 1600, 0) : peak + 1600] = 0
        return sorted(found)

    return find
