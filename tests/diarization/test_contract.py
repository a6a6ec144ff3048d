"""What every `Diarizer` promises, asked of the built-in one and of a fake that follows a script."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.clustered import ClusteringDiarizer
from wortlaut.errors import Cancelled
from wortlaut.options import Speakers
from wortlaut.stages import ignore
from wortlaut.transcript import Diarization, Turn


@dataclass(frozen=True)
class ScriptedDiarizer:
    """Says what it was told to say, cut to the recording, and nothing in digital silence."""

    turns: tuple[Turn, ...]

    def diarize(self, audio, /, *, speakers, advance=ignore):
        if not audio.clip(0, audio.duration).any():
            return Diarization()
        advance(audio.duration)
        kept = [turn for turn in self.turns if turn.start < audio.duration]
        turns = tuple(Turn(turn.start, min(turn.end, audio.duration), turn.speaker) for turn in kept)
        return Diarization(turns, turns)


def scripted(_):
    return ScriptedDiarizer((Turn(0.0, 1.5, "SPEAKER_00"), Turn(1.5, 20.0, "SPEAKER_01")))


def built_in(request):
    folder = request.getfixturevalue("models_dir")
    return ClusteringDiarizer(
        folder / "segmentation-3.0-int8" / "segmentation.onnx", folder / "campplus-pooled" / "campplus.onnx", threads=2
    )


@pytest.fixture(params=[scripted, pytest.param(built_in, marks=pytest.mark.models)])
def diarizer(request):
    return request.param(request)


def voice(duration, pitch):
    """A vowel of sorts: what the network takes for a voice."""
    times = np.arange(round(duration * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.05 * np.sin(2 * np.pi * 3 * times))) / SAMPLE_RATE
    tone = sum(np.sin(k * phase) * np.exp(-((k * pitch - 700) ** 2) / 5e5) for k in range(1, 30))
    return (0.05 * (tone + 0.1) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * times))).astype(np.float32)


@pytest.fixture(scope="module")
def conversation():
    """Two synthetic voices that take turns for 12 s."""
    return Audio.from_array(np.concatenate([voice(3, pitch) for pitch in (110, 220, 110, 220)]))


def test_turns_are_sorted_inside_the_recording_and_named(diarizer, conversation):
    found = diarizer.diarize(conversation, speakers=Speakers())
    for turns in (found.turns, found.exclusive):
        assert [turn.start for turn in turns] == sorted(turn.start for turn in turns)
        assert all(0 <= turn.start < turn.end <= conversation.duration for turn in turns)
    names = list(dict.fromkeys(turn.speaker for turn in found.turns))
    assert names == [f"SPEAKER_{number:02d}" for number in range(len(names))]
    assert {turn.speaker for turn in found.exclusive} <= set(names)


def test_exclusive_turns_do_not_overlap(diarizer, conversation):
    exclusive = diarizer.diarize(conversation, speakers=Speakers()).exclusive
    assert all(earlier.end <= later.start for earlier, later in pairwise(exclusive))


def test_nobody_speaks_in_silence(diarizer):
    found = diarizer.diarize(Audio.from_array(np.zeros(3 * SAMPLE_RATE, np.float32)), speakers=Speakers())
    assert found.turns == found.exclusive == ()


@pytest.mark.parametrize("duration", [0.0, 0.0001, 0.1, 0.9])
def test_short_recordings_work(diarizer, duration):
    found = diarizer.diarize(Audio.from_array(voice(duration, 120)), speakers=Speakers())
    assert all(0 <= turn.start < turn.end <= duration + 1 / SAMPLE_RATE for turn in found.turns)


def test_it_can_be_stopped(diarizer, conversation):
    def stop(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        diarizer.diarize(conversation, speakers=Speakers(), advance=stop)


def test_it_reports_seconds_up_to_the_end(diarizer, conversation):
    done = []
    diarizer.diarize(conversation, speakers=Speakers(), advance=done.append)
    assert done == sorted(done)
    assert done[-1] == pytest.approx(conversation.duration)
