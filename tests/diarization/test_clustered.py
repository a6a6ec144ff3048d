from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.clustered import ClusteringDiarizer, label
from wortlaut.diarization.embedding import EmbeddingNetwork, Embeddings, embed, unit
from wortlaut.diarization.frames import frame_count, frame_times
from wortlaut.diarization.segmentation import (
    FRAMES_PER_WINDOW,
    Segmentation,
    SegmentationNetwork,
    segment,
    window_starts,
)
from wortlaut.errors import ModelMissing
from wortlaut.options import Speakers


def scene(script, duration):
    """Return what perfect networks would find in (speaker, start, end), also where two overlap."""
    times = frame_times(frame_count(duration))
    activity = np.zeros((len(times), 3), np.uint8)
    for speaker, start, end in script:
        activity[(times >= start) & (times < end), speaker] = 1
    starts = np.array(window_starts(round(duration * SAMPLE_RATE))) / SAMPLE_RATE
    tracks = np.zeros((len(starts), FRAMES_PER_WINDOW, 3), np.uint8)
    found = Segmentation(starts, tracks, np.float32(activity.any(axis=1)), np.float32(activity.sum(axis=1) > 1))
    for window, first in enumerate(found.first_frames):
        seen = activity[first : first + FRAMES_PER_WINDOW]
        tracks[window, : len(seen)] = np.roll(seen, window, axis=1)  # each window numbers its tracks differently
    points = np.arange(0, duration, 0.5)
    alone = activity.sum(axis=1) == 1
    nearest = np.minimum((points / times[-1] * (len(times) - 1)).round().astype(int), len(times) - 1)
    points, nearest = points[alone[nearest]], nearest[alone[nearest]]
    vectors = np.eye(3, 192, dtype=np.float32)[activity[nearest].argmax(axis=1)]
    return found, Embeddings(points, np.full(len(points), 1.5), vectors)


CONVERSATION = [(2, 0.5, 6.0), (0, 6.5, 12.0), (2, 11.0, 16.0), (0, 17.0, 22.0)]


def error_rate(turns, script):
    reference, hypothesis = Annotation(), Annotation()
    for number, (speaker, start, end) in enumerate(script):
        reference[Segment(start, end), number] = speaker
    for number, turn in enumerate(turns):
        hypothesis[Segment(turn.start, turn.end), number] = turn.speaker
    whole = Timeline([Segment(0, 3600)])
    return DiarizationErrorRate(collar=0.0, skip_overlap=False)(reference, hypothesis, uem=whole)


def test_perfect_networks_give_nearly_perfect_turns():
    found = label(*scene(CONVERSATION, 25.0), Speakers(), 25.0)
    assert error_rate(found.turns, CONVERSATION) < 0.06
    assert found.turns[0].speaker == "SPEAKER_00"
    assert found.notices == ()


def test_overlap_is_in_turns_and_not_in_exclusive():
    found = label(*scene(CONVERSATION, 25.0), Speakers(), 25.0)
    middle = 11.5
    assert sum(turn.start < middle < turn.end for turn in found.turns) == 2
    assert sum(turn.start < middle < turn.end for turn in found.exclusive) == 1


scripts = st.lists(
    st.tuples(st.integers(0, 2), st.floats(0, 28), st.floats(0.2, 8)).map(
        lambda t: (t[0], t[1], min(30.0, sum(t[1:])))
    ),
    max_size=8,
)


@settings(max_examples=60)
@given(scripts, st.integers(1, 5), st.integers(0, 3))
def test_a_demand_is_met_or_a_notice_says_so(script, minimum, more):
    segmentation, embeddings = scene(script, 30.0)
    demand = Speakers(minimum, minimum + more)
    found = label(segmentation, embeddings, demand, 30.0)
    count = len({turn.speaker for turn in found.turns})
    assert {turn.speaker for turn in found.exclusive} == {f"SPEAKER_{k:02d}" for k in range(count)}
    assert (demand.minimum <= count <= demand.maximum) == (found.notices == ())
    if len(embeddings.times) >= minimum:
        assert found.notices == ()


@settings(max_examples=60)
@given(scripts, st.integers(0, 10_000), st.floats(0.02, 3.0), st.integers(1, 8), st.integers(0, 3))
def test_a_demand_is_met_whatever_the_voices_are_like(script, seed, spread, minimum, more):
    segmentation, perfect = scene(script, 30.0)
    noise = np.random.default_rng(seed).normal(0, spread / np.sqrt(192), perfect.vectors.shape)
    embeddings = replace(perfect, vectors=unit((perfect.vectors + noise).astype(np.float32)))
    found = label(segmentation, embeddings, Speakers(minimum, minimum + more), 30.0)
    count = len({turn.speaker for turn in found.exclusive})
    assert min(minimum, len(embeddings.times)) <= count <= minimum + more


def test_a_notice_says_how_many_were_found():
    segmentation, embeddings = scene([(0, 1.0, 1.4)], 10.0)
    (notice,) = label(segmentation, embeddings, Speakers(4, 4), 10.0).notices
    assert notice.code == "speaker-count-not-met"
    assert "4" in notice.message
    assert "found 1" in notice.message


def test_silence_contradicts_a_demand_but_not_auto():
    segmentation, embeddings = scene([], 10.0)
    assert label(segmentation, embeddings, Speakers(), 10.0).notices == ()
    assert label(segmentation, embeddings, Speakers(2, 2), 10.0).notices


def test_speech_too_short_for_any_embedding_is_one_speaker():
    segmentation, embeddings = scene([(1, 2.0, 9.0)], 10.0)
    nothing = replace(embeddings, times=np.zeros(0), clean=np.zeros(0), vectors=np.zeros((0, 192), np.float32))
    found = label(segmentation, nothing, Speakers(), 10.0)
    assert [turn.speaker for turn in found.turns] == ["SPEAKER_00"]


def test_missing_models_say_so(tmp_path):
    with pytest.raises(ModelMissing):
        ClusteringDiarizer(tmp_path / "segmentation.onnx", tmp_path / "campplus.onnx")


def read_wav(path: Path):
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return Audio.from_array((samples / 2**15).astype(np.float32))


def read_rttm(path: Path):
    lines = (line.split() for line in path.read_text().splitlines())
    return [(fields[7], float(fields[3]), float(fields[3]) + float(fields[4])) for fields in lines if fields]


@pytest.mark.models
def test_the_sample_conversation(models_dir, sample_conversation):
    diarizer = ClusteringDiarizer(
        models_dir / "segmentation-3.0-int8" / "segmentation.onnx", models_dir / "campplus-pooled" / "campplus.onnx"
    )
    audio, reference = read_wav(sample_conversation), read_rttm(sample_conversation.with_suffix(".rttm"))
    found = diarizer.diarize(audio, speakers=Speakers())
    assert len({turn.speaker for turn in found.turns}) == 2
    assert error_rate(found.turns, reference) < 0.12
    assert diarizer.diarize(audio, speakers=Speakers(2, 2)) == found


@pytest.mark.models
def test_any_number_is_met_in_the_sample_conversation(models_dir, sample_conversation):
    audio = read_wav(sample_conversation)
    segmentation = segment(audio, SegmentationNetwork(models_dir / "segmentation-3.0-int8" / "segmentation.onnx"))
    voices = embed(audio, segmentation, EmbeddingNetwork(models_dir / "campplus-pooled" / "campplus.onnx"))
    demands = [Speakers(count, count) for count in range(1, 9)] + [Speakers(4), Speakers(1, 1), Speakers(3, 6)]
    for demand in demands:
        found = label(segmentation, voices, demand, audio.duration)
        assert found.notices == ()
        names = list(dict.fromkeys(turn.speaker for turn in found.turns))
        assert names == [f"SPEAKER_{number:02d}" for number in range(len(names))]
        assert demand.minimum <= len(names) <= (demand.maximum or len(names))
