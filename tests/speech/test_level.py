from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.speech.level import (
    LOUD_DB,
    blocks_without_rumble,
    frame_levels,
    gain_to_hear,
    noise_fills_pauses,
    percentile,
)

FRAME = 512


def tone(frequency: float, amplitude: float, duration: float = 4.0):
    clock = np.arange(round(duration * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * clock)).astype(np.float32)


def test_levels_are_decibels_of_full_scale():
    levels = frame_levels(
        np.concatenate((np.full(512, 0.1), np.zeros(512), np.full(256, 1.0))).astype(np.float32), FRAME
    )

    assert levels == pytest.approx([-20.0, -90.0, -3.0103], abs=1e-3)


@pytest.mark.parametrize("amplitude", [0.3, 0.03, 0.01])
def test_the_loud_parts_reach_the_level(amplitude):
    samples = np.concatenate((tone(1000, amplitude), np.zeros(SAMPLE_RATE, np.float32), tone(1000, amplitude / 100)))
    gain = gain_to_hear(Audio.from_array(samples), FRAME)

    assert 20 * np.log10(gain * amplitude / np.sqrt(2)) == pytest.approx(LOUD_DB, abs=0.2)


def test_loud_recordings_and_silence_stay_as_they_are():
    assert gain_to_hear(Audio.from_array(tone(1000, 1.0)), FRAME) == 1.0
    assert gain_to_hear(Audio.from_array(np.zeros(SAMPLE_RATE, np.float32)), FRAME) == 1.0
    assert gain_to_hear(Audio.from_array(np.zeros(0, np.float32)), FRAME) == 1.0


def test_background_is_not_made_loud(rng):
    """An hour of hiss with a knock would otherwise be amplified until the hiss is as loud as speech."""
    hiss = rng.normal(0, 0.001, 60 * SAMPLE_RATE).astype(np.float32)
    hiss[: SAMPLE_RATE // 4] += tone(500, 0.2, 0.25)
    gain = gain_to_hear(Audio.from_array(hiss), FRAME)

    assert 20 * np.log10(gain * 0.001) == pytest.approx(-30, abs=0.5)


@pytest.mark.parametrize("seconds", [1, 10, 50])
def test_few_words_in_long_silence_are_as_loud_as_many(rng, seconds):
    """Otherwise the loudest twentieth is the noise of the room, and the words are clipped."""
    room = rng.normal(0, 0.0003, 60 * SAMPLE_RATE).astype(np.float32)
    room[: seconds * SAMPLE_RATE] += tone(500, 0.1, seconds)
    gain = gain_to_hear(Audio.from_array(room), FRAME)

    assert 20 * np.log10(gain * 0.1 / np.sqrt(2)) == pytest.approx(LOUD_DB, abs=0.2)


@pytest.mark.parametrize("size_samples", [512, 5000, 10**6])
def test_rumble_goes_and_voices_stay(size_samples):
    voice = tone(1000, 0.1, 1.0)
    audio = Audio.from_array((voice + tone(5, 0.3, 1.0) + 0.2).astype(np.float32))
    heard = np.concatenate(list(blocks_without_rumble(audio, size_samples)))

    assert len(heard) == len(voice)
    assert np.abs(heard - voice)[200:-200].max() < 0.02


def test_the_size_of_blocks_does_not_matter(rng):
    audio = Audio.from_array(rng.normal(0, 0.1, 3000).astype(np.float32))
    whole = np.concatenate(list(blocks_without_rumble(audio, 3000)))

    np.testing.assert_allclose(np.concatenate(list(blocks_without_rumble(audio, 128))), whole, atol=1e-6)


@given(st.lists(st.floats(-90, 0, width=32), min_size=1, max_size=50), st.sampled_from([0.0, 5.0, 10.0, 95.0, 100.0]))
def test_a_percentile_is_numpys(values, percent):
    levels = np.array(values, np.float32)
    assert percentile(levels, percent) == pytest.approx(np.percentile(levels.astype(float), percent), abs=1e-9)


@pytest.mark.parametrize(
    ("noise_db", "fills"), [(-120.0, False), (-70.0, False), (-60.0, False), (-40.0, True), (-30.0, True)]
)
def test_noise_fills_pauses_when_it_is_less_than_30_db_below_the_speech(rng, noise_db, fills):
    speech = np.concatenate([tone(300, 0.2, 1.5), np.zeros(SAMPLE_RATE // 2, np.float32)] * 3)
    noise = rng.normal(0, 10 ** (noise_db / 20), len(speech))
    assert noise_fills_pauses(Audio.from_array((speech + noise).astype(np.float32))) is fills


def test_nothing_fills_pauses_where_all_is_silent():
    assert not noise_fills_pauses(Audio.from_array(np.zeros(SAMPLE_RATE, np.float32)))
