"""Kept results of stages: what is there is not computed again, and the transcript is the same however much is there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from wortlaut.audio import SpeechRegion, Window
from wortlaut.errors import Cancelled
from wortlaut.jobs.reusing import reusing
from wortlaut.jobs.stage_results import StageResults, folder_of
from wortlaut.notice import Notice
from wortlaut.options import Decoding, Options, Speakers
from wortlaut.pipeline import Pipeline
from wortlaut.stages import LanguageGuess, ignore
from wortlaut.storage import Objects, StorageUnavailable
from wortlaut.testing import ScriptedDetector, ScriptedDiarizer, silence
from wortlaut.transcript import Passage, Provenance, Trial, Turn, Word

MEDIA = Path("any.wav")
REGIONS = tuple(SpeechRegion(10.0 * n, 10.0 * n + 8.0) for n in range(6))
ALL = {"decode", "detect", "language", "recognize", "align", "diarize"}


@dataclass(frozen=True)
class Watched:
    """All stages, which note what they are asked for, in one log."""

    log: list = field(default_factory=list)
    audio: object = field(default_factory=lambda: silence(60.0))
    cancel_at: float = 1e9

    def decode(self, media, /, *, advance=ignore):
        self.log.append("decode")
        return replace(self.audio, notices=(Notice("ends-early", "The file ends early."),))

    def detect(self, audio, /, *, advance=ignore):
        self.log.append("detect")
        return ScriptedDetector(REGIONS).detect(audio)

    def detect_language(self, audio, windows, /):
        self.log.append("language")
        return LanguageGuess("de", 0.9)

    def recognize(self, audio, windows, /, *, language):
        for window in windows:
            if window.start >= self.cancel_at:
                raise Cancelled
            self.log.append(("recognize", window.start))
            trial = Trial("as usual", " x", -0.5, 0.25, 1.5, ("repetitive",))
            text = f" This is window {window.start:.0f}, and there is nothing else."
            yield Passage(
                window.start, window.end, text, language, window.regions, (1, 2), -0.1, 0.1, 1.5, 0.0, (), (trial,)
            )

    def align(self, audio, passages, /):
        for passage in passages:
            self.log.append(("align", passage.start))
            step = (passage.end - passage.start) / 10
            texts = passage.text.split()
            yield [Word(f" {t}", passage.start + i * step, passage.start + i * step + 0.5) for i, t in enumerate(texts)]

    def diarize(self, audio, /, *, speakers, advance=ignore):
        self.log.append("diarize")
        audio.clip(0, 1)
        turns = tuple(Turn(each.start, each.end, f"SPEAKER_0{n % 2}") for n, each in enumerate(REGIONS))
        return ScriptedDiarizer(turns).diarize(audio, speakers=speakers)


def windows_of(audio, regions):
    return [Window(each.start, each.end, (each,)) for each in regions]


def transcribed(results, stages, options=None):
    options = options or Options()
    made_by = Provenance(versions={"wortlaut": "1"}, models={"recognition": {"name": "base"}})
    pipeline = Pipeline(stages, stages, windows_of, stages, stages, stages, provenance=made_by)
    transcript = reusing(pipeline, options, results).transcribe(MEDIA, options)
    return replace(transcript, provenance=replace(transcript.provenance, seconds={}))


@pytest.fixture
def objects():
    return Objects(MemoryStore())


def kept_in(objects, scope="recording"):
    return StageResults(objects, scope, save_every=0.0)


def test_what_is_complete_is_not_computed_again_and_says_so(objects):
    first, second = Watched(), Watched()
    results = kept_in(objects)
    transcript = transcribed(results, first)
    assert results.reused == {}
    assert len([each for each in first.log if each[0] == "recognize"]) == len(REGIONS)
    again = kept_in(objects)
    assert transcribed(again, second) == transcript
    assert second.log == [], "not even the sound was needed"
    assert again.reused == dict.fromkeys(ALL, 1.0)


def test_an_attempt_goes_on_where_the_last_one_stopped(objects):
    whole = transcribed(kept_in(Objects(MemoryStore())), Watched())
    with pytest.raises(Cancelled):
        transcribed(kept_in(objects), Watched(cancel_at=30.0))
    results, stages = kept_in(objects), Watched()
    assert transcribed(results, stages) == whole
    assert ("recognize", 20.0) not in stages.log
    assert [each for each in stages.log if each[0] == "recognize"] == [("recognize", at) for at in (30.0, 40.0, 50.0)]
    assert (results.reused["detect"], results.reused["recognize"]) == (1.0, 0.5)


def test_channels_apart_keep_nothing(objects):
    """A stage is not told which channel it is given: what it kept of one would be taken for the other."""
    stages = Watched()
    pipeline = Pipeline(stages, stages, windows_of, stages, stages, stages)
    assert reusing(pipeline, Options(channels="split"), kept_in(objects)) is pipeline


def test_other_speakers_leave_the_text_alone(objects):
    transcribed(kept_in(objects), Watched())
    results, stages = kept_in(objects), Watched()
    transcribed(results, stages, Options(speakers=Speakers(2, 2)))
    assert stages.log == ["diarize", "decode"], "the voices, and the sound they are heard in"
    assert set(results.reused) == ALL - {"diarize", "decode"}


@pytest.mark.parametrize(
    ("options", "again"),
    [
        (Options(decoding=Decoding(beam_size=1)), {"recognize", "align"}),
        (Options(language="de"), {"recognize"}),
        (Options(task="translate"), {"recognize"}),
        (Options(languages=("de", "en")), {"recognize", "language"}),
        (Options(words=False), {"align"}),
        (Options(aligner="ctc"), {"align"}),
        (Options(numerals="words"), {"recognize"}),
        (Options(diarizer="another"), {"diarize"}),
    ],
)
def test_an_option_concerns_the_stages_that_it_changes(objects, options, again):
    transcribed(kept_in(objects), Watched())
    stages = Watched()
    transcribed(kept_in(objects), stages, options)
    done = {each if isinstance(each, str) else each[0] for each in stages.log}
    assert again - {"align"} <= done
    assert done.isdisjoint({"detect", "recognize", "diarize"} - again)


def test_other_models_versions_and_scopes_share_nothing(objects):
    transcribed(kept_in(objects), Watched())
    stages = Watched()
    transcribed(kept_in(objects, "another recording"), stages)
    assert "detect" in stages.log


@given(st.data())
def test_whatever_is_missing_or_broken_the_transcript_is_the_same(data):
    store = MemoryStore()
    objects = Objects(store)
    whole = transcribed(kept_in(objects), Watched())
    for each in objects.listing(folder_of("recording")):
        harm = data.draw(st.sampled_from(["none", "delete", "truncate", "other"]), label=each.key)
        if harm == "delete":
            objects.delete(each.key)
        elif harm == "truncate":
            objects.put(each.key, objects.get(each.key)[:-3])
        elif harm == "other":
            objects.put(each.key, b'[{"what": "is this"}]')
    assert transcribed(kept_in(objects), Watched()) == whole


@dataclass(frozen=True)
class Away:
    """A storage that does not answer."""

    def listing(self, prefix):
        raise StorageUnavailable("away")

    def put(self, key, content):
        raise StorageUnavailable("away")


def test_a_storage_that_is_away_costs_the_saving_and_not_the_transcript():
    whole = transcribed(kept_in(Objects(MemoryStore())), Watched())
    assert transcribed(kept_in(Away()), Watched()) == whole
