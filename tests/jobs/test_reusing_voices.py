"""What the networks of the diarizer find is kept piece by piece, for later attempts and other numbers of speakers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from obstore.store import MemoryStore

from wortlaut.assembly import Transcriber
from wortlaut.errors import Cancelled
from wortlaut.jobs.packed_arrays import packed, unpacked
from wortlaut.jobs.reusing import ReusingDiarizer
from wortlaut.jobs.stage_results import StageResults, folder_of
from wortlaut.options import Options, Speakers
from wortlaut.settings import Settings
from wortlaut.stages import ignore
from wortlaut.storage import Objects
from wortlaut.testing import silence
from wortlaut.transcript import Diarization, Turn

PIECES = 8


@dataclass(frozen=True)
class PieceByPiece:
    """A diarizer of two steps; `log` notes each piece that is really worked on."""

    log: list = field(default_factory=list)
    stop_at: tuple = ()
    resume: object = None

    def resumed(self, resume, /):
        return replace(self, resume=resume)

    def diarize(self, audio, /, *, speakers, advance=ignore):
        sums = [sum(float(row[0]) for row in self.resume(step, self.rows_of(step))) for step in ("one", "two")]
        return Diarization(tuple(Turn(0.0, total, f"SPEAKER_{speakers.minimum:02}") for total in sums))

    def rows_of(self, step):
        def rows_from(first):
            for number in range(first, PIECES):
                if (step, number) == self.stop_at:
                    raise Cancelled
                self.log.append((step, number))
                yield np.array(number / 7), np.zeros((number, 3), np.uint8)

        return rows_from


@pytest.fixture
def objects():
    return Objects(MemoryStore())


def reusing(diarizer, objects, version="1"):
    results = StageResults(objects, "recording", save_every=0.0)
    return ReusingDiarizer(diarizer, results, {"version": version}), results


EVERYTHING = [(step, number) for step in ("one", "two") for number in range(PIECES)]


def test_other_numbers_of_speakers_need_no_network(objects):
    first, _ = reusing(PieceByPiece(), objects)
    first.diarize(silence(9.0), speakers=Speakers())
    others = PieceByPiece()
    again, results = reusing(others, objects)
    found = again.diarize(silence(9.0), speakers=Speakers(3, 3))
    assert others.log == []
    assert results.reused == {"one": 1.0, "two": 1.0}
    assert {each.speaker for each in found.turns} == {"SPEAKER_03"}


@pytest.mark.parametrize("stop_at", EVERYTHING)
def test_an_attempt_goes_on_with_the_piece_at_which_the_last_one_stopped(objects, stop_at):
    whole = reusing(PieceByPiece(), Objects(MemoryStore()))[0].diarize(silence(9.0), speakers=Speakers())
    before, after = PieceByPiece(stop_at=stop_at), PieceByPiece()
    with pytest.raises(Cancelled):
        reusing(before, objects)[0].diarize(silence(9.0), speakers=Speakers())
    assert reusing(after, objects)[0].diarize(silence(9.0), speakers=Speakers()) == whole
    assert before.log + after.log == EVERYTHING


def test_another_model_has_to_listen_itself(objects):
    reusing(PieceByPiece(), objects)[0].diarize(silence(9.0), speakers=Speakers())
    other = PieceByPiece()
    reusing(other, objects, version="2")[0].diarize(silence(9.0), speakers=Speakers())
    assert other.log == EVERYTHING


@given(st.data())
def test_whatever_is_missing_or_broken_the_turns_are_the_same(data):
    objects = Objects(MemoryStore())
    whole = reusing(PieceByPiece(), objects)[0].diarize(silence(9.0), speakers=Speakers())
    for each in objects.listing(folder_of("recording")):
        harm = data.draw(st.sampled_from(["none", "delete", "truncate"]), label=each.key)
        if harm == "delete":
            objects.delete(each.key)
        elif harm == "truncate":
            objects.put(each.key, objects.get(each.key)[:-3])
    assert reusing(PieceByPiece(), objects)[0].diarize(silence(9.0), speakers=Speakers()) == whole


some_arrays = arrays_of.arrays(
    st.sampled_from([np.uint8, np.float32, np.float64]), arrays_of.array_shapes(max_dims=3, min_side=0)
)


@given(st.lists(some_arrays, max_size=3))
def test_what_is_packed_comes_out_as_it_was(arrays):
    for before, after in zip(arrays, unpacked(packed(arrays)), strict=True):
        assert (before.dtype, before.shape, before.tobytes()) == (after.dtype, after.shape, after.tobytes())


@pytest.mark.models
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_the_real_diarizer_interrupted_hears_the_same(objects, models_dir, sample_conversation, share):
    settings = Settings(models_dir=models_dir, threads=1, is_offline=True)
    with Transcriber(settings) as transcriber, transcriber.stages(Options(speakers=Speakers())) as pipeline:
        audio = pipeline.decoder.decode(sample_conversation)
        whole = pipeline.diarizer.diarize(audio, speakers=Speakers(2, 2))

        def stop(done):
            if done >= share * audio.duration:
                raise Cancelled

        with pytest.raises(Cancelled):
            reusing(pipeline.diarizer, objects)[0].diarize(audio, speakers=Speakers(2, 2), advance=stop)
        again, results = reusing(pipeline.diarizer, objects)
        assert again.diarize(audio, speakers=Speakers(2, 2)) == whole
        assert 0 < results.reused["segmentation"] <= 1
        silent = replace(audio, samples=silence(audio.duration).samples)
        others, results = reusing(pipeline.diarizer, objects)
        three = others.diarize(silent, speakers=Speakers(3, 3))
        assert results.reused == {"segmentation": 1.0, "embedding": 1.0}
        assert three == pipeline.diarizer.diarize(audio, speakers=Speakers(3, 3))
