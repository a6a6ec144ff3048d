"""Tokens against GPT-2's byte table by hand, openai/whisper's known numbers, and the lists of converted models."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.errors import ModelCorrupt, UnknownLanguage
from wortlaut.recognition.tokenizer import WhisperTokenizer


@cache
def byte_of_sign() -> dict[str, int]:
    """GPT-2's table: printable Latin-1 stands for itself, the other 68 bytes for U+0100 and on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}


def decode_by_hand(signs: list[str]) -> str:
    table = byte_of_sign()
    return bytes(table[sign] for token in signs for sign in token).decode("utf-8", errors="replace")


@pytest.fixture(scope="module")
def base(models_dir):
    return WhisperTokenizer(models_dir / "whisper-base" / "tokenizer.json", is_multilingual=True)


@pytest.fixture(scope="module")
def tiny_en(models_dir):
    return WhisperTokenizer(models_dir / "whisper-tiny.en" / "tokenizer.json", is_multilingual=False)


@given(text=st.text())
def test_decoding_gives_back_the_text(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(text=st.text(max_size=20))
def test_every_byte_is_a_token_of_the_toy(tokenizer, text):
    assert len(tokenizer.encode(text)) == len(text.encode())


def test_what_looks_like_a_special_token_is_text(tokenizer):
    tokens = tokenizer.encode("<|endoftext|>")
    assert len(tokens) == len("<|endoftext|>")
    assert max(tokens) < tokenizer.eot


def test_special_tokens_say_nothing(tokenizer):
    tokens = [
        tokenizer.sot,
        *tokenizer.encode(" a"),
        tokenizer.eot,
        tokenizer.no_timestamps,
        tokenizer.no_timestamps + 7,
    ]
    assert tokenizer.decode(tokens) == " a"


def test_half_a_character_is_shown_as_unknown(tokenizer):
    assert tokenizer.decode(tokenizer.encode("é")[:1]) == "\ufffd"


def test_a_transcript_starts_with_language_and_task(tokenizer):
    start = [tokenizer.sot, tokenizer.language_token("de")]
    assert tokenizer.sot_sequence("de", "transcribe") == [*start, tokenizer.transcribe]
    assert tokenizer.sot_sequence("de", "translate") == [*start, tokenizer.translate]


def test_an_english_only_model_starts_without_language(english_tokenizer):
    assert english_tokenizer.sot_sequence("en", "transcribe") == [english_tokenizer.sot]
    assert english_tokenizer.languages == ("en",)


@pytest.mark.parametrize(("language", "task"), [("de", "transcribe"), ("en", "translate")])
def test_an_english_only_model_can_nothing_else(english_tokenizer, language, task):
    with pytest.raises(UnknownLanguage):
        english_tokenizer.sot_sequence(language, task)


@pytest.mark.parametrize("code", ["xx", "german", "endoftext", "transcribe"])
def test_an_unknown_language_has_no_token(tokenizer, code):
    with pytest.raises(UnknownLanguage):
        tokenizer.language_token(code)


def test_an_english_only_model_has_no_language_token(english_tokenizer):
    with pytest.raises(UnknownLanguage):
        english_tokenizer.language_token("en")


def test_a_missing_file_is_a_broken_model(tmp_path):
    with pytest.raises(ModelCorrupt, match="missing"):
        WhisperTokenizer(tmp_path / "tokenizer.json", is_multilingual=True)


@pytest.mark.parametrize("content", ["", "no json", "{}", '{"model": {"type": "BPE"}}'])
def test_a_damaged_file_is_a_broken_model(tmp_path, content):
    file = tmp_path / "tokenizer.json"
    file.write_text(content)
    with pytest.raises(ModelCorrupt):
        WhisperTokenizer(file, is_multilingual=True)


def test_the_tokenizer_of_another_model_is_refused(tmp_path):
    file = tmp_path / "tokenizer.json"
    file.write_text('{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}')
    with pytest.raises(ModelCorrupt, match="endoftext"):
        WhisperTokenizer(file, is_multilingual=True)


@pytest.mark.models
def test_numbers_of_the_multilingual_model(base):
    assert (base.eot, base.sot, base.translate, base.transcribe) == (50257, 50258, 50358, 50359)
    assert (base.sot_lm, base.sot_prev, base.no_speech, base.no_timestamps) == (50360, 50361, 50362, 50363)
    assert (base.language_token("en"), base.language_token("de"), base.language_token("su")) == (50259, 50261, 50357)
    assert base.encode(" Hello world") == [2425, 1002]


@pytest.mark.models
def test_numbers_of_the_english_model(tiny_en):
    assert (tiny_en.eot, tiny_en.sot, tiny_en.transcribe, tiny_en.translate) == (50256, 50257, 50358, 50357)
    assert (tiny_en.sot_prev, tiny_en.no_speech, tiny_en.no_timestamps) == (50360, 50361, 50362)
    assert tiny_en.encode(" Hello world") == [18435, 995]


@pytest.mark.models
def test_the_base_model_knows_all_languages_but_cantonese(base):
    assert len(base.languages) == 99
    with pytest.raises(UnknownLanguage):
        base.language_token("yue")


@pytest.mark.models
@pytest.mark.parametrize("name", ["whisper-base", "whisper-tiny.en"])
def test_suppressed_symbols_are_those_that_the_converter_found(models_dir, name):
    tokenizer = WhisperTokenizer(models_dir / name / "tokenizer.json", is_multilingual=not name.endswith(".en"))
    listed = json.loads((models_dir / name / "config.json").read_text())["suppress_ids"]
    assert sorted({*tokenizer.non_speech_tokens, *tokenizer.control_tokens}) == sorted(listed)


@pytest.mark.models
@pytest.mark.parametrize("text", [" Grüße aus Köln, 25 €!", "你好,世界。", "안녕하세요", " naïve café 🎉", " ☃\n\tx"])
def test_decoding_agrees_with_the_byte_table(models_dir, base, text):
    signs = (models_dir / "whisper-base" / "vocabulary.txt").read_text("utf-8").split("\n")
    tokens = base.encode(text)
    assert decode_by_hand([signs[token] for token in tokens]) == text
    assert base.decode(tokens) == text


@pytest.mark.models
def test_numeral_tokens_have_digits_or_signs(models_dir, base):
    signs = (models_dir / "whisper-base" / "vocabulary.txt").read_text("utf-8").split("\n")[: base.eot]
    plain = {i for i, sign in enumerate(signs) if any(c in "0123456789%$" for c in sign)}
    money = {i for i, sign in enumerate(signs) if any(c in decode_by_hand([sign]) for c in "£€¥")}
    assert set(base.numeral_tokens) == plain | money
