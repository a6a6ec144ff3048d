"""Figures as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from wortlaut.evaluation.evaluate import SetResult
from wortlaut.evaluation.summary import file_figures

NOTES = (
    "WER, CER, DER, cpWER and boundaries are percentages; [low-high] is the 95 % bootstrap interval over files.\n"
    "DER: overlapping speech scored; ±0.25 leaves a quarter of a second on each side of a true boundary unscored.\n"
    "Small sets: differences inside the intervals mean nothing."
)

SETS_ABREAST = 4
"""Sets that fit beside one another into 80 columns."""

SET_ROWS = {
    "files": "files",
    "audio s": "seconds",
    "WER": "wer",
    "CER": "cer",
    "words ≤50 ms": "boundary.within_50",
    "words ≤100 ms": "boundary.within_100",
    "forced ≤50 ms": "boundary_forced.within_50",
    "forced ≤100 ms": "boundary_forced.within_100",
    "DER": "der_0",
    "DER ±0.25": "der_25",
    "speakers": "speaker_count_right",
    "cpWER": "cpwer",
    "language right": "language_right",
    "speech left out": "uncovered_speech",
    "invented words": "hallucinated_words",
    "broken, refused": "broken_refused",
    "CPU-s/s": "cpu_per_second",
    "peak MB": "peak_mb",
}

FILE_COLUMNS = {
    "audio s": "seconds",
    "WER": "wer",
    "CER": "cer",
    "words ≤50": "boundary.within_50",
    "forced ≤50": "boundary_forced.within_50",
    "DER": "der_0",
    "DER ±0.25": "der_25",
    "cpWER": "cpwer",
    "invented": "hallucinated_words",
    "CPU s": "cpu_seconds",
    "error": "error",
}


def sets_tables(results: Sequence[SetResult]) -> list[Table]:
    """Return the figures as rows and the sets as columns, a few sets a table; figures that none has are left out."""
    chunks = [results[first : first + SETS_ABREAST] for first in range(0, len(results), SETS_ABREAST)]
    return [_sets_table(chunk) for chunk in chunks]


def _sets_table(results: Sequence[SetResult]) -> Table:
    rows = {label: [_set_cell(result.figures, name) for result in results] for label, name in SET_ROWS.items()}
    return _table("", [result.name for result in results], {label: row for label, row in rows.items() if any(row)})


def files_table(result: SetResult) -> Table:
    """Return one row a recording."""
    figures = {score.name: file_figures(score) for score in result.scores}
    rows = {name: [_text(entry.get(column)) for column in FILE_COLUMNS.values()] for name, entry in figures.items()}
    return _table(result.name, list(FILE_COLUMNS), rows)


def _table(title: str, columns: list[str], rows: dict[str, list[str]]) -> Table:
    table = Table(title=title or None, title_justify="left")
    table.add_column("")
    used = [index for index in range(len(columns)) if any(row[index] for row in rows.values())]
    for index in used:
        table.add_column(columns[index], justify="right")
    for name, row in rows.items():
        table.add_row(name, *(row[index] for index in used))
    return table


def _set_cell(figures: dict[str, Any], name: str) -> str:
    interval = figures["intervals"].get(name)
    value: Any = figures
    for part in name.split("."):
        value = value.get(part) if value else None
    return f"{_text(value)}\n[{interval[0]:.1f}-{interval[1]:.1f}]" if interval else _text(value)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if 0 < abs(value) < 1 else f"{value:.1f}"
    return "" if value is None else str(value).replace("[", r"\[")
