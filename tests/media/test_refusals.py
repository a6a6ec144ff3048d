"""What cannot be decoded is refused with the reason, and nothing but the file itself is ever opened."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pytest

from wortlaut.errors import (
    DecodingFailed,
    MediaInvalid,
    MediaNotFound,
    MediaUnreadable,
    NoAudioStream,
    OutputUnwritable,
)
from wortlaut.media.decoder import PyavDecoder

SECOND = np.full((1, 16_000), 0.25, np.float32)


def test_a_file_that_is_not_there(decoder, tmp_path):
    with pytest.raises(MediaNotFound, match="nowhere"):
        decoder.decode(tmp_path / "nowhere.wav")


def test_a_path_through_a_file(decoder, encode):
    with pytest.raises(MediaNotFound):
        decoder.decode(encode("a.wav", SECOND) / "b.wav")


def test_a_name_no_system_allows(decoder):
    with pytest.raises(MediaNotFound):
        decoder.decode(Path("a\0b.wav"))


def test_a_folder(decoder, tmp_path):
    with pytest.raises(MediaUnreadable, match="folder"):
        decoder.decode(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a Unix thing")
def test_a_pipe_is_not_waited_for(decoder, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MediaUnreadable, match="pipe"):
        decoder.decode(tmp_path / "pipe")


def test_permissions(decoder, encode):
    path = encode("a.wav", SECOND)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(MediaUnreadable):
        decoder.decode(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"To be, or not to be, that is the question.\n" * 30, "no recording"),
        (np.random.default_rng(5).bytes(20_000), "no recording"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "no"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\0\0\0", "holds no sound"),
    ],
    ids=["empty", "text", "noise", "half a header", "a header alone"],
)
def test_what_is_no_recording(decoder, tmp_path, content, reason):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(MediaInvalid, match=reason):
        decoder.decode(path)


def test_a_picture_without_sound(decoder, encode):
    with pytest.raises(NoAudioStream):
        decoder.decode(encode("a.mp4", SECOND, video=True, streams=0))


@pytest.mark.parametrize(
    "name",
    [
        "with spaces.wav",
        "grüße 你好.wav",
        "two\nlines.wav",
        "http:foo.wav",
        "concat:a|b.wav",
        "-i.wav",
        "%03d.wav",
        "data:audio,x.wav",
        "quo'te\".wav",
    ],
)
def test_names_are_only_names(decoder, encode, monkeypatch, tmp_path, name):
    path = encode("plain.wav", SECOND).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)

    assert decoder.decode(Path(name)).duration == 1.0
    assert decoder.decode(path).duration == 1.0


def test_a_name_that_is_not_unicode(decoder, encode, tmp_path):
    path = encode("plain.wav", SECOND).rename(tmp_path / os.fsdecode(b"\xff\xfe.wav"))

    assert decoder.decode(path).duration == 1.0


def test_modules_in_the_current_folder_are_not_imported(decoder, encode, monkeypatch, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('imported the wrong json')")
    path = encode("a.wav", SECOND)
    monkeypatch.chdir(tmp_path)

    assert decoder.decode(path).duration == 1.0


PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile '{target}'\n",
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 0 RTP/AVP 0\n",
    "manifest.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    '<AdaptationSet mimeType="audio/mp4"><Representation id="0"><BaseURL>{target}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlists_do_not_reach_other_files(decoder, encode, tmp_path, name):
    target = encode("secret.ts", SECOND, codec="mp2")
    (tmp_path / name).write_text(PLAYLISTS[name].format(target=target))
    with pytest.raises(MediaInvalid):
        decoder.decode(tmp_path / name)


@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlists_do_not_reach_the_network(decoder, tmp_path, name):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        (tmp_path / name).write_text(PLAYLISTS[name].format(target=address))
        with pytest.raises(MediaInvalid):
            decoder.decode(tmp_path / name)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_spool_folder_that_is_not_there(encode, tmp_path):
    with pytest.raises(OutputUnwritable) as caught:
        PyavDecoder(spool_dir=tmp_path / "missing").decode(encode("a.wav", SECOND))

    assert str(tmp_path / "missing") in caught.value.hint


def test_damage_is_skipped_and_said(decoder, encode):
    rng = np.random.default_rng(3)
    noise = rng.uniform(-0.5, 0.5, (1, 160_000)).astype(np.float32)
    path = encode("a.flac", noise, codec="flac")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = rng.bytes(3000)
    path.write_bytes(content)
    audio = decoder.decode(path)

    assert audio.duration == pytest.approx(10, abs=0.3)
    assert "media-damaged" in [notice.code for notice in audio.notices]


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.wav", "pcm_s16le", None),
        ("a.flac", "flac", None),
        ("a.m4a", "aac", {"movflags": "faststart"}),
        ("a.mkv", "aac", None),
        ("a.mp3", "libmp3lame", None),
    ],
)
def test_a_file_cut_short_gives_what_is_there_and_says_so(decoder, encode, name, codec, options):
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, (1, 320_000)).astype(np.float32)
    path = encode(name, noise, codec=codec, options=options)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    audio = decoder.decode(path)

    assert 8 < audio.duration < 12
    assert [notice.code for notice in audio.notices] == ["media-truncated"]


def test_one_of_several_streams_is_taken_and_named(decoder, encode):
    audio = decoder.decode(encode("a.mkv", SECOND, codec="aac", streams=3))

    assert audio.duration == pytest.approx(1, abs=0.1)
    assert [notice.code for notice in audio.notices] == ["media-other-streams"]
    assert "3 audio streams" in audio.notices[0].message


def test_an_mp4_whose_index_never_came(decoder, encode):
    path = encode("a.m4a", SECOND, codec="aac")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises((MediaInvalid, DecodingFailed)):
        decoder.decode(path)
