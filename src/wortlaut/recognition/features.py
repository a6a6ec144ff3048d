"""The log-mel spectrogram that Whisper was trained on, as openai/whisper's `audio.py` defines it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE

FRAME_SAMPLES = 400
"""Samples under one analysis window: 25 ms. Also the size of the Fourier transform."""
HOP_SAMPLES = 160
"""Samples from one frame to the next: 10 ms."""
CONTEXT_SAMPLES = 30 * SAMPLE_RATE
"""What Whisper's encoder sees at once."""
CONTEXT_FRAMES = CONTEXT_SAMPLES // HOP_SAMPLES

_DYNAMIC_RANGE = 8.0  # in powers of ten below the loudest point
_FLOOR = 1e-10

# Slaney's mel scale: linear up to 1000 Hz, logarithmic above.
_HZ_PER_MEL = 200.0 / 3
_KNEE_HZ = 1000.0
_KNEE_MEL = _KNEE_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def log_mel(samples: NDArray[np.float32], n_mels: int) -> NDArray[np.float32]:
    """Return the features of mono 16 kHz samples of shape (n,): shape (n_mels, n // 160), about [-1, 1.5].

    The loudest point sets the scale, so the features of a stretch depend on what is given with it.
    """
    if len(samples) < HOP_SAMPLES:
        return np.zeros((n_mels, 0), dtype=np.float32)
    mel = mel_filters(n_mels) @ _power_spectrum(samples)
    log_spec = np.log10(np.maximum(mel, np.float32(_FLOOR)))
    log_spec = np.maximum(log_spec, log_spec.max() - np.float32(_DYNAMIC_RANGE))
    return np.asarray((log_spec + np.float32(4.0)) / np.float32(4.0), dtype=np.float32)


def log_mel_in_context(samples: NDArray[np.float32], n_mels: int) -> NDArray[np.float32]:
    """Return the features of at most 30 s, filled up to 30 s: shape (n_mels, 3000).

    As in openai/whisper's `transcribe`, the sound is followed by features of value 0, which is a faint noise, and
    not by those of digital silence.
    """
    sound = samples[:CONTEXT_SAMPLES]
    after = FRAME_SAMPLES // 2 + -len(sound) % HOP_SAMPLES  # the last frame sees silence, not its mirror image
    features = log_mel(np.pad(sound, (0, after)), n_mels)[:, : -(-len(sound) // HOP_SAMPLES)]
    return np.pad(features, ((0, 0), (0, CONTEXT_FRAMES - features.shape[1])))


def _power_spectrum(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Short-time Fourier transform with centred frames and mirrored edges: shape (201, frames)."""
    frame_count = len(samples) // HOP_SAMPLES
    padded = np.pad(samples.astype(np.float32, copy=False), FRAME_SAMPLES // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::HOP_SAMPLES][:frame_count]
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.asarray(power, dtype=np.float32).T


@cache
def _hann() -> NDArray[np.float32]:
    """Return the periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)).astype(np.float32)


@cache
def mel_filters(n_mels: int) -> NDArray[np.float32]:
    """Return the triangular filters of unit area, shape (n_mels, 201): librosa's default, Slaney's Auditory Toolbox."""
    bins_hz = np.linspace(0.0, SAMPLE_RATE / 2, FRAME_SAMPLES // 2 + 1)
    corners_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(SAMPLE_RATE / 2), n_mels + 2))
    low, centre, high = corners_hz[:-2, None], corners_hz[1:-1, None], corners_hz[2:, None]
    rising = (bins_hz - low) / (centre - low)
    falling = (high - bins_hz) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * 2.0 / (high - low)).astype(np.float32)


def _hz_to_mel(hz: float) -> float:
    if hz < _KNEE_HZ:
        return hz / _HZ_PER_MEL
    return float(_KNEE_MEL + np.log(hz / _KNEE_HZ) / _LOG_STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < _KNEE_MEL, mel * _HZ_PER_MEL, _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL)))
