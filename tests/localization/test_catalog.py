"""The catalogue of messages: looking sentences up, and that none is missing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.cli.app import app
from wortlaut.diagnosis.packages import KNOWN_BREAKS, KnownBreak
from wortlaut.diarization.pyannote.access import announcement as pyannote_announcement
from wortlaut.diarization.pyannote.files import HUB_PIPELINES
from wortlaut.engines.whisperx.aligning import announcement as whisperx_announcement
from wortlaut.errors import MediaNotFound, WortlautError
from wortlaut.localization.catalog import Catalog, catalog, made_of
from wortlaut.models.announcement import announcement
from wortlaut.models.catalog import find_entry
from wortlaut.models.entry import Role

GERMAN = catalog("de")
COMMAND = re.compile(r"`[^`]+`")
"""What is to be typed; it is the same in every language."""
GAP = re.compile(r"\{\d+\}")


def german_messages() -> dict[str, str]:
    text = files("wortlaut.localization").joinpath("de.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["messages"]


def assembled_messages() -> dict[str, str]:
    text = files("wortlaut.localization").joinpath("de.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["assembled"]


def test_every_sentence_has_its_german(english_sentences: frozenset[str]) -> None:
    assert english_sentences - set(german_messages()) == set()


def test_no_german_sentence_is_left_over(all_strings: frozenset[str]) -> None:
    assert {text for text in german_messages() if text not in all_strings} == set()


@pytest.mark.parametrize("source", sorted(german_messages()))
def test_a_translation_has_the_same_gaps_and_the_same_commands(source: str) -> None:
    target = german_messages()[source]
    assert sorted(GAP.findall(target)) == sorted(GAP.findall(source))
    assert sorted(COMMAND.findall(target)) == sorted(COMMAND.findall(source))


def test_the_source_is_read_for_what_it_says(english_sentences: frozenset[str]) -> None:
    """Who finds no sentences finds none missing."""
    assert "There is no such file." in english_sentences  # a class
    assert "Check the path; relative paths start at the current folder." in english_sentences  # its hint
    assert "{0} is empty." in english_sentences  # an f-string
    assert "Write the findings as JSON." in english_sentences  # an option's help


@pytest.mark.parametrize("known", KNOWN_BREAKS, ids=lambda known: known.effect)
def test_what_is_known_to_break_is_said_in_german(known: KnownBreak) -> None:
    """These sentences stand in a table, where the reading of the source does not look."""
    assert known.effect in german_messages()
    assert known.next_step in german_messages() or known.next_step.startswith("pip install ")


def test_a_sentence_is_translated() -> None:
    assert GERMAN.translate(MediaNotFound().message) == "Es gibt keine solche Datei."


def test_what_fills_a_gap_stays() -> None:
    assert GERMAN.translate("There is no file a (1).wav.") == "Es gibt keine Datei a (1).wav."


def test_gaps_may_change_places() -> None:
    assert made_of({"{0} of {1}": "von {1}: {0}"}).translate("two of three") == "von three: two"


def test_the_more_literal_template_wins() -> None:
    texts = made_of({"{0}: {1}": "{0} – {1}", "no {0}: it is {1}": "kein {0}, es ist {1}"})
    assert texts.translate("no way: it is late") == "kein way, es ist late"


def test_a_word_in_a_gap_is_translated_too() -> None:
    assert made_of({"{0}!": "{0}!", "none": "keine"}).translate("none!") == "keine!"


def test_a_sentence_in_a_gap_is_translated_too() -> None:
    texts = made_of(
        {"{0} Ask again tomorrow.": "{0} Fragen Sie morgen wieder.", "There is no {0}.": "Es gibt kein {0}."}
    )
    assert texts.translate("There is no net. Ask again tomorrow.") == "Es gibt kein net. Fragen Sie morgen wieder."


def test_braces_that_are_meant() -> None:
    texts = made_of({"{{{0}}} is no set": "{{{0}}} ist keine Menge", "{{}}": "leer"})
    assert texts.translate("{a} is no set") == "{a} ist keine Menge"
    assert texts.translate("{}") == "leer"


def test_what_is_unknown_stays_english() -> None:
    assert GERMAN.translate("Nobody has ever said this.") == "Nobody has ever said this."


@given(st.text())
def test_english_is_what_it_was(text: str) -> None:
    assert catalog("en").translate(text) == text
    assert Catalog({}).translate(text) == text


@given(st.text(alphabet=st.characters(exclude_characters="{}"), min_size=1))
def test_any_name_survives_in_a_gap(name: str) -> None:
    texts = made_of({"There is no model {0}.": "Es gibt kein Modell {0}."})
    assert texts.translate(f"There is no model {name}.") == f"Es gibt kein Modell {name}."


def test_a_translation_cannot_invent_a_gap() -> None:
    with pytest.raises(ValueError, match="has gaps"):
        made_of({"{0}": "{0} {1}"})


def test_every_command_has_german_help() -> None:
    """Of the tree of commands as it is, so that no way of writing an option down escapes."""

    def described(command: Any) -> Iterator[str]:
        yield from (text for each in (command, *command.params) if (text := getattr(each, "help", None)))
        for name, subcommand in getattr(command, "commands", {}).items():
            if name != "whisperx":  # says what whisperX says, in whisperX's words
                yield from described(subcommand)

    texts = set(described(typer.main.get_command(app)))
    assert len(texts) > 80
    assert {text for text in texts if GERMAN.translate(text) == text} == set()


@pytest.mark.parametrize("prefers_wheels", [False, True])
@pytest.mark.parametrize("role", get_args(Role))
def test_all_that_is_said_before_a_download_is_german_too(role: Role, prefers_wheels: bool) -> None:
    of_the_role = replace(find_entry("base"), role=role)
    for missing in ([of_the_role], [of_the_role, find_entry("campplus")]):
        text = announcement(missing, Path("/data/models"), prefers_wheels=prefers_wheels)
        lines = text.splitlines()
        assert len(lines) >= 6
        assert [line for line in lines if GERMAN.translate(line) == line] == []
        german = "\n".join(map(GERMAN.translate, lines))
        assert "base" in german
        assert not re.search(r"\b(from|without|recognition|sample)\b", german, re.IGNORECASE)


@pytest.mark.parametrize("kind", [WortlautError, *WortlautError.__subclasses__()])
def test_an_error_without_a_message_of_its_own_is_german_too(kind: type[WortlautError]) -> None:
    error = kind()
    assert GERMAN.translate(error.message) != error.message
    assert GERMAN.translate(error.hint) != error.hint


def test_what_pyannote_and_whisperx_fetch_is_said_in_german_too() -> None:
    said = [
        pyannote_announcement(next(iter(HUB_PIPELINES.values())), Path("/cache")),
        whisperx_announcement("de"),
    ]
    for line in "\n".join(said).splitlines():
        assert GERMAN.translate(line) != line
