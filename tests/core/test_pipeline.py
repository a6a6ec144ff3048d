from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from wortlaut.alignment.spreading import SpreadingAligner
from wortlaut.audio import SpeechRegion, Window
from wortlaut.errors import Cancelled, DecodingFailed, InvalidOption, ModelCorrupt
from wortlaut.options import Options, Speakers
from wortlaut.pipeline import LITTLE_SPEECH, NO_LANGUAGE, UNCERTAIN_FROM_LITTLE, Pipeline
from wortlaut.stages import LanguageGuess
from wortlaut.testing import (
    BrokenStage,
    ScriptedAligner,
    ScriptedDecoder,
    ScriptedDetector,
    ScriptedDiarizer,
    ScriptedRecognizer,
    silence,
)
from wortlaut.transcript import Passage, Turn

A, B = "SPEAKER_00", "SPEAKER_01"
MEDIA = Path("any.wav")


def one_window_a_region(audio, regions):
    return [Window(region.start, region.end, (region,)) for region in regions]


def pipeline(**stages):
    defaults = {
        "decoder": ScriptedDecoder(silence(10.0)),
        "detector": ScriptedDetector((SpeechRegion(1.0, 3.0), SpeechRegion(5.0, 9.0))),
        "pack": one_window_a_region,
        "recognizer": ScriptedRecognizer((" How are you?", " I am fine. And you?"), "en"),
        "aligner": ScriptedAligner(),
        "diarizer": ScriptedDiarizer((Turn(0.9, 3.1, A), Turn(5.0, 9.0, B))),
    }
    return Pipeline(**{**defaults, **stages})


def test_a_recording_becomes_who_said_what_when():
    transcript = pipeline().transcribe(MEDIA, Options())
    assert [(s.speaker, s.text) for s in transcript.segments] == [
        (A, "How are you?"),
        (B, "I am fine."),
        (B, "And you?"),
    ]
    assert transcript.language == "en"
    assert transcript.duration == 10.0
    assert transcript.turns == (Turn(0.9, 3.1, A), Turn(5.0, 9.0, B))
    assert set(transcript.provenance.seconds) == {"decode", "detect", "language", "recognize", "align", "diarize"}


def test_words_that_could_not_be_timed_are_a_warning():
    transcript = pipeline(aligner=SpreadingAligner(), diarizer=None).transcribe(MEDIA, Options())
    assert [(each.code, each.start, each.end) for each in transcript.warnings] == [
        ("words-not-aligned", 1.0, 3.0),
        ("words-not-aligned", 5.0, 9.0),
    ]
    assert pipeline(aligner=SpreadingAligner()).transcribe(MEDIA, Options(words=False)).warnings == ()


def test_words_that_were_timed_are_no_warning():
    assert pipeline().transcribe(MEDIA, Options()).warnings == ()


@pytest.mark.parametrize("asked", [{"aligner": "mfa"}, {"align_model": "x"}, {"aligner": "ctc", "task": "translate"}])
def test_aligners_that_make_no_sense_are_refused(asked):
    with pytest.raises(InvalidOption):
        Options(**asked)


class NeverAskedForTheLanguage(ScriptedRecognizer):
    def detect_language(self, audio, windows, /):
        raise AssertionError("the language was given")


def test_the_given_language_is_not_detected():
    recognizer = NeverAskedForTheLanguage((" Hallo.",))
    transcript = pipeline(recognizer=recognizer).transcribe(MEDIA, Options(language="de"))
    assert transcript.language == "de"
    assert transcript.segments[0].language == "de"


def test_silence_is_a_valid_empty_transcript_and_costs_no_recognition():
    broken = BrokenStage(AssertionError("must not be asked"))
    silent = pipeline(detector=ScriptedDetector(()), recognizer=broken, aligner=broken, diarizer=broken)
    transcript = silent.transcribe(MEDIA, Options())
    assert (transcript.segments, transcript.turns, transcript.language) == ((), (), NO_LANGUAGE)


def test_speakers_are_asked_for_as_wanted_or_not_at_all():
    diarizer = ScriptedDiarizer((Turn(0.0, 10.0, A),))
    pipeline(diarizer=diarizer).transcribe(MEDIA, Options(speakers=Speakers(2, 4)))
    assert diarizer.asked == [Speakers(2, 4)]
    transcript = pipeline(diarizer=diarizer).transcribe(MEDIA, Options(speakers=None))
    assert diarizer.asked == [Speakers(2, 4)]
    assert {word.speaker for word in transcript.words} == {None}


def test_words_without_any_turn_get_one_speaker_and_a_warning():
    transcript = pipeline(diarizer=ScriptedDiarizer(())).transcribe(MEDIA, Options())
    assert {word.speaker for word in transcript.words} == {A}
    assert transcript.speakers == (A,)
    assert [notice.code for notice in transcript.warnings] == ["speakers-not-found"]


@pytest.mark.parametrize("stage", ["decoder", "detector", "recognizer", "aligner", "diarizer"])
def test_a_stage_that_fails_fails_the_transcription(stage):
    for error in (DecodingFailed("no"), ModelCorrupt("no")):
        with pytest.raises(type(error), match="no"):
            pipeline(**{stage: BrokenStage(error)}).transcribe(MEDIA, Options())


@pytest.mark.parametrize("stage", ["decode", "detect", "recognize", "diarize"])
def test_a_listener_can_cancel_in_every_stage(stage):
    def cancel(progress):
        if progress.stage == stage:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline().transcribe(MEDIA, Options(), cancel)


def test_progress_never_runs_backwards_and_ends_at_the_end():
    heard = []
    pipeline().transcribe(MEDIA, Options(), heard.append)
    for stage in ("detect", "recognize", "diarize"):
        done = [progress.done for progress in heard if progress.stage == stage]
        assert done == sorted(done)
        assert done[-1] == 10.0


class Whispering(ScriptedRecognizer):
    """Says its texts, and that it does not believe them."""

    def recognize(self, audio, windows, /, *, language):
        for passage in super().recognize(audio, windows, language=language):
            yield replace(passage, doubts=("the model is unsure",))


def test_a_doubtful_text_where_the_diarizer_hears_nobody_is_left_out():
    diarizer = ScriptedDiarizer((Turn(0.9, 3.1, A),))
    transcript = pipeline(recognizer=Whispering((" Hello.", " Thank you.")), diarizer=diarizer).transcribe(
        MEDIA, Options()
    )
    assert transcript.text == "Hello."
    assert [notice.code for notice in transcript.warnings] == ["low-confidence", "window-without-speech"]
    assert [decision.outcome for decision in transcript.provenance.decisions] == ["doubted", "dropped"]


def test_turns_made_of_words_are_no_second_look():
    silent_diarizer = ScriptedDiarizer(())
    transcript = pipeline(recognizer=Whispering((" Hello.", " You.")), diarizer=silent_diarizer).transcribe(
        MEDIA, Options()
    )
    assert transcript.text == "Hello.\nYou."


def test_without_speakers_a_detector_takes_the_second_look():
    options = Options(speakers=None)
    second_look = ScriptedDetector(())
    stages = pipeline(recognizer=Whispering((" Hello.",)), second_look=second_look)
    assert stages.transcribe(MEDIA, options).words == ()
    assert "audit" in stages.transcribe(MEDIA, options).provenance.seconds


def test_speech_that_the_first_look_missed_is_written_down():
    recognizer = ScriptedRecognizer((" How are you?",))
    transcript = pipeline(
        detector=ScriptedDetector((SpeechRegion(1.0, 3.0),)),
        recognizer=recognizer,
        diarizer=ScriptedDiarizer((Turn(0.9, 3.1, A), Turn(6.0, 9.0, B))),
    ).transcribe(MEDIA, Options())
    assert [(segment.text, segment.speaker) for segment in transcript.segments] == [
        ("How are you?", A),
        ("How are you?", B),
    ]
    assert [decision.outcome for decision in transcript.provenance.decisions] == ["kept", "recovered"]


def test_what_the_first_look_missed_has_a_recognizer_of_its_own():
    transcript = pipeline(
        detector=ScriptedDetector((SpeechRegion(1.0, 3.0),)),
        second_hearing=ScriptedRecognizer((" Fine, thanks.",)),
        diarizer=ScriptedDiarizer((Turn(0.9, 3.1, A), Turn(6.0, 9.0, B))),
    ).transcribe(MEDIA, Options())
    assert [segment.text for segment in transcript.segments] == ["How are you?", "Fine, thanks."]


def test_a_transcript_without_words_has_no_language():
    stages = pipeline(recognizer=ScriptedRecognizer(()), diarizer=None)
    assert stages.transcribe(MEDIA, Options()).language == NO_LANGUAGE
    assert stages.transcribe(MEDIA, Options(language="de")).language == "de"


class Guessing(ScriptedRecognizer):
    def detect_language(self, audio, windows, /):
        return LanguageGuess("pl", 0.24)


class RatherSure(ScriptedRecognizer):
    def detect_language(self, audio, windows, /):
        return LanguageGuess("pl", UNCERTAIN_FROM_LITTLE - 0.1)


@pytest.mark.parametrize(("end", "expected"), [(LITTLE_SPEECH - 1, True), (LITTLE_SPEECH + 2, False)])
def test_a_few_words_must_be_in_a_language_that_is_surer(end, expected):
    detector = ScriptedDetector((SpeechRegion(1.0, 1.0 + end),))
    transcript = pipeline(detector=detector, recognizer=RatherSure((" Hm hm.",)), diarizer=None).transcribe(
        MEDIA, Options()
    )
    assert ("language-uncertain" in [notice.code for notice in transcript.warnings]) is expected


def test_an_uncertain_language_is_said():
    transcript = pipeline(recognizer=Guessing((" Hm.",))).transcribe(MEDIA, Options())
    assert "language-uncertain" in [notice.code for notice in transcript.warnings]
    told = pipeline(recognizer=Guessing((" Hm.",))).transcribe(MEDIA, Options(language="pl"))
    assert "language-uncertain" not in [notice.code for notice in told.warnings]


LATER = (SpeechRegion(20.0, 22.0), SpeechRegion(40.0, 42.0), SpeechRegion(60.0, 62.0))
SENTENCE = " One two three four five."


class Sentences(ScriptedRecognizer):
    """Says a sentence in every region; each window speaks the language that is set for its time."""

    languages: ClassVar[dict[float, str]] = {}

    def detect_language(self, audio, windows, /):
        return LanguageGuess(self.languages.get(windows[0].start, "en") if len(windows) == 1 else "en", 1.0)

    def recognize(self, audio, windows, /, *, language):
        for window in windows:
            heard_sizes.append(len(window.regions))
            yield Passage(window.start, window.end, SENTENCE * len(window.regions), language, window.regions)


heard_sizes: list[int] = []


def far_apart(**stages):
    heard_sizes.clear()
    stages = {"decoder": ScriptedDecoder(silence(70.0)), "detector": ScriptedDetector(LATER), **stages}
    return pipeline(recognizer=Sentences(()), diarizer=None, **stages)


@pytest.mark.parametrize(("gathers", "windows"), [(True, [3]), (False, [1, 1, 1])])
def test_sentences_far_apart_are_heard_together_and_stay_where_they_were_said(gathers, windows):
    transcript = far_apart(gathers=gathers).transcribe(MEDIA, Options())
    assert [(s.start, s.end) for s in transcript.segments] == [pytest.approx((r.start, r.end)) for r in LATER]
    assert [s.text for s in transcript.segments] == [SENTENCE.strip()] * 3
    assert heard_sizes == windows


@pytest.mark.parametrize(
    ("options", "windows"),
    [(Options(), [2, 1]), (Options(language="en"), [3]), (Options(follows_switches=False), [3])],
)
def test_a_sentence_in_another_language_is_heard_by_itself(monkeypatch, options, windows):
    monkeypatch.setattr(Sentences, "languages", {60.0: "de"})
    far_apart(gathers=True).transcribe(MEDIA, options)
    assert heard_sizes == windows


def test_where_words_are_missing_each_is_heard_by_itself(monkeypatch):
    monkeypatch.setitem(globals(), "SENTENCE", " Oh.")
    transcript = far_apart(gathers=True).transcribe(MEDIA, Options())
    assert heard_sizes == [3, 1, 1, 1]
    assert [s.start for s in transcript.segments] == [r.start for r in LATER]
