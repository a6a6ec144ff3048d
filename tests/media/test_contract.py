"""What every decoder promises."""

from __future__ import annotations

import json

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.errors import InputError
from wortlaut.media.decoder import PyavDecoder
from wortlaut.testing import ScriptedDecoder

WAVE = (0.5 * np.sin(2 * np.pi * 220 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)


@pytest.fixture(params=["pyav", "scripted"])
def decoder(request):
    return PyavDecoder() if request.param == "pyav" else ScriptedDecoder(Audio.from_array(WAVE))


def test_samples_are_mono_16_khz_float32_in_range(decoder, encode):
    audio = decoder.decode(encode("a.wav", WAVE[None]))
    samples = audio.clip(0, audio.duration)

    assert samples.dtype == np.float32
    assert samples.shape == (2 * SAMPLE_RATE,)
    np.testing.assert_allclose(samples, WAVE, atol=1e-4)


def test_progress_rises_to_the_duration(decoder, encode):
    heard: list[float] = []
    audio = decoder.decode(encode("a.wav", WAVE[None]), advance=heard.append)

    assert heard == sorted(heard)
    assert heard[-1] == audio.duration


def test_decoding_twice_gives_the_same(decoder, encode):
    path = encode("a.wav", WAVE[None])
    first, second = decoder.decode(path), decoder.decode(path)

    np.testing.assert_array_equal(first.clip(0, 2), second.clip(0, 2))


@pytest.mark.slow
def test_every_file_of_the_hard_set_gives_sound_or_the_right_error(eval_dir):
    """The manifest says how long each file is, or that it is broken on purpose."""
    folder = eval_dir / "hard-media"
    wrong = []
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        item = json.loads(line)
        expected = "no-audio-stream" if item.get("no_audio_stream") else item.get("duration") or "media-invalid"
        try:
            found: object = PyavDecoder().decode(folder / item["audio"]).duration
        except InputError as error:
            found = error.code
        if found != (pytest.approx(expected, abs=0.002) if isinstance(expected, float) else expected):
            wrong.append((item["audio"], expected, found))

    assert not wrong
