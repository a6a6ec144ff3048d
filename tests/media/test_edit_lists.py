"""Edit lists of mp4 and mov: which part of the sound is played, and how long after the beginning."""

from __future__ import annotations

import struct

import pytest

RATE = 44_100
MILLISECOND = 0.001
NESTED = (b"moov", b"trak", b"edts")  # the way to the list; the sizes of these boxes grow with it


def with_edits(path, *edits):
    """Write (seconds, first second of the media or None for an empty edit) into a file whose index lies at its end."""
    data = bytearray(path.read_bytes())
    media_scale = scale_in(data, b"mdhd")
    movie_scale = scale_in(data, b"mvhd")
    entries = b"".join(
        struct.pack(">iiHH", round(seconds * movie_scale), -1 if first is None else round(first * media_scale), 1, 0)
        for seconds, first in edits
    )
    new = box(b"elst", struct.pack(">II", 0, len(edits)) + entries)
    start = data.index(b"elst") - 4
    [old_size] = struct.unpack_from(">I", data, start)
    assert data.index(b"mdat") < data.index(b"moov")  # nothing that is pointed at moves
    data[start : start + old_size] = new
    for name in NESTED:
        place = data.index(name) - 4
        [size] = struct.unpack_from(">I", data, place)
        struct.pack_into(">I", data, place, size + len(new) - old_size)
    edited = path.with_name(f"edited{path.suffix}")
    edited.write_bytes(data)
    return edited


def box(name, content):
    return struct.pack(">I", 8 + len(content)) + name + content


def scale_in(data, name):
    """Return the ticks a second that a header box of version 0 counts in."""
    [scale] = struct.unpack_from(">I", data, data.index(name) + 16)
    return scale


@pytest.fixture
def sound(encode, clicks):
    """Five seconds with clicks at 0.5, 2.25 and 3.7."""
    return encode("a.m4a", clicks(5, (0.5, 2.25, 3.7), RATE), codec="alac", rate=RATE)


def test_what_lies_before_an_edit_is_not_played(decoder, sound, loudest_times):
    audio = decoder.decode(with_edits(sound, (3.0, 2.0)))
    assert loudest_times(audio, 2) == pytest.approx((0.25, 1.7), abs=MILLISECOND)
    assert audio.duration == pytest.approx(3.0, abs=0.1)


def test_an_empty_edit_is_silence_before_the_sound(decoder, sound, loudest_times):
    audio = decoder.decode(with_edits(sound, (1.5, None), (5.0, 0.0)))
    assert loudest_times(audio, 3) == pytest.approx((2.0, 3.75, 5.2), abs=MILLISECOND)
    assert not audio.clip(0.0, 1.4).any()


def test_an_empty_edit_and_a_beginning_that_is_cut_off(decoder, sound, loudest_times):
    audio = decoder.decode(with_edits(sound, (0.5, None), (3.0, 2.0)))
    assert loudest_times(audio, 2) == pytest.approx((0.75, 2.2), abs=MILLISECOND)
