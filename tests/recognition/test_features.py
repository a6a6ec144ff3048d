"""The log-mel spectrogram against a second implementation, written from the definitions with loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.recognition.features import CONTEXT_SAMPLES, log_mel, log_mel_in_context, mel_filters


def slaney_mel(hz: float) -> float:
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)


def slaney_hz(mel: float) -> float:
    return 200 * mel / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def filters_by_loops(n_mels: int) -> np.ndarray:
    top = slaney_mel(8000)
    corners = [slaney_hz(top * i / (n_mels + 1)) for i in range(n_mels + 2)]
    filters = np.zeros((n_mels, 201))
    for m, (left, middle, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        for k in range(201):
            hz = 40 * k
            if left < hz <= middle:
                filters[m, k] = (hz - left) / (middle - left) * 2 / (right - left)
            elif middle < hz < right:
                filters[m, k] = (right - hz) / (right - middle) * 2 / (right - left)
    return filters


def log_mel_by_scipy(samples: np.ndarray, n_mels: int) -> np.ndarray:
    mirrored = np.concatenate([samples[200:0:-1], samples, samples[-2:-202:-1]]).astype(np.float64)
    window = scipy.signal.get_window("hann", 400, fftbins=True)
    _, _, spectrum = scipy.signal.stft(
        mirrored, window=window, nperseg=400, noverlap=240, boundary=None, padded=False, scaling="spectrum"
    )
    power = np.abs(spectrum * window.sum())[:, : len(samples) // 160] ** 2
    loudness = np.log10(np.clip(filters_by_loops(n_mels) @ power, 1e-10, None))
    return (np.clip(loudness, loudness.max() - 8, None) + 4) / 4


@pytest.mark.parametrize("n_mels", [80, 128])
def test_filters_are_slaneys(n_mels):
    np.testing.assert_allclose(mel_filters(n_mels), filters_by_loops(n_mels), atol=1e-7)


@pytest.mark.parametrize("n_mels", [80, 128])
def test_features_are_those_of_the_second_implementation(rng, n_mels):
    time = np.arange(16_000) / 16_000
    samples = 0.3 * np.sin(2 * np.pi * 440 * time) + 0.01 * rng.standard_normal(16_000)
    samples = samples.astype(np.float32)
    np.testing.assert_allclose(log_mel(samples, n_mels), log_mel_by_scipy(samples, n_mels), atol=2e-5)


def test_features_of_faint_sound_beside_loud_sound_are_cut_at_80_decibels(rng):
    samples = np.concatenate([rng.uniform(-1, 1, 8000), 1e-7 * rng.uniform(-1, 1, 8000)]).astype(np.float32)
    features = log_mel(samples, 80)
    assert features.max() - features.min() == pytest.approx(2.0, abs=1e-6)
    np.testing.assert_allclose(features[:, -10:], features.min(), atol=1e-6)


def test_silence_is_flat():
    np.testing.assert_allclose(log_mel(np.zeros(3200, np.float32), 80), -1.5, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5000), st.sampled_from([80, 128]))
def test_there_is_one_frame_for_each_whole_hop(count_samples, n_mels):
    features = log_mel(np.full(count_samples, 0.1, np.float32), n_mels)
    assert features.shape == (n_mels, count_samples // 160)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


@pytest.mark.parametrize("count_samples", [0, 1, 159, 16_000, 16_001, CONTEXT_SAMPLES, CONTEXT_SAMPLES + 5])
def test_a_context_is_always_thirty_seconds(count_samples):
    assert log_mel_in_context(np.ones(count_samples, np.float32), 80).shape == (80, 3000)


@pytest.mark.parametrize("count_samples", [8000, 8123])
def test_in_context_sound_is_followed_by_silence_and_then_by_zeros(rng, count_samples):
    samples = (0.1 * rng.standard_normal(count_samples)).astype(np.float32)
    frames = math.ceil(count_samples / 160)
    features = log_mel_in_context(samples, 80)
    in_silence = log_mel_by_scipy(np.concatenate([samples, np.zeros(16_000, np.float32)]), 80)
    np.testing.assert_allclose(features[:, :frames], in_silence[:, :frames], atol=2e-5)
    assert not features[:, frames:].any()
