from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion, Window
from wortlaut.options import Decoding
from wortlaut.testing import silence
from wortlaut.transcript import Passage, Trial, Word
from wortlaut.trust.audit import (
    RECOVERED_LOGPROB,
    Auditor,
    cautious,
    is_beyond_doubt,
    is_varied,
    merged,
    repeated_texts,
)
from wortlaut.trust.judging import Verdict
from wortlaut.trust.spans import Span


def passage(start, end, text=" Guten Tag.", **more):
    trials = (Trial("as usual", text, -0.2, 0.1, 0.9),)
    return Passage(start, end, text, "de", (SpeechRegion(start, end),), trials=trials, **more)


def timed(start, end, text=" Guten Tag.", confidence=0.9, **more):
    parts = text.split()
    step = (end - start) / len(parts)
    spoken = [Word(f" {part}", start + i * step, start + (i + 1) * step, confidence) for i, part in enumerate(parts)]
    return passage(start, end, text, **more), spoken


NOISE = Audio.from_array(np.random.default_rng(0).normal(0, 0.1, 20 * SAMPLE_RATE).astype(np.float32))


def auditor(*, hears=(), heard_at_first=None, answers=None, asked=None):
    """Return an auditor whose second look hears `hears` and whose second hearing answers by window start.

    `heard_at_first`: where the first detector heard somebody, everywhere unless given.
    """

    def listen(span):
        inside = [Span(start, end).within(span.start, span.end) for start, end in hears]
        return [SpeechRegion(one.start, one.end) for one in inside if one.length > 0]

    def hear_again(windows):
        if asked is not None:
            asked.extend(windows)
        return [(answers or {}).get(round(w.start), (Passage(w.start, w.end, "", "de"), [])) for w in windows]

    def pack(_audio, regions):
        return [Window(one.start, one.end, (one,)) for one in regions]

    speech = [Span(*one) for one in (hears if heard_at_first is None else heard_at_first)]
    return Auditor(silence(60.0), Decoding(), listen, pack, hear_again, lambda _: False, speech)


def texts(audited):
    return ["".join(word.text for word in words).strip() for _, words in audited.timed if words]


def codes(audited):
    return [notice.code for one, _ in audited.timed for notice in one.notices] + [one.code for one in audited.notices]


def outcomes(audited):
    return [(one.start, one.outcome) for one in audited.decisions]


def test_a_good_transcript_stays_as_it_is_and_every_window_has_a_decision():
    good = [timed(1.0, 4.0), timed(5.0, 9.0, " Wie geht es?")]
    audited = auditor(hears=((1.0, 9.0),)).audit(good)
    assert audited.timed == good
    assert audited.notices == ()
    assert outcomes(audited) == [(1.0, "kept"), (5.0, "kept")]


def test_invented_text_leaves_with_its_words_and_is_reported():
    audited = auditor(hears=((1.0, 4.0),)).audit([timed(1.0, 4.0), timed(5.0, 9.0, " Danke.", confidence=0.1)])
    assert texts(audited) == ["Guten Tag."]
    assert codes(audited) == ["window-without-speech"]
    assert outcomes(audited) == [(1.0, "kept"), (5.0, "dropped")]


def test_doubted_text_stays_and_is_reported_once():
    doubted = timed(1.0, 4.0, confidence=0.1, doubts=("the model is unsure",))
    audited = auditor(hears=((1.0, 4.0),)).audit([doubted])
    assert texts(audited) == ["Guten Tag."]
    assert codes(audited) == ["low-confidence"]


def test_speech_without_words_is_heard_again_with_padding():
    asked = []
    found = timed(20.1, 24.0, " Und noch etwas.")
    audit = auditor(hears=((1.0, 4.0), (20.0, 24.0)), answers={20: found}, asked=asked)
    audited = audit.audit([timed(1.0, 4.0)])
    assert [(window.start, window.end) for window in asked] == [(19.5, 24.5)]
    assert texts(audited) == ["Guten Tag.", "Und noch etwas."]
    assert outcomes(audited) == [(1.0, "kept"), (20.1, "recovered")]
    assert codes(audited) == []


def test_speech_between_two_words_of_a_passage_is_put_there():
    long = timed(1.0, 30.0, " a b")
    first, second = long[1]
    words = [replace(first, end=3.0), replace(second, start=28.0)]
    found = timed(10.1, 14.0, " x y")
    audited = auditor(hears=((1.0, 3.0), (10.0, 14.0), (28.0, 30.0)), answers={10: found}).audit([(long[0], words)])
    assert texts(audited) == ["a", "x y", "b"]


@pytest.mark.parametrize("answer", [None, timed(20.0, 24.0, " Danke.", confidence=0.1)])
def test_what_cannot_be_understood_is_reported_with_its_times(answer):
    answers = {20: answer} if answer else {}
    audited = auditor(hears=((1.0, 4.0), (20.0, 24.0)), answers=answers).audit([timed(1.0, 4.0)])
    assert texts(audited) == ["Guten Tag."]
    [notice] = audited.notices
    assert (notice.code, notice.start, notice.end) == ("uncovered-speech", 20.0, 24.0)


def test_what_was_dropped_as_silence_is_not_heard_again():
    asked = []
    silent = (replace(passage(20.0, 24.0), text=""), [])
    auditor(hears=((1.0, 4.0), (20.0, 24.0)), asked=asked).audit([timed(1.0, 4.0), silent])
    assert asked == []


def test_words_outside_all_speech_are_reported():
    audited = auditor(hears=((1.0, 4.0),)).audit([timed(1.0, 4.0), timed(30.0, 33.0, " Mal sehen, was kommt.")])
    assert "words-without-speech" in codes(audited)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["a", "A.", " a!"], [True, True, True]),
        (["a", "a", "b", "a"], [False] * 4),
        (["", "", ""], [False] * 3),
        (["x", "a", "a", "a", "y"], [False, True, True, True, False]),
        ([], []),
    ],
)
def test_a_loop_across_windows_is_three_times_the_same(said, expected):
    assert repeated_texts(said) == expected


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12, unique=True), st.integers(1, 4))
def test_merging_loses_no_word_and_keeps_them_in_order(seconds, passages):
    words = [Word(f" {second}", second, second + 0.9) for second in sorted(seconds)]
    later, first = words[::2], words[1::2]
    size = -(-len(first) // passages) or 1
    heard = [(passage(0.0, 60.0), first[i : i + size]) for i in range(0, len(first), size)]
    complete = merged(heard, [(passage(0.0, 60.0), [word]) for word in later])
    assert [word for _, part in complete for word in part] == words


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"avg_logprob": RECOVERED_LOGPROB}, True),
        ({"avg_logprob": RECOVERED_LOGPROB - 0.01}, False),
        ({"temperature": 0.2}, False),
    ],
)
def test_what_is_added_where_one_heard_nobody_must_be_beyond_doubt(change, expected):
    assert is_beyond_doubt(replace(passage(0.0, 3.0), **change)) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [(" Hello. Hello. hello.", False), (" Ja, ja, doch.", True), (" Und noch etwas.", True)]
)
def test_the_same_word_again_and_again_is_not_added(text, expected):
    _, words = timed(0.0, 3.0, text)
    assert is_varied(words) is expected


def test_without_words_nothing_is_added():
    assert not is_varied([])


@pytest.mark.parametrize(("heard_at_first", "is_added"), [(((1.0, 4.0), (20.0, 24.0)), True), (((1.0, 4.0),), False)])
def test_where_two_detectors_hear_somebody_a_less_probable_text_will_do(heard_at_first, is_added):
    found = timed(20.0, 24.0, " Und noch etwas.", avg_logprob=-0.65)
    audit = auditor(hears=((1.0, 4.0), (20.0, 24.0)), heard_at_first=heard_at_first, answers={20: found})
    audited = audit.audit([timed(1.0, 4.0)])
    assert texts(audited) == ["Guten Tag.", *(["Und noch etwas."] if is_added else [])]
    assert codes(audited) == ["low-confidence" if is_added else "uncovered-speech"]
    assert [outcome for _, outcome in outcomes(audited)] == ["kept", *(["doubted"] if is_added else [])]


def test_words_that_a_second_look_found_do_not_lie_where_nobody_speaks():
    audit = auditor(
        hears=((1.0, 4.0), (20.0, 24.0)),
        heard_at_first=((1.0, 4.0),),
        answers={20: timed(20.0, 24.0, " Und noch etwas.")},
    )
    assert codes(audit.audit([timed(1.0, 4.0)])) == []


def test_a_piece_of_which_the_model_is_less_sure_is_marked():
    verdict = cautious(Verdict("kept"), passage(0.0, 3.0, avg_logprob=-0.7))
    assert verdict.outcome == "doubted"
    assert cautious(Verdict("kept"), passage(0.0, 3.0, avg_logprob=-0.5)) == Verdict("kept")
    dropped = Verdict("dropped", ("nobody speaks",))
    assert cautious(dropped, passage(0.0, 3.0, avg_logprob=-0.7)) == dropped


def test_speech_on_both_sides_of_a_word_is_not_heard_together():
    packed = []

    def pack(_audio, regions):
        packed.append(list(regions))
        return [Window(regions[0].start, regions[-1].end, tuple(regions))]

    audit = replace(auditor(hears=((10.0, 12.0), (14.0, 16.0))), pack=pack)
    audit.audit([(passage(0.0, 30.0), [Word(" da", 13.0, 13.2, 0.9)])])
    assert packed == [[SpeechRegion(10.0, 12.0)], [SpeechRegion(14.0, 16.0)]]


def test_what_the_passage_around_says_already_is_not_said_twice():
    """Its words have wrong times then: they are spread over what was skipped."""
    whole = timed(0.0, 9.0, " Das haben wir doch gestern schon gesagt.")
    again = timed(5.0, 9.0, " Das haben wir gestern schon gesagt.")
    audited = auditor(hears=((5.0, 9.0),), answers={5: again}).audit([(whole[0], [replace(whole[1][0], end=0.5)])])
    assert len(texts(audited)) == 1
    assert codes(audited) == ["uncovered-speech"]


def test_a_passage_that_leaves_out_a_sentence_gives_way_to_its_pieces():
    """The words of the whole lie where the sentence was that is missing: only the pieces know."""
    sentences = [
        (1.0, 5.0, " Der Zug kommt heute spät."),
        (8.0, 12.0, " Das ist schade."),
        (15.0, 19.0, " Wir warten."),
    ]
    text = sentences[0][2] + sentences[2][2]
    regions = tuple(SpeechRegion(start, end) for start, end, _ in sentences)
    whole = replace(passage(0.8, 19.2, text), regions=regions)
    spoken = [*timed(1.0, 5.0, sentences[0][2])[1], *timed(15.0, 19.0, sentences[2][2])[1]]
    answers = {round(start): timed(start, end, said) for start, end, said in sentences}
    audited = auditor(hears=[one[:2] for one in sentences], answers=answers).audit([(whole, spoken)])
    assert texts(audited) == [said.strip() for _, _, said in sentences]
    assert codes(audited) == []
    assert [outcome for _, outcome in outcomes(audited)] == ["recovered"] * 3


@pytest.mark.parametrize(("audio", "is_cut"), [(silence(20.0), False), (NOISE, True)])
def test_where_pauses_are_silent_a_word_that_was_left_out_is_heard_by_itself(audio, is_cut):
    asked = []
    whole = replace(passage(0.8, 12.2), regions=(SpeechRegion(1.0, 5.0), SpeechRegion(8.0, 10.0)))
    listening = replace(auditor(hears=((1.0, 5.0), (8.0, 10.0)), asked=asked), audio=audio)
    listening.audit([(whole, timed(1.0, 5.0)[1])])
    assert (SpeechRegion(1.0, 5.0) in {region for one in asked for region in one.regions}) is is_cut
    assert SpeechRegion(8.0, 10.0) in {region for one in asked for region in one.regions}


def test_pieces_that_say_something_else_are_not_believed():
    whole = replace(passage(0.8, 19.2, " Der Zug kommt."), regions=(SpeechRegion(1.0, 5.0), SpeechRegion(16.0, 19.0)))
    spoken = timed(1.0, 5.0, " Der Zug kommt.")[1]
    answers = {1: timed(1.0, 5.0, " Ganz anders."), 16: timed(16.0, 19.0, " Und noch etwas.")}
    audited = auditor(hears=((1.0, 5.0), (16.0, 19.0)), answers=answers).audit([(whole, spoken)])
    assert texts(audited) == ["Der Zug kommt.", "Und noch etwas."]
    assert outcomes(audited) == [(0.8, "kept"), (16.0, "recovered")]
