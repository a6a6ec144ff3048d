# ruff: noqa: INP001 - a script that prints
"""Score what the programs of a comparison heard with Wortlaut's own measures, the same for all.

    python bench/peers/score.py bench/results/peers-....json

The truth must lie beside the recordings, as in an evaluation set. Needs the `eval` extra.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from wortlaut.evaluation.evaluate import SetResult
from wortlaut.evaluation.observing import Cost, Observation, SetObservation
from wortlaut.evaluation.scoring import score
from wortlaut.evaluation.sets import Item, load_set
from wortlaut.evaluation.summary import summarize
from wortlaut.evaluation.tables import NOTES, sets_tables
from wortlaut.options import Options, Speakers
from wortlaut.transcript import Segment, Transcript, Turn, Word


def transcript(answer: Mapping[str, Any], item: Item) -> Transcript:
    """Make a transcript of a driver's answer; a program without word times gives one word: the text."""
    rows = answer.get("words") or [{"text": answer.get("text", ""), "start": 0.0, "end": item.duration}]
    words = tuple(Word(row["text"], row["start"], row["end"], speaker=row.get("speaker")) for row in rows)
    found = tuple(Turn(row["start"], row["end"], row["speaker"]) for row in answer.get("turns", ()))
    segments = tuple(Segment((word,), item.language or "en") for word in words)
    joined = (Segment(words, item.language or "en"),) if not any(word.speaker for word in words) else segments
    return Transcript(joined, found, item.language or "en", item.duration)


def scored(name: str, entry: Mapping[str, Any], items: Mapping[str, Item]) -> SetResult:
    """Score one program on the files that have a truth."""
    scores = []
    for answer in entry["files"]:
        item = items[Path(answer["file"]).stem]
        # What the program cannot do is no truth for it.
        known = Item(
            item.name,
            item.media,
            item.duration,
            item.language,
            item.text if answer.get("text") is not None else None,
            words=item.words if answer.get("words") else (),
            turns=item.turns if answer.get("turns") else (),
            utterances=item.utterances if answer.get("turns") and answer.get("words") else (),
        )
        spent = Cost(answer["stages"]["whole"]["cpu"], answer["stages"]["whole"]["wall"])
        options = Options(language=item.language, speakers=Speakers() if answer.get("turns") else None)
        scores.append(score(known, Observation(transcript(answer, item), cost=spent), options))
    load = Cost(entry["load_cpu"], entry["load_cpu"])
    figures = summarize(scores, SetObservation((), load, entry["peak_mb"]))
    return SetResult(name, figures, tuple(scores))


def scored_programs(file: Path) -> list[SetResult]:
    """Score every program of a comparison that gave an answer."""
    report = json.loads(file.read_text(encoding="utf-8"))
    folders = {Path(recording).parent for recording in report["about"]["files"]}
    items = {item.name: item for folder in folders for item in load_set(folder).items}
    return [scored(name, entry, items) for name, entry in report["programs"].items() if entry.get("files")]


def main() -> None:
    results = scored_programs(Path(sys.argv[1]))
    console = Console()
    for table in sets_tables(results):
        console.print(table)
    console.print(NOTES, markup=False)


if __name__ == "__main__":
    main()
