"""What is heard at a time in the file stands at that time in the samples."""

from __future__ import annotations

import numpy as np
import pytest

TIMES = (0.5, 2.25, 3.7)
MILLISECOND = 0.001


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 44_100),
        ("a.wav", "pcm_mulaw", 8_000),
        ("a.flac", "flac", 48_000),
        ("a.caf", "pcm_f32le", 22_050),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.mp3", "libmp3lame", 16_000),
        ("a.m4a", "aac", 44_100),
        ("a.m4a", "alac", 44_100),
        ("a.mp4", "aac", 48_000),
        ("a.mov", "pcm_s16le", 48_000),
        ("a.ogg", "libopus", 48_000),
        ("a.opus", "libopus", 48_000),
        ("a.webm", "libopus", 48_000),
        ("a.mkv", "libmp3lame", 44_100),
        ("a.mkv", "aac", 48_000),
    ],
)
def test_clicks_are_where_they_were_put(decoder, encode, clicks, loudest_times, name, codec, rate):
    audio = decoder.decode(encode(name, clicks(5, TIMES, rate), codec=codec, rate=rate))

    assert loudest_times(audio, 3) == pytest.approx(TIMES, abs=MILLISECOND)
    assert audio.duration == pytest.approx(5, abs=0.08)  # coders fill up their last frame
    assert audio.notices == ()


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.m4a", "aac", 44_100),
        ("a.mp4", "libopus", 48_000),
        ("a.mkv", "libopus", 48_000),
        ("a.mov", "pcm_s16le", 8000),
    ],
)
def test_sound_that_begins_later_is_preceded_by_silence(decoder, encode, clicks, loudest_times, name, codec, rate):
    audio = decoder.decode(encode(name, clicks(3, (0.5, 2.0), rate), codec=codec, rate=rate, start=1.5))

    assert loudest_times(audio, 2) == pytest.approx((2.0, 3.5), abs=2 * MILLISECOND)
    assert not audio.clip(0, 1.4).any()


def test_sound_that_begins_after_the_picture_keeps_its_distance(decoder, encode, clicks, loudest_times):
    """A transport stream's clock begins anywhere; its earliest stream is time zero."""
    path = encode("a.ts", clicks(3, (0.5, 2.0), 48_000), codec="mp2", rate=48_000, start=1.5, video=True)

    assert loudest_times(decoder.decode(path), 2) == pytest.approx((2.0, 3.5), abs=2 * MILLISECOND)


def test_a_piece_of_a_long_stream_begins_at_zero(decoder, encode, clicks, loudest_times):
    audio = decoder.decode(encode("a.mkv", clicks(3, (0.5, 2.0), 48_000), codec="libopus", rate=48_000, start=3600.0))

    assert loudest_times(audio, 2) == pytest.approx((0.5, 2.0), abs=10 * MILLISECOND)
    assert [notice.code for notice in audio.notices] == ["media-clock-shifted"]


@pytest.mark.parametrize(
    ("name", "codec", "rate"), [("a.mp4", "aac", 44_100), ("a.mkv", "libopus", 48_000), ("a.flv", "libmp3lame", 44_100)]
)
def test_gaps_are_silence(decoder, encode, clicks, loudest_times, name, codec, rate):
    gap_start, gap = 1.5, 2.0
    path = encode(name, clicks(3, (0.5, 2.0), rate), codec=codec, rate=rate, gap=(gap_start, gap))
    audio = decoder.decode(path)
    first, second = loudest_times(audio, 2)

    assert second - first == pytest.approx(1.5 + gap, abs=2 * MILLISECOND)
    assert [notice.code for notice in audio.notices] == ["media-gaps"]
    assert np.abs(audio.clip(gap_start + 0.2, gap_start + gap - 0.2)).max() < 1e-3


def test_the_end_is_not_cut_by_the_resampler(decoder, encode):
    tone = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100, dtype=np.float32)[None] / 2
    audio = decoder.decode(encode("a.wav", tone, rate=44_100))

    assert len(audio.samples) == 16_000
    assert np.abs(audio.clip(0.995, 1.0)).max() == pytest.approx(0.5, rel=0.1)
