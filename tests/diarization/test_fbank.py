from __future__ import annotations

import numpy as np
import pytest

from wortlaut.diarization.fbank import BINS, FRAME_SAMPLES, SHIFT_SAMPLES, log_fbank


def mel(hertz):
    return 1127 * np.log(1 + hertz / 700)


def reference_frame(samples):
    """One frame, written after the text of Kaldi's feature-window.cc and mel-computations.cc, in plain loops."""
    frame = [float(sample) for sample in samples]
    mean = sum(frame) / 400
    frame = [sample - mean for sample in frame]
    frame = [frame[0] * (1 - 0.97)] + [frame[i] - 0.97 * frame[i - 1] for i in range(1, 400)]
    window = [(0.5 - 0.5 * np.cos(2 * np.pi * i / 399)) ** 0.85 for i in range(400)]
    padded = np.array([a * b for a, b in zip(frame, window, strict=True)] + [0.0] * 112)
    power = [abs(np.sum(padded * np.exp(-2j * np.pi * k * np.arange(512) / 512))) ** 2 for k in range(257)]
    step = (mel(8000) - mel(20)) / 81
    energies = []
    for band in range(80):
        left, centre, right = (mel(20) + (band + side) * step for side in range(3))
        energy = 0.0
        for k in range(256):
            here = mel(k * 16000 / 512)
            if left < here <= centre:
                energy += power[k] * (here - left) / (centre - left)
            elif centre < here < right:
                energy += power[k] * (right - here) / (right - centre)
        energies.append(np.log(max(energy, np.finfo(np.float32).eps)))
    return energies


def test_agrees_with_a_plain_reading_of_kaldi(rng):
    samples = rng.normal(0, 0.1, 1200).astype(np.float32) + np.float32(0.3)
    features = log_fbank(samples)
    expected = [reference_frame(samples[start : start + 400]) for start in (0, 160, 320, 480, 640, 800)]
    np.testing.assert_allclose(features, expected, atol=2e-3)


@pytest.mark.parametrize(("length", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16000, 98)])
def test_frames_lie_wholly_inside(length, frames):
    assert log_fbank(np.zeros(length, np.float32)).shape == (frames, BINS)


def test_silence_is_the_floor_and_finite():
    assert log_fbank(np.zeros(FRAME_SAMPLES, np.float32)) == pytest.approx(np.log(np.finfo(np.float32).eps))


def test_a_tone_lands_in_the_band_of_its_frequency():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    band = (mel(1000) - mel(20)) / (mel(8000) - mel(20)) * 81 - 1
    assert abs(log_fbank(tone).mean(axis=0).argmax() - band) <= 1


def test_a_frame_does_not_depend_on_what_was_read_before_it(rng):
    samples = rng.normal(0, 0.1, 8000).astype(np.float32)
    np.testing.assert_allclose(log_fbank(samples[5 * SHIFT_SAMPLES :]), log_fbank(samples)[5:], atol=1e-5)
