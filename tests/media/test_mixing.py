"""All channels count the same, nothing clips, and nothing gets lost between formats."""

from __future__ import annotations

import io

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE
from wortlaut.media.mixing import PcmFile


def tone(frequency: float, rate: int = SAMPLE_RATE, duration: float = 1.0, level: float = 0.9):
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(duration * rate)) / rate)).astype(np.float32)


def level(audio, second: int = 0) -> float:
    """Amplitude of a sine: sqrt(2) times the root of the mean square, away from the ends."""
    return float(np.sqrt(2 * np.mean(np.square(audio.clip(second + 0.2, second + 0.8)))))


@pytest.mark.parametrize(
    ("layout", "channels"), [("mono", 1), ("stereo", 2), ("3.0", 3), ("quad", 4), ("5.1", 6), ("7.1", 8)]
)
def test_a_voice_in_any_one_channel_is_heard(decoder, encode, layout, channels):
    """One channel after the other says a second's worth."""
    samples = np.zeros((channels, channels * SAMPLE_RATE), np.float32)
    for channel in range(channels):
        samples[channel, channel * SAMPLE_RATE : (channel + 1) * SAMPLE_RATE] = tone(440)
    audio = decoder.decode(encode("a.wav", samples, layout=layout))

    for channel in range(channels):
        assert level(audio, channel) == pytest.approx(0.9 / channels, rel=0.01)


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6)])
def test_full_scale_in_all_channels_does_not_clip(decoder, encode, layout, channels):
    samples = np.tile(tone(440, 48_000, level=1.0), (channels, 1))
    audio = decoder.decode(encode("a.flac", samples, codec="flac", rate=48_000, layout=layout))

    assert level(audio) == pytest.approx(1.0, rel=0.01)


def test_eight_channels_of_aac(decoder, encode):
    """Reading such frames as an array makes some versions of PyAV crash."""
    samples = np.tile(tone(440, 48_000), (8, 1))
    audio = decoder.decode(encode("a.m4a", samples, codec="aac", rate=48_000, layout="7.1"))

    assert level(audio) == pytest.approx(0.9, rel=0.15)


def test_the_format_may_change_in_the_middle(decoder, encode, tmp_path):
    """Two MP3 files of different rate and channels, one behind the other, as some recorders leave them."""
    options = {"write_xing": "0"}
    first = encode("1.mp3", tone(440, 44_100, 2.0)[None], codec="libmp3lame", rate=44_100, options=options)
    second = encode(
        "2.mp3",
        np.tile(tone(880, 48_000, 3.0), (2, 1)),
        codec="libmp3lame",
        rate=48_000,
        layout="stereo",
        options=options,
    )
    both = tmp_path / "both.mp3"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    audio = decoder.decode(both)

    assert audio.duration == pytest.approx(5.0, abs=0.25)
    for start, frequency in ((0.5, 440), (3.5, 880)):
        spectrum = np.abs(np.fft.rfft(audio.clip(start, start + 1)))
        assert np.argmax(spectrum) == pytest.approx(frequency, abs=3)


def test_a_gap_is_a_hole_and_an_overlap_is_dropped():
    file = io.BytesIO()
    pcm = PcmFile(file)
    pcm.write(b"AABBCC")
    pcm.go_to(5)
    pcm.write(b"DD")
    pcm.go_to(4)
    pcm.write(b"xx")
    pcm.write(b"yyEE")
    pcm.finish()

    assert file.getvalue() == b"AABBCC\0\0\0\0DDEE"


def test_a_negative_position_drops_the_beginning():
    file = io.BytesIO()
    pcm = PcmFile(file)
    pcm.go_to(-2)
    pcm.write(b"xxyyAA")
    pcm.finish()

    assert file.getvalue() == b"AA"
