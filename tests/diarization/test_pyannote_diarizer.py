"""What is around pyannote's pipeline, with a pipeline and a torch that are played."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.pyannote import diarizer as diarizer_module
from wortlaut.diarization.pyannote.diarizer import PyannoteDiarizer, as_diarization, one_at_a_time
from wortlaut.diarization.pyannote.files import PipelineFiles
from wortlaut.errors import Cancelled, ModelError, OutOfMemory
from wortlaut.options import Speakers
from wortlaut.transcript import Turn


@dataclass
class Annotation:
    """Plays pyannote.core.Annotation."""

    turns: list[tuple[float, float, object]]

    def itertracks(self, *, yield_label: bool):
        assert yield_label
        for number, (start, end, label) in enumerate(self.turns):
            yield SimpleNamespace(start=start, end=end), number, label


class Pipeline:
    """Plays pyannote's SpeakerDiarization."""

    def __init__(self, result: object = None) -> None:
        self.result = result or Annotation([(0.0, 1.0, 0)])
        self.asked: dict[str, object] = {}

    def __call__(self, file, *, hook, **asked):
        self.file, self.asked = file, asked
        if isinstance(self.result, BaseException):
            raise self.result
        hook("segmentation", None, file=file, total=2, completed=1)
        hook("speaker_counting", object(), file=file)
        hook("embeddings", None, file=file, total=0, completed=0)
        hook("embeddings", None, file=file, total=4, completed=2)
        hook("segmentation", None, file=file, total=2, completed=1)  # must not run backwards
        return self.result


class TorchOutOfMemory(RuntimeError):
    """As in torch, a RuntimeError."""


@pytest.fixture
def played(monkeypatch):
    """Return a function that makes a diarizer out of a played pipeline."""
    tensor = SimpleNamespace(from_numpy=np.asarray, OutOfMemoryError=TorchOutOfMemory)
    monkeypatch.setitem(sys.modules, "torch", tensor)

    def make(pipeline: Pipeline) -> PyannoteDiarizer:
        monkeypatch.setattr(diarizer_module, "load_pipeline", lambda _files, *, device: pipeline)
        return PyannoteDiarizer(PipelineFiles(*3 * [None]), device="cpu")

    return make


AUDIO = Audio.from_array(np.zeros(10 * SAMPLE_RATE, np.float32))


@pytest.mark.parametrize(
    ("speakers", "asked"),
    [
        ("auto", {}),
        ("3", {"num_speakers": 3}),
        ("1", {"num_speakers": 1}),
        ("2-4", {"min_speakers": 2, "max_speakers": 4}),
        ("1-4", {"max_speakers": 4}),
    ],
)
def test_number_of_speakers_goes_by_keyword(played, speakers, asked):
    pipeline = Pipeline()
    played(pipeline).diarize(AUDIO, speakers=Speakers.parse(speakers))
    assert pipeline.asked == asked


def test_at_least(played):
    pipeline = Pipeline()
    played(pipeline).diarize(AUDIO, speakers=Speakers(2))
    assert pipeline.asked == {"min_speakers": 2}


def test_progress_never_runs_backwards(played):
    reached: list[float] = []
    played(Pipeline()).diarize(AUDIO, speakers=Speakers(), advance=reached.append)
    assert reached == pytest.approx([1.0, 6.0, 6.0, 10.0])


def test_samples_are_one_channel(played):
    pipeline = Pipeline()
    played(pipeline).diarize(AUDIO, speakers=Speakers())
    assert pipeline.file["waveform"].shape == (1, 10 * SAMPLE_RATE)
    assert pipeline.file["sample_rate"] == SAMPLE_RATE


def test_cancelled(played):
    def cancel(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        played(Pipeline()).diarize(AUDIO, speakers=Speakers(), advance=cancel)


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        (TorchOutOfMemory("CUDA"), OutOfMemory),
        (MemoryError(), OutOfMemory),
        (RuntimeError("?"), ModelError),
        (TypeError("?"), ModelError),
    ],
)
def test_foreign_errors_become_ours(played, foreign, ours):
    with pytest.raises(ours):
        played(Pipeline(foreign)).diarize(AUDIO, speakers=Speakers())


def test_number_that_makes_the_clustering_fail_is_given_up_and_said(played):
    class TooMany(Pipeline):
        def __call__(self, file, *, hook, **asked):
            if asked:
                raise ValueError("n_samples=4 should be >= n_clusters=20")
            return super().__call__(file, hook=hook)

    diarization = played(TooMany()).diarize(AUDIO, speakers=Speakers(20, 20))
    assert [notice.code for notice in diarization.notices] == ["speaker-count-not-met"]


def test_nothing_to_hear(played):
    pipeline = Pipeline()
    empty = Audio.from_array(np.zeros(0, np.float32))
    assert played(pipeline).diarize(empty, speakers=Speakers()).turns == ()


@pytest.mark.parametrize(
    ("speakers", "is_met"), [("auto", True), ("2", True), ("2-3", True), ("3", False), ("1", False), ("3-4", False)]
)
def test_number_not_met_is_said(played, speakers, is_met):
    pipeline = Pipeline(Annotation([(0, 1, "a"), (1, 2, "b")]))
    diarization = played(pipeline).diarize(AUDIO, speakers=Speakers.parse(speakers))
    assert [notice.code for notice in diarization.notices] == ([] if is_met else ["speaker-count-not-met"])


def test_speakers_are_named_in_order_of_appearance():
    diarization = as_diarization(Annotation([(5.0, 6.0, "A"), (1.0, 2.0, "C"), (3.0, 4.0, "A"), (7.0, 8.0, "B")]))
    assert [turn.speaker for turn in diarization.turns] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_01", "SPEAKER_02"]
    assert diarization.turns[0] == Turn(1.0, 2.0, "SPEAKER_00")


def test_both_answers_of_pyannote_4_are_used():
    result = SimpleNamespace(
        speaker_diarization=Annotation([(0, 4, "x"), (2, 6, "y")]),
        exclusive_speaker_diarization=Annotation([(0, 3, "x"), (3, 6, "y")]),  # not what we would have made
    )
    diarization = as_diarization(result)
    assert diarization.turns == (Turn(0, 4, "SPEAKER_00"), Turn(2, 6, "SPEAKER_01"))
    assert diarization.exclusive == (Turn(0, 3, "SPEAKER_00"), Turn(3, 6, "SPEAKER_01"))


def test_pyannote_3_returns_overlaps_only():
    diarization = as_diarization(Annotation([(0, 4, "x"), (3, 4.5, "y")]))
    assert diarization.exclusive == (Turn(0, 4, "SPEAKER_00"), Turn(4, 4.5, "SPEAKER_01"))


def test_interruption_leaves_the_word_to_the_longer_turn():
    turns = [Turn(0, 10, "A"), Turn(4, 5, "B")]
    assert one_at_a_time(turns) == (Turn(0, 10, "A"),)


def test_equally_long_turns_leave_it_to_the_earlier():
    assert one_at_a_time([Turn(1, 3, "B"), Turn(0, 2, "A")]) == (Turn(0, 2, "A"), Turn(2, 3, "B"))


TURNS = st.lists(
    st.builds(
        lambda start, length, who: Turn(start, start + length, who),
        st.integers(0, 30),
        st.integers(1, 8),
        st.sampled_from("ABC"),
    ),
    max_size=12,
)


@given(TURNS)
def test_one_at_a_time_covers_the_same_time(turns):
    """Against a second implementation that looks at every second by itself."""
    exclusive = one_at_a_time(turns)
    for second in range(40):
        middle = second + 0.5
        speaking = [turn for turn in turns if turn.start < middle < turn.end]
        named = [turn.speaker for turn in exclusive if turn.start < middle < turn.end]
        if not speaking:
            assert not named
            continue
        longest = max(turn.end - turn.start for turn in speaking)
        candidates = [turn for turn in speaking if turn.end - turn.start == longest]
        first = min(turn.start for turn in candidates)
        assert len(named) == 1
        assert named[0] in {turn.speaker for turn in candidates if turn.start == first}
    assert all(one.end <= two.start for one, two in pairwise(exclusive))
