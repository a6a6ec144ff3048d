"""The recognizer over a scripted engine: order, fallback, gates and notices."""

from __future__ import annotations

import pytest

from wortlaut.errors import InvalidOption, UnknownLanguage
from wortlaut.options import Decoding
from wortlaut.recognition.recognizer import WhisperRecognizer
from wortlaut.recognition.search import LOOP_GUARD_TOKENS

from .conftest import Said, window

LOOP = " na so was" * 20
UNSPEAKABLE = " " + "".join(chr(0x4E00 + 17 * i) for i in range(600))  # no loop, but too long for four seconds


def recognize(model, audio, windows, *, decoding=None, language="de", task="transcribe", batch_size=0):
    recognizer = WhisperRecognizer(model, decoding=decoding or Decoding(), task=task, batch_size=batch_size)
    return list(recognizer.recognize(audio, windows, language=language))


def temperatures_of(model):
    return [settings.get("sampling_temperature", 0.0) for _, settings in model.engine.calls]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("batch_size", [0, 1, 2, 5])
def test_there_is_one_passage_a_window_in_order(scripted, audio, workers, batch_size):
    windows = [window(start) for start in range(7)]
    model = scripted({start: [Said(f" Satz {start}.")] for start in range(7)}, workers=workers)
    passages = recognize(model, audio, windows, batch_size=batch_size)
    assert [passage.text for passage in passages] == [f" Satz {start}." for start in range(7)]
    assert [(passage.start, passage.end, passage.regions) for passage in passages] == [
        (one.start, one.end, one.regions) for one in windows
    ]
    assert {passage.notices for passage in passages} == {()}
    assert {passage.temperature for passage in passages} == {0.0}


def test_tokens_are_those_of_the_text(scripted, audio, tokenizer):
    [passage] = recognize(scripted({0: [Said(" Grüße!")]}), audio, [window(0)])
    assert tokenizer.decode(passage.tokens) == passage.text == " Grüße!"
    assert passage.language == "de"


def test_without_windows_there_is_nothing(scripted, audio):
    model = scripted({})
    assert recognize(model, audio, []) == []
    assert model.engine.calls == []


def test_windows_are_decoded_together(scripted, audio):
    model = scripted({start: [Said(" a")] for start in range(5)})
    recognize(model, audio, [window(start) for start in range(5)], batch_size=2)
    assert [starts for starts, _ in model.engine.calls] == [[0, 1], [2, 3], [4]]


def test_on_a_cpu_four_windows_share_the_decoder(scripted, audio):
    model = scripted({start: [Said(" a")] for start in range(9)})
    recognize(model, audio, [window(start) for start in range(9)])
    assert [starts for starts, _ in model.engine.calls] == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


@pytest.mark.parametrize(("batch_size", "workers"), [(0, 1), (4, 2), (9, 3)])
def test_what_is_in_work_is_remembered_until_it_is_aligned(scripted, audio, batch_size, workers):
    model = scripted({start: [Said(" a")] for start in range(90)}, workers=workers)
    recognizer = WhisperRecognizer(model, decoding=Decoding(), task="transcribe", batch_size=batch_size)
    capacity = model._encoded.capacity
    for taken, _ in enumerate(recognizer.recognize(audio, [window(start) for start in range(90)], language="de"), 1):
        begun_and_not_taken = len(model.encoded_starts) - taken
        assert begun_and_not_taken < model._encoded.capacity - capacity
    assert model._encoded.capacity == capacity


def test_a_big_batch_is_shared_among_workers(scripted, audio):
    model = scripted({start: [Said(" a")] for start in range(4)}, workers=2)
    recognize(model, audio, [window(start) for start in range(4)], batch_size=16)
    assert sorted(starts for starts, _ in model.engine.calls) == [[0, 1], [2, 3]]


@pytest.mark.parametrize("bad", [Said(" Hm.", logprob=-1.2), Said(UNSPEAKABLE)])
def test_only_the_window_that_looks_bad_is_decoded_again(scripted, audio, bad):
    model = scripted({0: [Said(" Gut.")], 1: [bad, bad, Said(" Besser.")], 2: [Said(" Auch gut.")]})
    passages = recognize(model, audio, [window(0), window(1), window(2)], batch_size=3)
    assert [passage.text for passage in passages] == [" Gut.", " Besser.", " Auch gut."]
    assert [passage.temperature for passage in passages] == [0.0, 0.4, 0.0]
    assert [starts for starts, _ in model.engine.calls] == [[0, 1, 2], [1], [1]]
    assert passages[1].notices == ()


def test_a_loop_is_broken_before_chance_is_tried(scripted, audio):
    model = scripted({0: [Said(" Hm.", logprob=-1.2), Said(" Ja.")], 1: [Said(LOOP), Said(" Na so was.")]})
    unsure, looping = recognize(model, audio, [window(0), window(1)], batch_size=2)
    assert (looping.text, looping.temperature, looping.notices) == (" Na so was.", 0.0, ())
    assert (unsure.text, unsure.temperature) == (" Ja.", 0.2)
    assert [starts for starts, _ in model.engine.calls] == [[0, 1], [1], [0]]
    assert [settings["no_repeat_ngram_size"] for _, settings in model.engine.calls] == [0, LOOP_GUARD_TOKENS, 0]


def test_what_only_chance_made_look_good_is_remarked_on(scripted, audio):
    model = scripted({0: [Said(" Hm.", logprob=-1.2)] * 3 + [Said(" Oh yes.", logprob=-0.9)]})
    [passage] = recognize(model, audio, [window(0)])
    assert (passage.text, passage.temperature) == (" Oh yes.", 0.6)
    assert [notice.code for notice in passage.notices] == ["low-confidence"]


def test_temperatures_are_tried_in_turn(scripted, audio):
    model = scripted({0: [Said(LOOP)]})
    recognize(model, audio, [window(0)], decoding=Decoding(temperatures=(0.0, 0.3, 0.9)))
    assert temperatures_of(model) == [0.0, 0.0, 0.3, 0.9]


def test_a_window_that_never_looks_good_keeps_its_best_text_and_says_so(scripted, audio):
    tries = [
        Said(LOOP, logprob=-0.1),
        Said(LOOP, logprob=-0.2),
        Said(" Eins.", logprob=-1.9),
        Said(" Zwei.", logprob=-1.4),
        Said(" Drei.", -3.0),
    ]
    [passage] = recognize(scripted({7: tries}), audio, [window(7)])
    assert (passage.text, passage.temperature) == (" Zwei.", 0.4)
    [notice] = passage.notices
    assert (notice.code, notice.start, notice.end) == ("low-confidence", 7.0, 17.0)
    assert "unsure" in notice.message


def test_what_nobody_said_is_left_out_and_reported(scripted, audio):
    model = scripted({3: [Said(" Thank you.", logprob=-1.3, no_speech=0.9)]})
    [passage] = recognize(model, audio, [window(3)])
    assert (passage.text, passage.tokens) == ("", ())
    assert passage.no_speech_prob == 0.9
    [notice] = passage.notices
    assert (notice.code, notice.start, notice.end) == ("window-without-speech", 3.0, 13.0)
    assert "Thank you." in notice.message
    assert len(model.engine.calls) == 1


def test_silence_without_text_needs_no_notice(scripted, audio):
    [passage] = recognize(scripted({0: [Said("", logprob=-1.3, no_speech=0.9)]}), audio, [window(0)])
    assert (passage.text, passage.notices) == ("", ())


def test_a_confident_text_survives_a_high_probability_of_silence(scripted, audio):
    [passage] = recognize(scripted({0: [Said(" Ja.", logprob=-0.2, no_speech=0.9)]}), audio, [window(0)])
    assert passage.text == " Ja."


def test_a_long_text_in_short_speech_is_not_believed(scripted, audio):
    text = " Vielen Dank, dass Sie zugesehen haben, und bis zum nächsten Mal."
    long_speech, short_speech = window(0, speech=5.0), window(20, speech=0.2)
    model = scripted({0: [Said(text)], 20: [Said(text)]})
    believed, doubted = recognize(model, audio, [long_speech, short_speech])
    assert believed.notices == ()
    assert [notice.code for notice in doubted.notices] == ["low-confidence"]


def test_a_prompt_that_does_not_fit_is_reported_once(scripted, audio):
    model = scripted({0: [Said(" a")], 1: [Said(" b")]})
    passages = recognize(model, audio, [window(0), window(1)], decoding=Decoding(initial_prompt="x" * 400))
    assert [[notice.code for notice in passage.notices] for passage in passages] == [["prompt-truncated"], []]


def test_every_window_gets_the_prompt(scripted, audio, tokenizer):
    model = scripted({start: [Said(" a")] for start in range(4)}, workers=2)
    recognize(model, audio, [window(start) for start in range(4)], decoding=Decoding(hotwords="Wortlaut"))
    hotwords = tokenizer.encode(" Wortlaut")
    prompts = [prompt for _, settings in model.engine.calls for prompt in settings["prompts"]]
    assert len(prompts) == 4
    assert all(prompt[: 1 + len(hotwords)] == [tokenizer.sot_prev, *hotwords] for prompt in prompts)


def test_a_translation_is_english(scripted, audio, tokenizer):
    model = scripted({0: [Said(" Hello.")]})
    [passage] = recognize(model, audio, [window(0)], task="translate")
    assert passage.language == "en"
    assert model.engine.calls[0][1]["prompts"][0][1:3] == [tokenizer.language_token("de"), tokenizer.translate]


def test_an_unknown_language_is_refused_before_any_work(scripted, audio):
    recognizer = WhisperRecognizer(scripted({}), decoding=Decoding(), task="transcribe")
    with pytest.raises(UnknownLanguage):
        recognizer.recognize(audio, [window(0)], language="xx")


def test_an_english_only_model_cannot_translate(scripted):
    with pytest.raises(InvalidOption):
        WhisperRecognizer(scripted({}, is_multilingual=False), decoding=Decoding(), task="translate")


def test_a_negative_batch_is_refused(scripted):
    with pytest.raises(InvalidOption):
        WhisperRecognizer(scripted({}), decoding=Decoding(), task="transcribe", batch_size=-1)


def test_the_engine_is_never_far_ahead_and_stops_when_nobody_listens(scripted, audio):
    model = scripted({start: [Said(" a")] for start in range(50)}, workers=2)
    recognizer = WhisperRecognizer(model, decoding=Decoding(), task="transcribe")
    passages = recognizer.recognize(audio, [window(start) for start in range(50)], language="de")
    next(passages)
    passages.close()
    assert len(model.engine.calls) <= 5


def test_several_windows_vote_for_the_language(scripted, audio):
    model = scripted({0: [Said("en", no_speech=0.6)], 10: [Said("fr", no_speech=0.9)], 20: [Said("fr", no_speech=0.8)]})
    recognizer = WhisperRecognizer(model, decoding=Decoding(), task="transcribe")
    guess = recognizer.detect_language(audio, [window(0, speech=9.0), window(10, speech=10.0), window(20, speech=10.0)])
    assert guess.language == "fr"
    assert 0.5 < guess.probability < 0.9


def test_an_english_only_model_hears_english(scripted, audio):
    recognizer = WhisperRecognizer(scripted({}, is_multilingual=False), decoding=Decoding(), task="transcribe")
    guess = recognizer.detect_language(audio, [window(0)])
    assert (guess.language, guess.probability) == ("en", 1.0)


def test_without_speech_no_language_is_heard(scripted, audio):
    recognizer = WhisperRecognizer(scripted({}), decoding=Decoding(), task="transcribe")
    assert recognizer.detect_language(audio, []).probability == 0.0
