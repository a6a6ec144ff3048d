"""`wortlaut compare`: several engines on one recording, side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wortlaut.cli.asking import DeviceName
from wortlaut.cli.output import find_media
from wortlaut.cli.progress import say
from wortlaut.comparison.differences import Agreement, Row, agreement, side_by_side
from wortlaut.comparison.running import Run, require_engines, run
from wortlaut.errors import InvalidOption, MediaNotFound
from wortlaut.formats import get_format
from wortlaut.formats.clock import clock, to_ms
from wortlaut.localization.choice import translator
from wortlaut.options import Speakers
from wortlaut.transcript import Transcript, Word

UNKNOWN = "?"


def compare(
    media: Annotated[Path, typer.Argument(help="An audio or video file.")],
    engines: Annotated[str, typer.Option(help="Two or more, comma-separated.")] = "wortlaut,whisperx",
    model: Annotated[str, typer.Option("--model", "-m", help="Whisper model for all of them.")] = "base",
    language: Annotated[str | None, typer.Option("--language", "-l", help="Detected when left out.")] = None,
    speakers: Annotated[str, typer.Option("--speakers", "-s", help="auto, off, a number, or a range 2-4.")] = "auto",
    device: Annotated[DeviceName | None, typer.Option(help="auto, cpu or cuda.")] = None,
    compute_type: Annotated[str | None, typer.Option(help="The same for all; left out: each engine's own.")] = None,
    threads: Annotated[int | None, typer.Option(min=0, help="Processor threads; 0: all cores.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write everything as JSON.")] = False,
) -> None:
    """Transcribe a recording with several engines and show texts, times, speakers and cost side by side.

    Each engine runs in a process of its own, one after the other. Ends with the exit code of the first that failed.
    """
    chosen = [name.strip() for name in engines.split(",") if name.strip()]
    require_engines(chosen)
    Speakers.parse(speakers)
    (file, *others) = find_media([media])
    if others:
        raise InvalidOption(f"{media} is a folder.", hint="Name one recording.")
    if not file.is_file():
        raise MediaNotFound(f"There is no file {file}.")
    values: dict[str, object] = {
        "model": model,
        "language": language,
        "speakers": speakers,
        "device": device and device.value,
    }
    values |= {"compute-type": compute_type, "threads": threads}
    arguments = [f"--{name}={value}" for name, value in values.items() if value is not None]
    runs = []
    for engine in chosen:
        say(f"{engine} ...")
        runs.append(run(engine, file, [*arguments, *(["--offline"] if offline else [])]))
    if as_json:
        sys.stdout.write(json.dumps(as_plain(file, runs), indent=2, ensure_ascii=False) + "\n")
    else:
        show(runs, Console(soft_wrap=False))
    raise typer.Exit(next((one.exit_code for one in runs if one.exit_code), 0))


def as_plain(media: Path, runs: Sequence[Run]) -> dict[str, Any]:
    """Return everything as JSON values: the transcripts in Wortlaut's own JSON."""
    first = runs[0].transcript
    return {
        "recording": media.name,
        "engines": [
            {
                "engine": one.engine,
                "exit_code": one.exit_code,
                "cost": asdict(one.cost),
                "transcript": one.transcript and json.loads(get_format("json").render(one.transcript)),
            }
            for one in runs
        ],
        "agreement": [
            {"engines": [runs[0].engine, other.engine], **_plain_agreement(agreement(first, other.transcript))}
            for other in runs[1:]
            if first and other.transcript
        ],
    }


def _plain_agreement(found: Agreement) -> dict[str, Any]:
    return {
        "words_in_common": found.words_in_common,
        "median_seconds_apart": found.apart,
        "same_speaker": found.same_speaker,
        "differences": [
            {"start": one.start, "words": [_text(one.first), _text(one.second)]} for one in found.differences
        ],
    }


def _text(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words).strip()


def show(runs: Sequence[Run], console: Console) -> None:
    """Draw the figures, then what the engines say of their results, then the texts side by side."""
    console.print(_figures(runs))
    for one in runs:
        for notice in one.transcript.warnings if one.transcript else ():
            said = translator().translate(notice.message)
            console.print(Text(f"\n{one.engine}: {said} [{notice.code}]"), soft_wrap=True)
    first = runs[0].transcript
    for other in runs[1:]:
        if first and other.transcript:
            found = agreement(first, other.transcript)
            console.print(Text(f"\n{_sentence(runs[0].engine, other.engine, found)}"), soft_wrap=True)
            console.print(_texts(runs[0].engine, other.engine, side_by_side(first, other.transcript)))


def _figures(runs: Sequence[Run]) -> Table:
    translate = translator().translate
    table = Table("", *(one.engine for one in runs), box=None, pad_edge=False)
    table.add_row(translate("time, s"), *(f"{one.cost.wall:.1f}" for one in runs))
    table.add_row(translate("processor time, s"), *(_number(one.cost.cpu, ".1f") for one in runs))
    table.add_row(translate("peak memory, MB"), *(_number(one.cost.peak_megabytes, ",.0f") for one in runs))
    for name, value in _FACTS:
        facts = (value(one.transcript) if one.transcript else "has failed" for one in runs)
        table.add_row(translate(name), *map(translate, facts))
    return table


_FACTS: tuple[tuple[str, Callable[[Transcript], str]], ...] = (
    ("language heard", lambda transcript: transcript.language),
    ("segments written", lambda transcript: str(len(transcript.segments))),
    ("words written", lambda transcript: str(len(transcript.words))),
    ("with measured times", lambda transcript: str(sum(word.source == "aligned" for word in transcript.words))),
    ("speakers named", lambda transcript: str(len(transcript.speakers)) if transcript.speakers else "nobody named"),
    ("warnings given", lambda transcript: str(len(transcript.warnings))),
)


def _number(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else format(value, form)


def _sentence(first: str, second: str, found: Agreement) -> str:
    translate = translator().translate
    places = translate("1 place" if len(found.differences) == 1 else f"{len(found.differences)} places")
    parts = [translate(f"{first} and {second}: {found.words_in_common} words in common, they differ in {places}")]
    if found.apart is not None:
        parts.append(translate(f"word starts {found.apart * 1000:.0f} ms apart (median)"))
    if found.same_speaker is not None:
        parts.append(translate(f"the same speaker for {found.same_speaker:.0%} of them"))
    return ", ".join(parts) + translate(". Differing words are in [brackets].")


def _texts(first: str, second: str, rows: Sequence[Row]) -> Table:
    table = Table(translator().translate("begins at"), first, second, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        start = (row.first or row.second)[0][0].start
        table.add_row(
            clock(to_ms(start), decimal_marker=".", shows_zero_hours=False), _cell(row.first), _cell(row.second)
        )
    return table


def _cell(words: Sequence[tuple[Word, bool]]) -> Text:
    """Write words with their speakers, where they are known and change; mark those that differ."""
    cell = Text()
    speaker = None
    for word, differs in words:
        if word.speaker and word.speaker != speaker:
            speaker = word.speaker
            cell.append(f" {speaker}:" if cell else f"{speaker}:", style="cyan")
        text = word.text.strip()
        gap = " " if cell and (word.text[:1].isspace() or cell.plain.endswith(":")) else ""
        cell.append(gap)
        cell.append(f"[{text}]" if differs else text, style="bold yellow" if differs else "")
    return cell
