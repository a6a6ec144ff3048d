"""Where numbers begin and end, when they are none, and how they are written."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.number_words import Token, find
from wortlaut.numerals import LANGUAGES

EN_ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
EN_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
DE_ONES = [
    *("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
    *("dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"),
]
DE_TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]


def english(number: int) -> str:
    """Say a number below a million as an Englishman does: "one hundred and twenty-three"."""
    if number < 20:
        return EN_ONES[number]
    if number < 100:
        tens = EN_TENS[number // 10 - 2]
        return f"{tens}-{EN_ONES[number % 10]}" if number % 10 else tens
    if number < 1000:
        rest = f" and {english(number % 100)}" if number % 100 else ""
        return f"{EN_ONES[number // 100]} hundred{rest}"
    rest = number % 1000
    joint = " and " if rest < 100 else " "
    return f"{english(number // 1000)} thousand" + (f"{joint}{english(rest)}" if rest else "")


def german(number: int) -> str:
    """Say a number below a million in German, in one word."""
    if number < 20:
        return DE_ONES[number]
    if number < 100:
        ones = "ein" if number % 10 == 1 else DE_ONES[number % 10]
        return (f"{ones}und" if number % 10 else "") + DE_TENS[number // 10 - 2]
    scale, name = (100, "hundert") if number < 1000 else (1000, "tausend")
    times = german(number // scale)
    times = times.removesuffix("s") if times.endswith("eins") else times
    return f"{times}{name}" + (german(number % scale) if number % scale else "")


SAY = {"en": english, "de": german}


def written(text: str, language: str = "en") -> str:
    """Commas and full stops part numbers."""
    words = text.split(" ")
    parted = [False, *(word[-1] in ",.;" for word in words[:-1])]
    tokens = [Token(word.strip(",.;"), is_parted) for word, is_parted in zip(words, parted, strict=True)]
    for number in reversed(find(tokens, language)):
        words[number.start : number.end] = [number.text + words[number.end - 1][len(tokens[number.end - 1].core) :]]
    return " ".join(words)


@pytest.mark.parametrize("language", sorted(SAY))
@given(number=st.integers(3, 999_999))
def test_a_number_comes_back_from_its_words(language, number):
    spoken = SAY[language](number)
    if spoken not in ("acht", "einhundert", "eintausend"):
        assert written(spoken, language) == str(number)


BETWEEN = {"en": "between {} and {} people", "de": "zwischen {} und {} Leuten"}


@pytest.mark.parametrize("language", sorted(SAY))
@given(first=st.integers(9, 999_999), second=st.integers(9, 999_999))
def test_two_numbers_stay_two(language, first, second):
    spoken = BETWEEN[language].format(SAY[language](first), SAY[language](second))
    digits = written(spoken, language)
    if language == "en" and " and " in spoken.removeprefix("between ").replace(" and ", "", 1):
        return  # which of several conjunctions parts them cannot always be known
    assert digits == BETWEEN[language].format(first, second)


@given(st.integers(1700, 2099))
def test_english_years_are_said_in_two_numbers(year):
    century, rest = divmod(year, 100)
    tail = "hundred" if not rest else f"oh {EN_ONES[rest]}" if rest < 10 else english(rest)
    expected = str(year) if rest or century < 20 else "2000"
    assert written(f"in {english(century)} {tail} it was") == f"in {expected} it was"


@given(st.integers(17, 20), st.integers(2, 9))
def test_english_decades(century, tens):
    name = EN_TENS[tens - 2].replace("ty", "ties")
    assert written(f"the {english(century)} {name}") == f"the {century}{tens}0s"


@pytest.mark.parametrize("language", sorted(SAY))
@given(digits=st.lists(st.integers(0, 9), min_size=5, max_size=12))
def test_telephone_numbers_are_one_number(language, digits):
    spoken = " ".join(SAY[language](digit) for digit in digits)
    steps = [abs(one - other) for one, other in itertools.pairwise(digits)]
    if 0 in digits or max(steps) > 1:  # else somebody counts
        assert written(spoken, language) == "".join(map(str, digits))


@pytest.mark.parametrize(
    ("language", "spoken", "expected"),
    [
        ("en", "between one hundred and two hundred people", "between 100 and 200 people"),
        ("en", "between twenty and five", "between 20 and 5"),
        ("en", "a hundred and fifty people", "150 people"),
        ("en", "two million, a million and 2.5 million", "2 million, a million and 2.5 million"),
        ("en", "a hundred million", "a hundred million"),
        ("en", "five million two hundred thousand", "5200000"),
        ("en", "one by one, and two thirds of three quarters", "one by one, and two thirds of three quarters"),
        ("en", "two or three, one or two.", "2 or 3, 1 or 2."),
        ("en", "six or seven hundred", "six or seven hundred"),
        ("en", "ten to five hundred", "10 to 500"),
        ("en", "a thirty second break on the thirty second of May", "a thirty second break on the 32nd of May"),
        ("en", "5 hundred and two", "5 hundred and two"),
        ("en", "one two three four five four three", "1 2 3 4 5 4 3"),
        ("en", "room one oh one", "room 101"),
        ("en", "oh one more", "oh one more"),
        ("de", "um acht oder neun, acht Uhr, gib acht", "um 8 oder 9, 8 Uhr, gib acht"),
        ("de", "zehn Uhr dreißig, halb zehn", "10 Uhr 30, halb 10"),
        ("de", "eine Million zweihunderttausend, zwei Millionen", "1200000, 2 Millionen"),
        (
            "de",
            "ein Mann, eine Frau, ein bis zwei Leute, elf bis zwölf",
            "ein Mann, eine Frau, ein bis zwei Leute, 11 bis 12",
        ),
        ("de", "einhundert Euro, hundert Euro", "100 Euro, hundert Euro"),
        ("fr", "entre cent et deux cents personnes", "entre cent et 200 personnes"),
        ("fr", "vingt-trois virgule deux neuf", "23,29"),
        ("nl", "zeventig komma acht twee", "70,82"),
        ("es", "entre sesenta y tres y ochenta y ocho", "entre 63 y 88"),
        ("fr", "vingt et un ou vingt et cinq", "21 ou 20 et 5"),
        ("da", "mellem hundrede og to hundrede", "mellem hundrede og 200"),
        ("nl", "twee miljoen", "2 miljoen"),
        ("es", "dos millones, treinta y dos", "2 millones, 32"),
        ("pt", "vinte e cinco", "25"),
        ("it", "sei ore, tu sei", "6 ore, tu sei"),
    ],
)
def test_what_numbers_are_and_how_they_are_written(language, spoken, expected):
    assert written(spoken, language) == expected


@given(st.lists(st.sampled_from([*EN_ONES, *EN_TENS, *DE_ONES, "and", "oh", "a", "million", "second", "or", "5", "x"])))
def test_numbers_lie_in_order_and_inside(words):
    for language in LANGUAGES:
        numbers = find([Token(word) for word in words], language)
        edges = [edge for number in numbers for edge in (number.start, number.end)]
        assert edges == sorted(edges)
        assert all(0 <= number.start < number.end <= len(words) for number in numbers)
        assert all(any(map(str.isdigit, number.text)) for number in numbers)
