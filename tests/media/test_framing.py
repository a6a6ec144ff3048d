from __future__ import annotations

import av
import numpy as np
import pytest

from wortlaut.media.framing import stated_size_bytes


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.mp3", "libmp3lame", 44_100),
        ("a.mp3", "libmp3lame", 24_000),
        ("a.mp3", "libmp3lame", 8_000),
        ("a.aac", "aac", 48_000),
    ],
)
def test_whole_frames_state_their_size(encode, name, codec, rate):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (1, rate)).astype(np.float32)
    with av.open(str(encode(name, noise, codec=codec, rate=rate))) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    assert len(packets) > 10
    assert [stated_size_bytes(name[2:], packet) for packet in packets] == [len(packet) for packet in packets]


@pytest.mark.parametrize("frame", [b"", b"\xff\xfb", b"\0" * 10, b"\xff\xfb\xf0\0\0\0\0", b"\xff\xff\x90\0\0\0\0"])
def test_what_is_no_frame_states_nothing(frame):
    assert stated_size_bytes("mp3", frame) is None


def test_other_formats_state_nothing():
    assert stated_size_bytes("ogg", b"\xff\xfb\x90\x64\0\0\0") is None
