"""Log mel filterbank energies as Kaldi computes them: what CAM++ was trained on.

Agrees with `torchaudio.compliance.kaldi.fbank(num_mel_bins=80, dither=0)`: 25 ms frames every 10 ms that lie
wholly inside the signal, offset removed and pre-emphasis applied frame by frame, Povey's window, power
spectrum of 512 points, 80 triangles on the mel scale from 20 Hz to 8 kHz, natural logarithm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE

FRAME_SAMPLES = 400  # 25 ms
SHIFT_SAMPLES = 160  # 10 ms
FRAMES_PER_SECOND = SAMPLE_RATE // SHIFT_SAMPLES
BINS = 80

_FFT_SAMPLES = 512
_LOWEST_HZ = 20.0
_HIGHEST_HZ = SAMPLE_RATE / 2
_PREEMPHASIS = np.float32(0.97)
_FLOOR = np.finfo(np.float32).eps


def log_fbank(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features of shape (frames, 80); frame i covers the samples from 160 * i on. Too short: no frames."""
    if len(samples) < FRAME_SAMPLES:
        return np.zeros((0, BINS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::SHIFT_SAMPLES]
    centred = frames - frames.mean(axis=1, keepdims=True, dtype=np.float32)
    before = np.concatenate([centred[:, :1], centred[:, :-1]], axis=1)
    spectrum = np.fft.rfft((centred - _PREEMPHASIS * before) * _POVEY_WINDOW, _FFT_SAMPLES, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    features: NDArray[np.float32] = np.log(np.maximum(power @ _MEL_FILTERS, _FLOOR))
    return features


def _mel(hertz: NDArray[np.floating]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(hertz.astype(np.float64) / 700.0)


def _povey_window() -> NDArray[np.float32]:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / (FRAME_SAMPLES - 1))
    return (hann**0.85).astype(np.float32)


def _mel_filters() -> NDArray[np.float32]:
    """Return triangles that are straight on the mel scale, shape (257, 80)."""
    lowest, highest = _mel(np.array([_LOWEST_HZ, _HIGHEST_HZ]))
    edges = np.linspace(float(lowest), float(highest), BINS + 2)
    frequencies = _mel(np.fft.rfftfreq(_FFT_SAMPLES, 1 / SAMPLE_RATE))[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rising, falling), 0).astype(np.float32)


_POVEY_WINDOW = _povey_window()
_MEL_FILTERS = _mel_filters()
