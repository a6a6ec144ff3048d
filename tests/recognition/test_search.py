"""Every field of `Decoding` reaches the engine, and what comes back is read rightly."""

from __future__ import annotations

from types import SimpleNamespace

import ctranslate2
import numpy as np
import pytest

from wortlaut.errors import OutOfMemory
from wortlaut.options import Decoding
from wortlaut.recognition.search import LOOP_GUARD_TOKENS, Attempt, Search, attempts, stacked

from .conftest import Said


def encoded(start: int) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(np.full((1, 2, 4), start, np.float32))


def searched(scripted, decoding: Decoding, temperature: float, *, prompt=(1, 2, 3)):
    model = scripted({0: [Said(" Hallo.")]})
    attempt = Attempt("as usual", temperature, decoding.no_repeat_ngram_size)
    [candidate] = Search(model, decoding, list(prompt), [9], [4, 5]).run([encoded(0)], attempt)
    [(_, settings)] = model.engine.calls
    return candidate, settings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("beam_size", 3), ("patience", 2.0), ("length_penalty", 0.6), ("repetition_penalty", 1.2)],
        *[("no_repeat_ngram_size", 3), ("suppress_blank", False)],
    ],
)
def test_settings_reach_the_engine(scripted, field, value):
    _, settings = searched(scripted, Decoding(**{field: value}), 0.0)
    assert settings[field] == value


def test_prompt_and_suppressed_tokens_reach_the_engine(scripted):
    _, settings = searched(scripted, Decoding(), 0.0)
    assert settings["prompts"] == [[1, 2, 3]]
    assert settings["suppress_tokens"] == [4, 5]


def test_temperature_zero_is_beam_search(scripted):
    _, settings = searched(scripted, Decoding(beam_size=4), 0.0)
    assert settings["beam_size"] == 4
    assert "sampling_temperature" not in settings


def test_higher_temperatures_draw_best_of_texts(scripted):
    candidate, settings = searched(scripted, Decoding(beam_size=4, best_of=3), 0.6)
    assert (settings["beam_size"], settings["num_hypotheses"], settings["sampling_topk"]) == (1, 3, 0)
    assert settings["sampling_temperature"] == candidate.temperature == 0.6


@pytest.mark.parametrize("prompt_length", [2, 4, 100, 228])
def test_prompt_and_text_fill_the_context_and_no_more(scripted, prompt_length):
    _, settings = searched(scripted, Decoding(), 0.0, prompt=range(prompt_length))
    # CTranslate2: min(max_length / 2, max_length - prompt) new tokens
    new_tokens = min(settings["max_length"] // 2, settings["max_length"] - prompt_length)
    assert new_tokens + prompt_length <= 448
    assert new_tokens >= 200


@pytest.mark.parametrize(("speech_seconds", "expected"), [(0.0, 40), (0.5, 70), (2.0, 160), (30.0, 445)])
@pytest.mark.parametrize("prompt_length", [3, 200])
def test_short_speech_gets_short_texts(scripted, speech_seconds, expected, prompt_length):
    model = scripted({0: [Said(" Hallo.")]})
    search = Search(model, Decoding(), list(range(prompt_length)), [], [])
    search.run([encoded(0)], Attempt("as usual"), speech_seconds=speech_seconds)
    max_length = model.engine.calls[0][1]["max_length"]
    assert min(max_length // 2, max_length - prompt_length) == min(expected, 448 - prompt_length)


@pytest.mark.parametrize("length_penalty", [1.0, 0.0, 0.5])
def test_the_average_counts_the_end_token(scripted, length_penalty):
    model = scripted({0: [Said(" Hallo.", logprob=-0.4)]})
    [candidate] = Search(model, Decoding(length_penalty=length_penalty), [1], [1], []).run(
        [encoded(0)], Attempt("as usual")
    )
    assert candidate.avg_logprob == pytest.approx(-0.4)
    assert candidate.text == " Hallo."


def answered(scripted, sequences, scores):
    model = scripted({})
    result = SimpleNamespace(sequences_ids=sequences, scores=scores, no_speech_prob=0.25)
    model.engine.generate = lambda *_args, **_settings: [result]
    [candidate] = Search(model, Decoding(), [1], [1], []).run([encoded(0)], Attempt("by chance", 0.2))
    return candidate


def test_the_best_of_several_texts_is_taken(scripted, tokenizer):
    texts = [tokenizer.encode(" a"), tokenizer.encode(" b"), tokenizer.encode(" c")]
    candidate = answered(scripted, texts, [-1.0, -0.5, -2.0])
    assert candidate.text == " b"
    assert candidate.no_speech_prob == 0.25


def test_tokens_that_are_no_text_are_left_out(scripted, tokenizer):
    tokens = tokenizer.encode(" a")
    assert answered(scripted, [[*tokens, tokenizer.no_timestamps + 3]], [-1.0]).tokens == tuple(tokens)


@pytest.mark.parametrize("text", ["", " ", " \n"])
def test_blank_text_is_no_text(scripted, tokenizer, text):
    candidate = answered(scripted, [tokenizer.encode(text)], [-1.0])
    assert (candidate.text, candidate.tokens) == ("", ())


def test_outputs_are_stacked_in_order():
    together = np.asarray(stacked([encoded(3), encoded(1), encoded(2)]))
    assert together.shape == (3, 2, 4)
    assert together[:, 0, 0].tolist() == [3, 1, 2]


def test_a_fault_of_the_engine_becomes_ours(scripted):
    model = scripted({})

    def exhausted(*_args, **_settings):
        raise RuntimeError("CUDA failed with error out of memory")

    model.engine.generate = exhausted
    with pytest.raises(OutOfMemory):
        Search(model, Decoding(), [1], [1], []).run([encoded(0)], Attempt("as usual"))


def test_what_is_certain_comes_before_chance():
    planned = list(attempts(Decoding(temperatures=(0.0, 0.3, 0.9))))
    assert [attempt.way for attempt in planned] == [
        *["as usual", "in pieces", "without repetition"],
        *["by chance", "by chance"],
    ]
    assert [attempt.temperature for attempt in planned] == [0.0, 0.0, 0.0, 0.3, 0.9]
    assert [attempt.no_repeat_ngram_size for attempt in planned] == [0, 0, LOOP_GUARD_TOKENS, 0, 0]
    assert [str(attempt) for attempt in planned[2:4]] == ["without repetition", "by chance, temperature 0.3"]


def test_without_chance_everything_else_is_still_tried():
    planned = list(attempts(Decoding(initial_prompt="a"), draws=False))
    assert [one.way for one in planned] == ["as usual", "without prompt", "in pieces", "without repetition"]
    assert {one.temperature for one in planned} == {0.0}


@pytest.mark.parametrize("decoding", [Decoding(verbatim=True), Decoding(hotwords="a"), Decoding(initial_prompt="a")])
def test_a_prompt_is_the_first_thing_to_go(decoding):
    assert [attempt.way for attempt in attempts(decoding)][:2] == ["as usual", "without prompt"]


def test_one_temperature_means_one_attempt():
    assert list(attempts(Decoding(temperatures=(0.0,)))) == [Attempt("as usual")]


@pytest.mark.parametrize("told", [{"initial_prompt": "Dr."}, {"hotwords": "Wortlaut"}])
def test_a_prompt_is_left_out_once(told, scripted):
    assert [attempt.way for attempt in attempts(Decoding(**told))][:2] == ["as usual", "without prompt"]
    model = scripted({0: [Said(" Hallo.")]})
    Search(model, Decoding(), [1, 2], [9], []).run([encoded(0)], Attempt("without prompt"))
    assert model.engine.calls[0][1]["prompts"] == [[9]]


@pytest.mark.parametrize(("size", "has_guard"), [(0, True), (2, False), (LOOP_GUARD_TOKENS, False), (9, True)])
def test_the_guard_is_left_out_where_the_caller_is_stricter(size, has_guard):
    planned = list(attempts(Decoding(no_repeat_ngram_size=size)))
    assert any(attempt.way == "without repetition" for attempt in planned) is has_guard
    assert {one.no_repeat_ngram_size for one in planned if one.way != "without repetition"} == {size}
