"""docs/formats.md names what there is and shows what it really looks like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wortlaut.formats import FORMATS
from wortlaut.subtitles.presets import PRESETS

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```(\w+)\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_its_section(name):
    assert f"\n## {name}\n" in PAGE


@pytest.mark.parametrize("name", [each for each in FORMATS if each not in ("docx", "html")])
def test_examples_are_parts_of_the_golden_files(name, golden):
    content = (golden / f"conversation.{FORMATS[name].extension}").read_text(encoding="utf-8")
    assert EXAMPLES[name].strip()
    assert EXAMPLES[name].rstrip() in content


def test_the_table_has_every_preset_with_its_lines():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")
    ]
    header, characters, lines, *_ = rows
    assert header[1:] == list(PRESETS)
    assert characters[1:] == [str(rules.max_line_chars) for rules in PRESETS.values()]
    assert lines[1:] == [str(rules.max_lines) for rules in PRESETS.values()]
