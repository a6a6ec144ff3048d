"""A telephone call with a channel a person, by the real models: made of the sample conversation and its true turns."""

from __future__ import annotations

import re
import wave
from itertools import pairwise

import numpy as np
import pytest

from wortlaut.assembly import Transcriber
from wortlaut.audio import SAMPLE_RATE
from wortlaut.options import Decoding, Options, Speakers
from wortlaut.settings import Settings

pytestmark = pytest.mark.models

LEAK = 0.1
DELAY_SAMPLES = SAMPLE_RATE // 100
SPLIT = Options(channels="split", channel_labels=("Agent", "Customer"), language="en")


@pytest.fixture(scope="module")
def transcriber(models_dir):
    with Transcriber(Settings(models_dir=models_dir, offline=True, threads=1)) as one:
        yield one


@pytest.fixture(scope="module")
def channels(transcriber, sample_conversation):
    """What each of the two says, in silence."""
    audio = transcriber.decode(sample_conversation)
    samples = audio.clip(0, audio.duration)
    lines = [line.split() for line in sample_conversation.with_suffix(".rttm").read_text().splitlines()]
    both = {name: np.zeros_like(samples) for name in dict.fromkeys(line[7] for line in lines)}
    for line in lines:
        start, length = (round(float(each) * SAMPLE_RATE) for each in line[3:5])
        both[line[7]][start : start + length] = samples[start : start + length]
    return list(both.values())


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    def record(*channels):
        path = tmp_path_factory.mktemp("calls") / "call.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(len(channels))
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes((np.stack(channels, 1) * 32767).astype("<i2").tobytes())
        return path

    return record


def leaking(channel, other):
    """Add the other channel, 20 dB softer and late."""
    return channel + LEAK * np.concatenate([np.zeros(DELAY_SAMPLES, np.float32), other[:-DELAY_SAMPLES]])


def plain(words):
    return [re.sub(r"[^a-z]", "", word.text.lower()) for word in words]


def assert_sound(transcript):
    assert [each.start for each in transcript.segments] == sorted(each.start for each in transcript.segments)
    for segment in transcript.segments:
        assert {word.speaker for word in segment.words} == {segment.speaker}
        assert all(0 <= word.start < word.end <= transcript.duration for word in segment.words)
        assert all(one.start <= other.start for one, other in pairwise(segment.words))


def test_each_says_what_they_say_when_they_say_it_also_where_the_line_leaks(transcriber, channels, record):
    one, other = channels
    clean = transcriber.transcribe(record(one, other), SPLIT)
    leaky = transcriber.transcribe(record(leaking(one, other), leaking(other, one)), SPLIT)
    for transcript in (clean, leaky):
        assert_sound(transcript)
        assert transcript.speakers == ("Agent", "Customer")
        said = {name: plain(w for w in transcript.words if w.speaker == name) for name in transcript.speakers}
        assert "diane" in said["Agent"]
        assert "diane" not in said["Customer"]
        assert "sheila" in said["Customer"]
        assert "sheila" not in said["Agent"]
    assert "cross-talk" in [notice.code for notice in leaky.warnings]
    [diane] = [word for word in clean.words if plain([word]) == ["diane"]]
    [again] = [word for word in leaky.words if plain([word]) == ["diane"]]
    assert (again.start, again.end) == pytest.approx((diane.start, diane.end), abs=0.2)
    assert 12.5 < diane.start < 14.2  # where it is in the recording itself


@pytest.mark.slow
def test_a_silent_channel_is_nobody_and_equal_ones_are_a_conversation(transcriber, channels, record):
    one, other = channels
    alone = transcriber.transcribe(record(one, np.zeros_like(one)), SPLIT)
    assert alone.speakers == ("Agent",)
    mix = (one + other) / 2
    told_apart = Options(channels="split", language="en", speakers=Speakers(2, 2))
    assert transcriber.transcribe(record(mix, mix), told_apart).speakers == ("SPEAKER_00", "SPEAKER_01")


def test_verbatim_text_says_what_it_is(transcriber, channels, record):
    options = Options(language="en", speakers=None, words=False, decoding=Decoding(verbatim=True))
    transcript = transcriber.transcribe(record(channels[0]), options)
    assert "Diane" in transcript.text
    assert "verbatim-incomplete" in [notice.code for notice in transcript.warnings]
