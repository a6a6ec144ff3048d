"""Words and characters of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.alignment.spelling import speaking_weight, spell, split_words

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",)),
        st.sampled_from(" \t\n.,?!-–…¿'\"()[]$€%&#0123456789aZéßñ日本語を、。ー「」ไทยเก่าမြန်မာ한국어"),
    ),
    max_size=60,
)


def code_points(text: str) -> list[int]:
    return [ord(character) for character in text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" Hello, world!", [" Hello,", " world!"]),
        ("It's a well-known fact.", ["It's", " a", " well-known", " fact."]),
        ("It cost $3.50, or 100% more.", ["It", " cost", " $3.50,", " or", " 100%", " more."]),
        ("Salt & pepper", ["Salt", " &", " pepper"]),
        ("Yes - no", ["Yes -", " no"]),
        ("- Yes. - No", ["- Yes. -", " No"]),
        ("¿Qué? « Oui »", ["¿Qué?", " « Oui »"]),
        (" trailing  ", [" trailing  "]),
        ("今日は、雨。", ["今", "日", "は、", "雨。"]),
        ("「はい」 iPhoneを2台", ["「は", "い」", " iPhone", "を", "2", "台"]),
        ("ちょっとコーヒー", ["ちょっ", "と", "コー", "ヒー"]),
        ("เก่า", ["เก่า"]),
        ("ไทย", ["ไท", "ย"]),
        ("한국어 말", ["한국어", " 말"]),
        ("...", ["..."]),
        (" \n ", []),
        ("", []),
    ],
)
def test_words_of(text, words):
    assert split_words(text) == words


@given(TEXTS)
def test_joined_words_are_the_text(text):
    words = split_words(text)
    assert "".join(words) == (text if text.strip() else "")
    assert all(word.strip() for word in words)


@given(TEXTS)
def test_every_word_but_a_text_of_signs_is_spoken(text):
    words = split_words(text)
    if len(words) > 1:
        assert all(any(c.isalnum() or not c.isascii() or c in "%&@#$+<=>|~^`" for c in word) for word in words)


def test_spelling_has_a_space_before_each_word_and_knows_what_is_spoken():
    hello, world = spell(['"Hello,', " world!"], code_points)
    assert hello.tokens == tuple(code_points(' "Hello,'))
    assert hello.tokens[hello.spoken_start : hello.spoken_end] == tuple(code_points("Hello"))
    assert world.tokens == tuple(code_points(" world!"))
    assert world.tokens[world.spoken_start : world.spoken_end] == tuple(code_points("world"))


def test_words_of_dense_scripts_have_no_space_between_them():
    spelled = spell(["今", "日。"], code_points)
    assert [word.tokens for word in spelled] == [tuple(code_points(" 今")), tuple(code_points("日。"))]


def test_characters_of_several_tokens_are_spoken_whole():
    (word,) = spell(["“né”"], lambda text: list(text.encode()))
    assert bytes(word.tokens[word.spoken_start : word.spoken_end]).decode() == "né"


def test_a_combining_mark_belongs_to_what_is_spoken():
    (word,) = spell(["cafe\u0301."], code_points)
    assert word.tokens[word.spoken_start : word.spoken_end] == tuple(code_points("cafe\u0301"))


@given(TEXTS)
def test_spoken_range_is_inside_the_tokens_and_not_empty(text):
    for word in spell(split_words(text), lambda character: list(character.encode())):
        assert 0 <= word.spoken_start < word.spoken_end <= len(word.tokens)


def test_numbers_and_signs_take_longer_to_say_than_they_are_written():
    assert speaking_weight("1984") > speaking_weight("year")
    assert speaking_weight(" 5%") > speaking_weight(" five")
    assert speaking_weight("日") > speaking_weight("d")
    assert speaking_weight("…") == 1.0
