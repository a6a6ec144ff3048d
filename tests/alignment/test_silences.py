"""Quiet stretches and when to believe them."""

from __future__ import annotations

import numpy as np
import pytest

from wortlaut.alignment.silences import find_silences

RATE = 16_000


def sound(rng, *stretches):
    """Return noise of given (seconds, level) stretches."""
    return np.concatenate([rng.standard_normal(round(seconds * RATE)) * level for seconds, level in stretches]).astype(
        np.float32
    )


def test_finds_where_it_is_quiet(rng):
    samples = sound(rng, (1.0, 0.1), (0.3, 0.0001), (1.0, 0.1), (0.5, 0.0001))
    first, last = find_silences(samples)
    assert (first.start, first.end) == pytest.approx((1.0, 1.3), abs=0.03)
    assert (last.start, last.end) == pytest.approx((2.3, 2.8), abs=0.03)


def test_times_are_those_of_the_recording(rng):
    samples = sound(rng, (1.0, 0.1), (0.3, 0.0001), (1.0, 0.1))
    (silence,) = find_silences(samples, start=100.0)
    assert silence.start == pytest.approx(101.0, abs=0.03)


def test_short_ones_are_closures_of_consonants(rng):
    assert find_silences(sound(rng, (1.0, 0.1), (0.06, 0.0001), (1.0, 0.1), (0.06, 0.0001), (1.0, 0.1))) == []


def test_noise_in_the_pauses_makes_them_worthless(rng):
    clean = sound(rng, (1.0, 0.1), (0.3, 0.0001), (1.0, 0.1))
    noisy = clean + sound(rng, (2.3, 0.03))
    assert find_silences(clean)
    assert find_silences(noisy) == []


def test_digital_silence_does_not_hide_the_softer_one(rng):
    samples = sound(rng, (1.0, 0.1), (0.3, 0.0003), (1.0, 0.1), (2.0, 0.0))
    silences = find_silences(samples)
    assert silences[0].start == pytest.approx(1.0, abs=0.03)
    assert silences[0].end == pytest.approx(1.3, abs=0.03)


@pytest.mark.parametrize("count", [0, 1, 159, 160, 400])
def test_almost_nothing_has_no_silences(count):
    assert find_silences(np.zeros(count, np.float32)) == []
