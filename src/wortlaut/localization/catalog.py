"""From an English sentence to the same in another language, also where it holds names and numbers.

A catalogue is a TOML file of English templates and their translations. A template is a sentence with numbered gaps,
`There is no {0} in {1}.`; the translation may put the gaps in another order. A brace that is meant is doubled. The
table `messages` holds what stands in the source as it is said; `assembled` what is put together while the program runs,
and what libraries say.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter

LANGUAGES = ("en", "de")
"""What messages are there in; English is the language of the source."""


@dataclass(frozen=True, slots=True)
class _Template:
    """One sentence with gaps. `literal_length` counts what is not a gap: the more of it, the surer the match."""

    pattern: re.Pattern[str]
    target: str
    literal_length: int


@dataclass(frozen=True, slots=True)
class Catalog:
    """The sentences of one language."""

    sentences: Mapping[str, str]
    templates: Sequence[_Template] = ()

    def translate(self, text: str) -> str:
        """Return `text` in this language, or as it is where the catalogue does not have it.

        What fills a gap is looked up too, if it is a whole sentence, or a word of its own.
        """
        if found := self.sentences.get(text):
            return found
        for template in self.templates:
            if match := template.pattern.fullmatch(text):
                return template.target.format(*map(self._filling, match.groups()))
        return text

    def _filling(self, value: str) -> str:
        return self.translate(value) if value.endswith(".") and " " in value else self.sentences.get(value, value)


ENGLISH = Catalog({})


def catalog(language: str) -> Catalog:
    """Return the catalogue of a language; an empty one for English and for languages that have none."""
    return _read(language) if language in LANGUAGES and language != "en" else ENGLISH


@cache
def _read(language: str) -> Catalog:
    text = files("wortlaut.localization").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return made_of({**tables["messages"], **tables["assembled"]})


def made_of(translations: Mapping[str, str]) -> Catalog:
    """Make a catalogue of templates and their translations."""
    whole = {_plain(source): _plain(target) for source, target in translations.items() if not _gaps(source)}
    gapped = [_template(source, target) for source, target in translations.items() if _gaps(source)]
    return Catalog(whole, sorted(gapped, key=lambda template: -template.literal_length))


def _template(source: str, target: str) -> _Template:
    if set(_gaps(source)) < set(_gaps(target)):
        raise ValueError(f"{target!r} has gaps that {source!r} has not")
    literals = [literal for literal, *_ in Formatter().parse(source)]
    parts = [re.escape(literal) + ("" if name is None else "(.*?)") for literal, name, *_ in Formatter().parse(source)]
    return _Template(re.compile("".join(parts), re.DOTALL), target, sum(map(len, literals)))


def _gaps(template: str) -> list[str]:
    return [name for _, name, *_ in Formatter().parse(template) if name is not None]


def _plain(template: str) -> str:
    return "".join(literal for literal, *_ in Formatter().parse(template))
