"""Numbers among spoken words: what text2num reads, and what it reads wrongly put right.

text2num knows how each language says a number. What it cannot know is where one number ends and the next one begins
("between one hundred and two hundred"), when a number is no number ("one by one"), and how people write it
("2 million", "1905"). That is done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

CENTURIES, YEARS = range(17, 21), range(10, 100)
"""An English year is two numbers in a row: "nineteen ninety five". "Fifteen twenty" may be a time."""
DECADES = {
    word: tens * 10
    for tens, word in enumerate(
        ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"), start=2
    )
}
"""Of English years: "nineteen nineties"."""

SCALES = frozenset({1e2, 1e3, 1e6, 1e9, 1e12})
"""A lone "thousands" or "Million" stays a word: "23 million", not "23 1000000"."""
LARGE = 1e6
"""From here on the last word stays a word behind digits too: "2 million", not "2000000"."""
SMALLEST_ORDINAL = 10.0
"""A lone "third" below this stays a word."""
SMALLEST = 3.0
"""A lone "one" or "two" stays a word, as in "no one"."""
COUNTED = 3
"""So many small numbers in a row are counted and not meant otherwise."""
SPELLED = 3
"""So many digits in a row without a pause are one number, read out digit by digit."""

OTHER_MEANINGS = {"de": frozenset({"acht"}), "fr": frozenset({"neuf"}), "it": frozenset({"sei"})}
"""Numbers that, alone, are as often another word: attention, new, you are."""
UNITS = frozenset(
    {
        *("uhr", "prozent", "euro", "cent", "grad", "meter", "kilometer", "kilo", "sekunden", "minuten", "stunden"),
        *("tage", "tagen", "wochen", "monate", "monaten", "jahre", "jahren", "millionen", "milliarden"),
        *(
            "heures",
            "minutes",
            "secondes",
            "jours",
            "semaines",
            "mois",
            "ans",
            "années",
            "euros",
            "mètres",
            "kilomètres",
        ),
        *(
            "millions",
            "milliards",
            "ore",
            "minuti",
            "secondi",
            "giorni",
            "settimane",
            "mesi",
            "anni",
            "metri",
            "milioni",
        ),
    }
)
"""Behind these, numbers with other meanings are numbers."""
ARTICLES = {
    "da": frozenset({"en", "et"}),
    "de": frozenset({"ein", "eine", "einen", "einem", "einer"}),
    "en": frozenset({"a"}),
    "es": frozenset({"un", "una"}),
    "fr": frozenset({"un", "une"}),
    "it": frozenset({"un", "una"}),
    "nl": frozenset({"een"}),
    "pt": frozenset({"um", "uma"}),
}
"""Words for one that are articles more often; before a hundred or a million they belong to the number."""
CONJUNCTIONS = {"da": "og", "de": "und", "en": "and", "es": "y", "fr": "et", "it": "e", "nl": "en", "pt": "e"}
DECIMAL_MARKS = ",."
TEN = 10.0
"""Spanish puts its "y" between tens and ones only."""
RANGES = frozenset({"or", "to", "oder", "bis", "ou", "à", "o", "a", "of", "tot", "eller", "til"})
"""Between two numbers, these make a range: both are written in the same way."""
FRACTIONS = frozenset(
    {
        *("half", "halves", "third", "thirds", "quarter", "quarters", "fifth", "fifths", "tenth", "tenths"),
        *("halb", "halbe", "drittel", "viertel", "fünftel", "zehntel", "quart", "quarts", "tiers", "demi"),
        *("tercio", "tercios", "cuarto", "cuartos", "terzo", "terzi", "quarto", "quarti", "quartos", "kwart"),
    }
)
"""A number of one word before these stays a word, as they do: "three quarters"."""
MONTHS = frozenset(
    {
        *("january", "february", "march", "april", "may", "june"),
        *("july", "august", "september", "october", "november", "december"),
    }
)


class _Read(Protocol):
    """What text2num finds: words [start, end) are the number `text`."""

    start: int
    end: int
    text: str
    value: float
    is_ordinal: bool


@dataclass(frozen=True, slots=True)
class Number:
    """Words [start, end) are the number `text`."""

    start: int
    end: int
    text: str
    value: float
    is_ordinal: bool = False

    @property
    def length(self) -> int:
        return self.end - self.start

    def is_digits(self) -> bool:
        """Whether it was said digit by digit."""
        return not self.is_ordinal and self.text.isdigit() and len(self.text) == self.length


@dataclass(frozen=True, slots=True)
class Token:
    """A word without the signs around it. `is_separate`: something parts it from the word before."""

    core: str
    is_separate: bool = False

    @property
    def lower(self) -> str:
        return self.core.lower()

    # The three methods that text2num asks for.

    def text(self) -> str:
        return self.core

    def text_lowercase(self) -> str:
        return self.lower

    def nt_separated(self, previous: Token) -> bool:  # noqa: ARG002 the signature is text2num's
        return self.is_separate

    def not_a_number_part(self) -> bool:
        return any(map(str.isdigit, self.core))


def find(tokens: Sequence[Token], language: str) -> list[Number]:
    """Return the numbers that are to be written in digits, in order. Needs text2num."""
    tokens = _parted(_with_zeros(tokens, language), language)
    numbers = [_begun(number, tokens, language) for number in _read(tokens, language)]
    numbers = list(_with_decimals(numbers, tokens))
    numbers = [short for number in numbers if (short := _without_scale(number, tokens, language))]
    numbers = [number for number in numbers if not _is_a_word(number, tokens, language)]
    numbers = [number for run in _runs(numbers, tokens) for number in _meant(run, tokens, language)]
    if language == "en":
        numbers = list(_with_years(numbers, tokens))
    return list(_spelled(numbers, tokens))


def _read(tokens: Sequence[Token], language: str) -> list[Number]:
    """Return all that can be a number, "one" and "ein" too."""
    from text_to_num import find_numbers  # noqa: PLC0415 an extra

    found: Sequence[_Read] = find_numbers(list(tokens), language, threshold=0.0)
    return [Number(one.start, one.end, one.text, one.value, one.is_ordinal) for one in found]


def _with_zeros(tokens: Sequence[Token], language: str) -> Sequence[Token]:
    """Read an English "oh" between numbers as the zero it is: "nineteen oh five"."""
    places = [at for at, token in enumerate(tokens) if token.lower in ("oh", "o")]
    if language != "en" or not places:
        return tokens
    covered = {at for number in _read(tokens, language) for at in range(number.start, number.end)}
    zeros = [at for at in places if {at - 1, at + 1} <= covered and not _are_parted(tokens, at, at + 1)]
    return [replace(token, core="zero") if at in zeros else token for at, token in enumerate(tokens)]


def _are_parted(tokens: Sequence[Token], *places: int) -> bool:
    return any(tokens[at].is_separate for at in places)


def _with_decimals(numbers: Sequence[Number], tokens: Sequence[Token]) -> Iterator[Number]:
    """Join the digits behind a decimal mark, of which text2num reads only the first in some languages."""
    waiting: Number | None = None
    for number in numbers:
        goes_on = waiting and waiting.end == number.start and not tokens[number.start].is_separate
        if waiting and goes_on and number.is_digits() and any(mark in waiting.text for mark in DECIMAL_MARKS):
            waiting = replace(waiting, end=number.end, text=waiting.text + number.text)
            continue
        if waiting:
            yield waiting
        waiting = number
    if waiting:
        yield waiting


def _parted(tokens: Sequence[Token], language: str) -> Sequence[Token]:
    """Part numbers that a conjunction stands between, where text2num takes them for one."""
    numbers = _read(tokens, language)
    cuts = {cut for number in numbers for cut in _cuts(number, tokens, language)}
    return [replace(token, is_separate=True) if at in cuts else token for at, token in enumerate(tokens)]


def _cuts(number: Number, tokens: Sequence[Token], language: str) -> Iterator[int]:
    """Yield the conjunctions in a number that are none of its words."""
    places = range(number.start + 1, number.end - 1)
    conjunctions = [at for at in places if tokens[at].lower == CONJUNCTIONS[language]]
    for at in conjunctions:
        if _is_cut(at, number, tokens, language, is_only=len(conjunctions) == 1):
            yield at


def _is_cut(at: int, number: Number, tokens: Sequence[Token], language: str, *, is_only: bool) -> bool:
    before, after = tokens[at - 1], tokens[at + 1]
    rest = tokens[number.end : number.end + 1]
    if rest and not rest[0].is_separate and _is_scale(rest[0], language):
        return True  # "one hundred and two | hundred"
    match language:
        case "en":  # "between a hundred and ten", "thirty and two"
            is_parting = (
                is_only and _lower(tokens, number.start - 1) == "between" and _lower(tokens, number.end) != "and"
            )
            return is_parting or not _is_scale(before, language)
        case "es":  # "cien y mil"
            return any(one.value >= TEN for one in _read([after], language))
        case "fr":  # "vingt et cinq"
            return not after.lower.startswith(("un", "onz"))
    return language == "pt" and _is_scale(after, language)  # "cem e mil"


def _is_scale(token: Token, language: str) -> bool:
    return any(number.value in SCALES for number in _read([replace(token, is_separate=False)], language))


def _begun(number: Number, tokens: Sequence[Token], language: str) -> Number:
    """Take the article of "a hundred and fifty" into the number."""
    first = number.start
    has_article = first > 0 and tokens[first - 1].lower in ARTICLES[language] and not tokens[first].is_separate
    if number.length > 1 and has_article and _is_scale(tokens[first], language):
        return replace(number, start=first - 1)
    return number


def _without_scale(number: Number, tokens: Sequence[Token], language: str) -> Number | None:
    """Leave a last "million" a word; None if nothing is left that could be digits."""
    last = _read([replace(tokens[number.end - 1], is_separate=False)], language)
    if number.length == 1 or number.is_ordinal or not last or last[0].value not in SCALES or last[0].value < LARGE:
        return number
    left = _read(tokens[number.start : number.end - 1], language)
    if len(left) != 1 or left[0].value in SCALES or left[0].end != number.length - 1:
        return None
    return replace(left[0], start=number.start, end=number.end - 1)


def _is_a_word(number: Number, tokens: Sequence[Token], language: str) -> bool:
    """Whether a number is rather to be read as a word."""
    last, after = tokens[number.end - 1].lower, _lower(tokens, number.end)
    if language == "en" and number.is_ordinal and last.endswith("second"):  # "thirty second break"
        return number.value < SMALLEST_ORDINAL or not (after == "of" or _lower(tokens, number.start - 1) in MONTHS)
    if number.length > 1:
        return _goes_on_digits(number, tokens, language)
    if number.is_ordinal:
        return number.value < SMALLEST_ORDINAL or number.text.endswith("s")
    is_bare_scale = number.value in SCALES and not (language == "de" and last.startswith("ein"))
    return is_bare_scale or (after in FRACTIONS and not tokens[number.end].is_separate)


def _goes_on_digits(number: Number, tokens: Sequence[Token], language: str) -> bool:
    """Whether a number is the rest of one that begins with digits: "5 hundred and two"."""
    has_digits_before = number.start > 0 and tokens[number.start - 1].not_a_number_part()
    return has_digits_before and not tokens[number.start].is_separate and _is_scale(tokens[number.start], language)


def _lower(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].lower if 0 <= at < len(tokens) else ""


def _runs(numbers: Sequence[Number], tokens: Sequence[Token]) -> Iterator[list[Number]]:
    """Yield numbers that follow each other, or that only an "or" or a "to" parts."""
    run: list[Number] = []
    for number in numbers:
        if run and not _follows(run[-1], number, tokens):
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _follows(number: Number, after: Number, tokens: Sequence[Token]) -> bool:
    return after.start == number.end or (after.start == number.end + 1 and tokens[number.end].lower in RANGES)


def _meant(run: Sequence[Number], tokens: Sequence[Token], language: str) -> Iterator[Number]:
    """Yield what of a run is meant as numbers."""
    is_ambiguous = [_is_ambiguous(number, tokens, language) for number in run]
    is_small = all(one.length == 1 and one.value < SMALLEST and not one.text.startswith("0") for one in run)
    is_short_for_more = any(_is_short_for_more(one, other, tokens) for one, other in pairwise(run))
    is_followed_by_scale = _is_followed_by_scale(run[-1], tokens, language)
    if is_short_for_more or (is_small and len(run) < COUNTED and not is_followed_by_scale):
        return
    for at, (number, ambiguous) in enumerate(zip(run, is_ambiguous, strict=True)):
        neighbours = [*run[max(at - 1, 0) : at], *run[at + 1 : at + 2]]
        if ambiguous and not any(
            _is_linked(number, other, tokens, sum(one.length for one in run)) for other in neighbours
        ):
            continue
        yield number


def _is_short_for_more(number: Number, after: Number, tokens: Sequence[Token]) -> bool:
    """Whether a scale is said once for both: "six or seven hundred"."""
    scale = next((scale for scale in (1e3, 1e2) if after.value >= scale and after.value % scale == 0), None)
    is_range = after.start == number.end + 1 and tokens[number.end].lower in RANGES
    return is_range and scale is not None and number.value < after.value / scale


def _is_ambiguous(number: Number, tokens: Sequence[Token], language: str) -> bool:
    word = tokens[number.start].lower
    if number.length > 1 or _lower(tokens, number.end) in UNITS:
        return False
    return word in OTHER_MEANINGS.get(language, frozenset()) or (word in ARTICLES[language])


def _is_linked(number: Number, other: Number, tokens: Sequence[Token], words: int) -> bool:
    """Whether a neighbour shows that a word with other meanings is a number: a range, or one of many in a row."""
    first, second = sorted((number, other), key=lambda one: one.start)
    if second.start > first.end:
        return True
    return words >= COUNTED and not tokens[second.start].is_separate


def _is_followed_by_scale(number: Number, tokens: Sequence[Token], language: str) -> bool:
    return number.end < len(tokens) and _is_scale(tokens[number.end], language)


def _with_years(numbers: Sequence[Number], tokens: Sequence[Token]) -> Iterator[Number]:
    """Join the two numbers of an English year, and those of a decade."""
    waiting: Number | None = None
    for number in numbers:
        if waiting and _is_year(waiting, number) and not tokens[number.start].is_separate:
            yield Number(waiting.start, number.end, f"{waiting.text}{number.text}", -1.0)
            waiting = None
            continue
        if waiting:
            yield _with_decade(waiting, tokens)
        waiting = number
    if waiting:
        yield _with_decade(waiting, tokens)


def _is_year(century: Number, year: Number) -> bool:
    is_in_century = year.value in YEARS or re.fullmatch(r"0\d", year.text) is not None
    return century.value in CENTURIES and century.end == year.start and is_in_century and not year.is_ordinal


def _with_decade(number: Number, tokens: Sequence[Token]) -> Number:
    decade = DECADES.get(_lower(tokens, number.end))
    if decade is None or number.value not in CENTURIES or number.is_ordinal or tokens[number.end].is_separate:
        return number
    return replace(number, end=number.end + 1, text=f"{number.text}{decade}s", value=-1.0)


def _spelled(numbers: Sequence[Number], tokens: Sequence[Token]) -> Iterator[Number]:
    """Join digits that were read out one by one, as of a telephone number; counting is none."""
    row: list[Number] = []
    for number in numbers:
        if row and not (number.is_digits() and number.start == row[-1].end and not tokens[number.start].is_separate):
            yield from _joined(row)
            row = []
        row.append(number)
        if not number.is_digits():
            yield from row
            row = []
    yield from _joined(row)


def _joined(row: Sequence[Number]) -> Sequence[Number]:
    text = "".join(number.text for number in row)
    steps = [int(after) - int(before) for before, after in pairwise(text)]
    is_counting = "0" not in text and all(abs(step) <= 1 for step in steps)
    if len(row) < 2 or len(text) < SPELLED or is_counting:  # noqa: PLR2004 one needs no joining
        return row
    return [Number(row[0].start, row[-1].end, text, -1.0)]
