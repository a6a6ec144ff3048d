"""Which language a reader gets."""

from __future__ import annotations

import pytest

from wortlaut.localization.choice import accepted, language_of, spoken


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "de_AT", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US", "LC_MESSAGES": "de"}, "de"),
        ({"LANG": "de_DE", "LC_ALL": ""}, "de"),
        ({"LANG": "de_DE", "WORTLAUT_LANG": "en"}, "en"),
        ({"LANG": "en_US", "WORTLAUT_LANG": "de"}, "de"),
    ],
)
def test_language_of_a_process(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        (["--lang", "de", "transcribe"], "de"),
        (["--lang=de"], "de"),
        (["-v", "--lang", "de"], "de"),
        (["--lang"], None),
        (["transcribe", "--lang", "de"], None),
        (["whisperx", "--lang", "de"], None),  # an abbreviation of --language there
        ([], None),
    ],
)
def test_language_of_a_command_line(arguments: list[str], language: str | None) -> None:
    assert spoken(arguments) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-CH, en;q=0.5", "de"),
        ("en;q=0.5, de;q=0.4", "en"),
        ("fr, de;q=0.3, en;q=0.2", "de"),
        ("fr", "en"),
        ("de;q=0", "en"),
        ("de;q=nonsense", "en"),
        ("*", "en"),
    ],
)
def test_language_of_a_request(header: str | None, language: str) -> None:
    assert accepted(header) == language


def test_a_request_without_a_wish_gets_the_language_of_the_service() -> None:
    assert accepted(None, "de") == "de"
    assert accepted("fr", "de") == "de"
    assert accepted("en", "de") == "en"
