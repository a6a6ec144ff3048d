"""Windows that look bad, decoded again in pieces, without a prompt and without repetition."""

from __future__ import annotations

import pytest

from wortlaut.audio import SpeechRegion, Window
from wortlaut.options import Decoding
from wortlaut.recognition.fallback import ANOTHER_TEXT, SURE_LOGPROB, WindowDecoder, pieces
from wortlaut.recognition.search import Search

from .conftest import Said, window

# Two regions far enough apart that a new cut falls between them: pieces begin at 0 and at 12.
PARTED = Window(0.0, 24.0, (SpeechRegion(0.0, 11.0), SpeechRegion(12.2, 24.0)))
SENTENCE = " Frag nicht, was dein Land für dich tun kann."
LOOP = " na so was" * 12


def findings(model, audio, windows, **decoding):
    search = Search.of(model, Decoding(**decoding), language="de", task="transcribe")
    return WindowDecoder(search, audio).decode(windows)


def ways(finding):
    return [trial.way for trial in finding.trials]


def test_pieces_hold_the_same_speech_cut_elsewhere(audio):
    first, second = pieces(audio, PARTED)
    assert first.regions + second.regions == PARTED.regions
    assert (first.start, second.end) == (0.0, 24.0)


def test_a_short_window_stays_whole(audio):
    assert pieces(audio, window(0.0)) == [window(0.0)]


def test_a_good_text_is_tried_once(scripted, audio):
    text = f"{SENTENCE} Wer immer strebend sich bemüht, den können wir erlösen, und hat an ihm die Liebe gar von oben"
    text += " teilgenommen, begegnet ihm die selige Schar mit herzlichem Willkommen."
    model = scripted({0: [Said(text)]})
    [finding] = findings(model, audio, [PARTED])
    assert (ways(finding), finding.doubts) == (["as usual"], ())
    assert len(model.engine.calls) == 1


def test_what_both_cuts_repeat_was_said(scripted, audio):
    [finding] = findings(
        scripted({0: [Said(SENTENCE * 5), Said(SENTENCE * 3)], 12: [Said(SENTENCE * 3)]}), audio, [PARTED]
    )
    assert finding.candidate.text == SENTENCE * 6
    assert finding.doubts == ()
    assert ways(finding) == ["as usual", "in pieces"]


def test_what_only_one_cut_repeats_was_invented(scripted, audio):
    model = scripted(
        {0: [Said(LOOP), Said(" Guten Abend, meine Damen und Herren.")], 12: [Said(" Bis morgen um acht.")]}
    )
    [finding] = findings(model, audio, [PARTED])
    assert finding.candidate.text == " Guten Abend, meine Damen und Herren. Bis morgen um acht."
    assert finding.doubts == (ANOTHER_TEXT,)


def test_pieces_that_replace_an_invented_text_are_not_believed_at_once(scripted, audio):
    model = scripted(
        {0: [Said(LOOP), Said(" Guten Abend, meine Damen und Herren.", SURE_LOGPROB - 0.1)], 12: [Said(LONG)]}
    )
    [finding] = findings(model, audio, [PARTED])
    assert finding.candidate.text == f" Guten Abend, meine Damen und Herren.{LONG}"
    assert finding.doubts == (ANOTHER_TEXT,)


LONG = f"{SENTENCE} Wer immer strebend sich bemüht, den können wir erlösen, und hat an ihm die Liebe gar teilgenommen."
OTHER = " Ganz anders klingt es hier von vorn, und niemand wüsste noch zu sagen, wovon denn eigentlich gesprochen wird."


@pytest.mark.parametrize(
    ("logprob", "second", "third", "expected"),
    [
        (SURE_LOGPROB - 0.01, LONG, "", ()),
        (SURE_LOGPROB - 0.01, SENTENCE, LONG.removeprefix(SENTENCE), ()),
        (SURE_LOGPROB - 0.01, OTHER, " Nein.", (ANOTHER_TEXT,)),
        (SURE_LOGPROB + 0.01, OTHER, " Nein.", ()),
    ],
)
def test_a_shaky_text_stays_but_is_believed_only_if_another_cut_says_it_too(
    scripted, audio, logprob, second, third, expected
):
    model = scripted({0: [Said(LONG * 2, logprob), Said(second * 2)], 12: [Said(third)]})
    [finding] = findings(model, audio, [PARTED])
    assert (finding.candidate.text, finding.doubts) == (LONG * 2, expected)
    assert len(finding.trials) == (2 if logprob < SURE_LOGPROB else 1)


def test_a_shaky_text_without_a_prompt_is_compared_with_itself(scripted, audio):
    model = scripted({0: [Said(LOOP), Said(LONG * 2, SURE_LOGPROB - 0.1), Said(LONG * 2)], 12: [Said("")]})
    [finding] = findings(model, audio, [PARTED], initial_prompt="na so was")
    assert (finding.candidate.text, finding.doubts) == (LONG * 2, ())
    assert ways(finding) == ["as usual", "without prompt", "in pieces"]


def test_a_repetition_that_no_cut_is_sure_of_is_forbidden(scripted, audio):
    unsure = SURE_LOGPROB - 0.1
    script = {
        0: [Said(LOOP, unsure), Said(LOOP, unsure), Said(" Na so was, so was aber auch, meine Lieben.")],
        12: [Said(LOOP, unsure)],
    }
    [finding] = findings(scripted(script), audio, [PARTED])
    assert finding.candidate.text == " Na so was, so was aber auch, meine Lieben."
    assert ways(finding) == ["as usual", "in pieces", "without repetition"]


def test_a_repetition_too_fast_to_speak_is_not_believed(scripted, audio):
    fast = " na so was" * 120
    script = {0: [Said(fast), Said(fast), Said(SENTENCE)], 12: [Said(fast)]}
    [finding] = findings(scripted(script), audio, [PARTED])
    assert finding.candidate.text == SENTENCE


def test_missing_sentences_are_found_in_pieces(scripted, audio):
    [finding] = findings(
        scripted({0: [Said(SENTENCE), Said(SENTENCE)], 12: [Said(" Und noch ein Satz.")]}), audio, [PARTED]
    )
    assert finding.candidate.text == SENTENCE + " Und noch ein Satz."
    assert finding.doubts == ()


def test_unsure_pieces_add_nothing(scripted, audio):
    script = {0: [Said(SENTENCE), Said(SENTENCE)], 12: [Said(" 100 % 100 %.", SURE_LOGPROB - 0.1)]}
    [finding] = findings(scripted(script), audio, [PARTED])
    assert (finding.candidate.text, finding.doubts) == (SENTENCE, ())
    assert ways(finding) == ["as usual", "in pieces"]


def test_a_piece_in_which_nobody_speaks_is_left_out(scripted, audio):
    script = {0: [Said(LOOP), Said(SENTENCE * 2)], 12: [Said(" Danke.", logprob=-1.5, no_speech=0.9)]}
    [finding] = findings(scripted(script), audio, [PARTED])
    assert finding.candidate.text == SENTENCE * 2


def test_a_misleading_prompt_is_left_out(scripted, audio, tokenizer):
    model = scripted({0: [Said(LOOP), Said(" Ganz anders.")]})
    [finding] = findings(model, audio, [window(0.0)], initial_prompt="na so was")
    assert finding.candidate.text == " Ganz anders."
    assert model.engine.calls[1][1]["prompts"] == [
        [*tokenizer.sot_sequence("de", "transcribe"), tokenizer.no_timestamps]
    ]


def test_pieces_of_several_windows_are_decoded_together(scripted, audio):
    later = Window(30.0, 54.0, tuple(SpeechRegion(one.start + 30, one.end + 30) for one in PARTED.regions))
    script = {start: [Said(LOOP), Said(SENTENCE * 2)] for start in (0, 30)}
    model = scripted(script | {12: [Said(SENTENCE)], 42: [Said(SENTENCE)]})
    findings(model, audio, [PARTED, later])
    assert [starts for starts, _ in model.engine.calls][:2] == [[0, 30], [0, 12, 30, 42]]


def test_no_fallback_means_none(scripted, audio):
    model = scripted({0: [Said(LOOP)]})
    [finding] = findings(model, audio, [PARTED], temperatures=(0.0,))
    assert finding.doubts == ("it repeats itself",)
    assert len(model.engine.calls) == 1
