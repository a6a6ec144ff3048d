from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.errors import UnknownLanguage
from wortlaut.options import Decoding
from wortlaut.recognition.languages import LANGUAGES
from wortlaut.recognition.prompts import PROMPT_TOKENS, is_truncated, prompt_tokens, suppressed_tokens
from wortlaut.recognition.verbatim import PROMPTS, verbatim_notices


def german(tokenizer, decoding):
    return prompt_tokens(tokenizer, decoding, language="de", task="transcribe")


def test_without_hints_a_prompt_is_language_and_task(tokenizer):
    start = tokenizer.sot_sequence("de", "transcribe")
    assert german(tokenizer, Decoding()) == [*start, tokenizer.no_timestamps]
    assert german(tokenizer, Decoding(initial_prompt="  ", hotwords="")) == [*start, tokenizer.no_timestamps]


def test_hints_stand_before_the_start_each_as_a_new_word(tokenizer):
    told = german(tokenizer, Decoding(hotwords="Wortlaut ", initial_prompt="Guten Tag."))
    start = [*tokenizer.sot_sequence("de", "transcribe"), tokenizer.no_timestamps]
    assert told == [tokenizer.sot_prev, *tokenizer.encode(" Wortlaut Guten Tag."), *start]


def test_a_long_initial_prompt_keeps_its_end(tokenizer):
    decoding = Decoding(initial_prompt="a" * 500 + "z")
    told = german(tokenizer, decoding)
    assert told[1 : 1 + PROMPT_TOKENS] == tokenizer.encode("a" * (PROMPT_TOKENS - 1) + "z")
    assert is_truncated(tokenizer, decoding, "de")


def test_long_hotwords_keep_their_beginning(tokenizer):
    decoding = Decoding(hotwords="b" + "a" * 500, initial_prompt="z")
    assert german(tokenizer, decoding)[1 : 1 + PROMPT_TOKENS] == tokenizer.encode(" b" + "a" * (PROMPT_TOKENS - 2))
    assert is_truncated(tokenizer, decoding, "de")


@given(hotwords=st.text(max_size=300), style=st.text(max_size=300))
def test_half_of_the_context_is_left_for_the_text(tokenizer, hotwords, style):
    decoding = Decoding(hotwords=hotwords, initial_prompt=style)
    told = german(tokenizer, decoding)
    assert len(told) <= 1 + PROMPT_TOKENS + 4
    assert is_truncated(tokenizer, decoding, "de") <= (len(told) == 1 + PROMPT_TOKENS + 4)


def test_verbatim_fillers_stand_right_before_the_text_in_its_language(tokenizer):
    told = german(tokenizer, Decoding(verbatim=True, hotwords="Wortlaut", initial_prompt="Guten Tag."))
    start = [*tokenizer.sot_sequence("de", "transcribe"), tokenizer.no_timestamps]
    prompt = tokenizer.encode(" Wortlaut") + tokenizer.encode(f" Guten Tag. {PROMPTS['de']}")
    assert told == [tokenizer.sot_prev, *prompt, *start]


def test_a_translation_is_led_by_english_fillers(tokenizer):
    told = prompt_tokens(tokenizer, Decoding(verbatim=True), language="de", task="translate")
    assert told[1 : len(tokenizer.encode(f" {PROMPTS['en']}")) + 1] == tokenizer.encode(f" {PROMPTS['en']}")


def test_without_fillers_for_a_language_there_is_no_prompt(tokenizer):
    assert "sw" not in PROMPTS
    verbatim = prompt_tokens(tokenizer, Decoding(verbatim=True), language="sw", task="transcribe")
    assert verbatim == prompt_tokens(tokenizer, Decoding(), language="sw", task="transcribe")


@pytest.mark.parametrize("language", sorted(PROMPTS))
def test_fillers_leave_room_for_a_prompt_of_ones_own(tokenizer, language):
    decoding = Decoding(verbatim=True)
    assert language in LANGUAGES
    assert len(tokenizer.encode(f" {PROMPTS[language]}")) < PROMPT_TOKENS
    assert not is_truncated(tokenizer, decoding, language)


def test_it_is_said_what_verbatim_cannot_do():
    codes = [
        [notice.code for notice in verbatim_notices(languages)] for languages in (["en"], ["sw"], ["en", "sw"], [])
    ]
    both = ["verbatim-incomplete", "verbatim-unsupported"]
    assert codes == [both[:1], both[1:], both, []]


def test_a_language_the_model_does_not_know_is_refused(tokenizer):
    with pytest.raises(UnknownLanguage):
        prompt_tokens(tokenizer, Decoding(), language="xx", task="transcribe")


def test_symbols_are_suppressed_by_default(tokenizer):
    suppressed = suppressed_tokens(tokenizer, Decoding())
    assert suppressed == sorted({*tokenizer.non_speech_tokens, *tokenizer.control_tokens})
    assert tokenizer.encode("♪")[0] in suppressed
    assert not set(tokenizer.encode("7a.")) & set(suppressed)


def test_what_the_caller_suppresses_is_suppressed(tokenizer):
    assert suppressed_tokens(tokenizer, Decoding(suppress_tokens=(7,))) == sorted({7, *tokenizer.control_tokens})
    assert suppressed_tokens(tokenizer, Decoding(suppress_tokens=())) == sorted(tokenizer.control_tokens)
    both = suppressed_tokens(tokenizer, Decoding(suppress_tokens=(-1, 7)))
    assert both == sorted({7, *tokenizer.non_speech_tokens, *tokenizer.control_tokens})


def test_numerals_are_suppressed_on_request(tokenizer):
    suppressed = suppressed_tokens(tokenizer, Decoding(suppress_numerals=True))
    assert set(tokenizer.encode("0123456789%$")) <= set(suppressed)
    assert not set(tokenizer.encode("abc")) & set(suppressed)
