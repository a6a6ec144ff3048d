"""The channels of a recording apart, on one clock."""

from __future__ import annotations

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.media.decoder import PyavDecoder
from wortlaut.testing import ScriptedDecoder


def tones(count: int, rate: int = SAMPLE_RATE, duration: float = 1.0):
    """Return a tone of its own for each channel, shape (count, n)."""
    times = np.arange(round(duration * rate)) / rate
    return np.stack([0.8 * np.sin(2 * np.pi * 200 * (each + 1) * times) for each in range(count)]).astype(np.float32)


def pitch(audio: Audio, start: float = 0.25) -> float:
    samples = audio.clip(start, start + 0.5)
    assert np.max(np.abs(samples)) > 0.5
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * 2


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout", "count"),
    [
        ("a.wav", "pcm_s16le", 8_000, "stereo", 2),
        ("a.flac", "flac", 48_000, "stereo", 2),
        ("a.wav", "pcm_s16le", 16_000, "3.0", 3),
        ("a.flac", "flac", 44_100, "5.1", 6),
        ("a.aac", "aac", 48_000, "7.1", 8),
        ("a.m4a", "aac", 48_000, "7.1", 8),
    ],
)
def test_each_channel_has_its_own_sound(decoder, encode, name, codec, rate, layout, count):
    """Eight channels of AAC among them, whose frames some versions of PyAV crash on when they are read as arrays."""
    channels = decoder.decode_channels(encode(name, tones(count, rate), codec=codec, rate=rate, layout=layout))

    assert len(channels) == count
    found = [pitch(each) for each in channels if np.max(np.abs(each.clip(0.25, 0.75))) > 0.5]
    wanted = [200.0 * (each + 1) for each in range(count)]
    if codec == "aac":  # which has an order of its own, and cuts the low-frequency channel off
        assert len(set(found)) == len(found) >= count - 1
        assert set(found) <= set(wanted)
    else:
        assert found == wanted


@pytest.fixture(params=["pyav", "scripted"])
def any_decoder(request):
    if request.param == "pyav":
        return PyavDecoder()
    left, right = (Audio.from_array(each) for each in tones(2))
    return ScriptedDecoder(left, (left, right))


def test_all_channels_have_one_length_and_progress_ends_at_it(any_decoder, encode):
    heard: list[float] = []
    channels = any_decoder.decode_channels(encode("a.wav", tones(2), layout="stereo"), advance=heard.append)

    assert [each.duration for each in channels] == [1.0, 1.0]
    assert [pitch(each) for each in channels] == [200.0, 400.0]
    assert heard[-1] == 1.0


def test_a_mono_file_has_one(decoder, encode):
    assert len(decoder.decode_channels(encode("a.wav", tones(1)))) == 1


def test_words_lie_where_they_are_in_the_mix(decoder, encode, clicks, loudest_times):
    """Also behind a hole, and at another rate."""
    left, right = clicks(3.0, (0.5, 2.5), 44_100)[0], clicks(3.0, (1.0, 2.0), 44_100)[0]
    path = encode("a.mka", np.stack([left, right]), codec="flac", rate=44_100, layout="stereo", gap=(1.5, 0.75))
    channels = decoder.decode_channels(path)
    mixed = decoder.decode(path)

    assert {len(each.samples) for each in channels} == {len(mixed.samples)}
    assert loudest_times(channels[0], 2) == pytest.approx([0.5, 3.25], abs=0.002)
    assert loudest_times(channels[1], 2) == pytest.approx([1.0, 2.75], abs=0.002)
    assert channels[0].notices == mixed.notices


def test_where_the_number_of_channels_changes_nothing_is_lost_and_it_is_said(decoder, encode, tmp_path):
    options = {"write_xing": "0"}
    mp3 = {"codec": "libmp3lame", "rate": 44_100, "options": options}
    first = encode("1.mp3", tones(2, 44_100, 2.0), layout="stereo", **mp3)
    second = encode("2.mp3", tones(1, 44_100, 2.0), **mp3)
    both = tmp_path / "both.mp3"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    channels = decoder.decode_channels(both)

    assert [pitch(each, 0.5) for each in channels] == [200.0, 400.0]
    assert [pitch(each, 3.0) for each in channels] == [200.0, 200.0]
    assert "media-channels-changed" in [notice.code for notice in channels[0].notices]
