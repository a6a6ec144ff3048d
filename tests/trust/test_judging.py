from __future__ import annotations

from dataclasses import replace

import pytest

from wortlaut.audio import SpeechRegion
from wortlaut.options import Decoding
from wortlaut.transcript import Passage, Trial, Word
from wortlaut.trust.judging import NOBODY, PHANTOM, REPEATED, SILENT, UNHEARD, Verdict, judge, mean_confidence
from wortlaut.trust.phantoms import is_phantom

PASSAGE = Passage(10.0, 14.0, " Wer nichts weiß.", "de", (SpeechRegion(10.2, 13.8),))


def words(text=PASSAGE.text, confidence=0.9):
    return [Word(f" {part}", 11.0 + i, 11.5 + i, confidence) for i, part in enumerate(text.split())]


def everybody(span):
    return [SpeechRegion(span.start, span.end)]


def nobody(_span):
    return []


def judged(passage=PASSAGE, *, confidence=0.9, listen=everybody, is_repeated=False, decoding=None):
    return judge(passage, words(passage.text, confidence), decoding or Decoding(), listen, is_repeated=is_repeated)


def test_a_good_text_is_kept_and_needs_no_second_look():
    def never(_span):
        raise AssertionError("this costs time")

    assert judged(listen=never) == Verdict("kept")


def test_words_that_do_not_fit_the_sound_are_doubted():
    assert judged(confidence=0.2) == Verdict("doubted", (UNHEARD,))


def test_the_doubts_of_the_recognizer_stay():
    assert judged(replace(PASSAGE, doubts=("it repeats itself",))) == Verdict("doubted", ("it repeats itself",))


@pytest.mark.parametrize(
    ("change", "confidence", "is_repeated", "sign"),
    [
        ({}, 0.2, False, UNHEARD),
        ({"no_speech_prob": 0.7}, 0.9, False, SILENT),
        ({"text": " Vielen Dank."}, 0.9, False, PHANTOM),
        ({}, 0.9, True, REPEATED),
        ({"doubts": ("the model is unsure",)}, 0.9, False, "the model is unsure"),
    ],
)
def test_any_sign_drops_what_a_second_look_does_not_hear(change, confidence, is_repeated, sign):
    passage = replace(PASSAGE, **change)
    verdict = judged(passage, confidence=confidence, is_repeated=is_repeated, listen=nobody)
    assert verdict == Verdict("dropped", (sign, NOBODY))


@pytest.mark.parametrize("change", [{"no_speech_prob": 0.7}, {"text": " Vielen Dank."}])
def test_a_weak_sign_alone_changes_nothing(change):
    assert judged(replace(PASSAGE, **change)) == Verdict("kept")


def test_three_signs_need_no_second_look():
    passage = replace(PASSAGE, text=" Vielen Dank.", no_speech_prob=0.7)
    assert judged(passage, confidence=0.2).outcome == "dropped"
    assert judged(replace(passage, no_speech_prob=0.1), confidence=0.2).outcome == "doubted"


def test_a_second_look_that_hears_a_fifth_hears_somebody():
    def little(_span):
        return [SpeechRegion(10.2, 10.2 + 3.6 * 0.21)]

    assert judged(confidence=0.2, listen=little).outcome == "doubted"


def test_a_threshold_that_is_off_gives_no_sign():
    passage = replace(PASSAGE, no_speech_prob=1.0)
    assert judged(passage, listen=nobody, decoding=Decoding(no_speech_threshold=None)) == Verdict("kept")


def test_a_window_without_words_is_dropped_only_if_something_was_written():
    empty = replace(PASSAGE, text="")
    wrote = replace(empty, trials=(Trial("as usual", " Danke.", -1.2, 0.9, 0.5),))
    assert judge(empty, [], Decoding(), nobody) == Verdict("kept")
    assert judge(wrote, [], Decoding(), nobody).outcome == "dropped"


def test_long_words_count_more():
    assert mean_confidence([Word(" abc", 0, 1, 1.0), Word(" d", 1, 2, 0.0), Word(" e", 2, 3, None)]) == 0.75
    assert mean_confidence([Word(" e", 2, 3, None)]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Thank you.", True),
        (" Thank you. Thank you.", True),
        (" Untertitel der Amara.org-Community", True),
        (" Thank you for coming, Mr. Smith.", False),
        (" Danke, gut.", False),
        ("", False),
        (" ♪", False),
    ],
)
def test_phantoms(text, expected):
    assert is_phantom(text) is expected
