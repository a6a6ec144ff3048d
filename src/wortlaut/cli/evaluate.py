"""`wortlaut eval`: how good and how expensive, on recordings whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wortlaut.errors import ExtraMissing
from wortlaut.localization.choice import translator
from wortlaut.native import use_one_arena
from wortlaut.settings import Settings

if TYPE_CHECKING:
    from wortlaut.evaluation.evaluate import SetResult
    from wortlaut.evaluation.observing import Subject, SubjectFactory
    from wortlaut.evaluation.plan import Plan
    from wortlaut.evaluation.sets import EvaluationSet


@dataclass(frozen=True, slots=True)
class MakeTranscriber:
    """Makes the real subject inside the measured process."""

    settings: Settings

    def __call__(self) -> Subject:
        from wortlaut.assembly import Transcriber  # noqa: PLC0415 loads the engines: only in the measured process

        use_one_arena()  # as the command line does
        return Transcriber(self.settings)


def evaluate(
    sets: Annotated[
        list[Path], typer.Argument(help="Folders with manifest.jsonl, or folders of them.", metavar="SET...")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout instead of tables.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many recordings a set, spread evenly.")] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="Whisper model, or a folder with one.")] = "base",
    detects_language: Annotated[
        bool,
        typer.Option(
            "--detect-language/--language-given", help="Let the model hear the language, or take the set's own."
        ),
    ] = False,
    speakers: Annotated[
        str,
        typer.Option(
            "--speakers",
            "-s",
            help="where-known: sets with true turns only; given: and say how many; or auto, off, a number, 2-4.",
        ),
    ] = "where-known",
    forced: Annotated[bool, typer.Option("--forced/--no-forced", help="Align the true text too.")] = True,
    threads: Annotated[int | None, typer.Option(min=0, help="Processor threads; 0: all cores.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Measure word errors, word times, speakers and cost on sets with ground truth."""
    try:
        from wortlaut.evaluation.evaluate import as_json as to_json  # noqa: PLC0415 needs the extra
        from wortlaut.evaluation.evaluate import load_sets  # noqa: PLC0415
        from wortlaut.evaluation.plan import Languages, Plan  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ExtraMissing(
            f"Measuring needs {error.name}, which is not installed.",
            hint="Install it with `pip install 'wortlaut[eval]'`.",
        ) from error
    languages = Languages.detect if detects_language else Languages.given
    plan = Plan(model, languages, speakers, aligns_true_text=forced)
    settings = Settings() if threads is None else Settings(threads=threads)
    results = measure(load_sets(sets, limit), MakeTranscriber(settings), plan, quiet=quiet)
    if as_json:
        print(json.dumps(to_json(results), ensure_ascii=False, indent=1, allow_nan=False))
    else:
        show(results)


def measure(
    loaded: Sequence[EvaluationSet], factory: SubjectFactory, plan: Plan, *, quiet: bool = False
) -> list[SetResult]:
    """Measure all sets with a bar on stderr."""
    from rich.console import Console  # noqa: PLC0415 not needed for other commands
    from rich.progress import Progress  # noqa: PLC0415

    from wortlaut.evaluation.evaluate import evaluate as evaluate_set  # noqa: PLC0415
    from wortlaut.evaluation.evaluate import steps  # noqa: PLC0415

    with Progress(console=Console(stderr=True), disable=quiet) as bar:
        results = []
        for entry in loaded:
            advance = _advance(bar, bar.add_task(entry.name, total=steps(entry, plan)))
            results.append(evaluate_set(entry, factory, plan, advance=advance))
        return results


def _advance(bar: Any, task: Any) -> Callable[[], None]:  # noqa: ANN401 rich is imported late
    return lambda: bar.advance(task)


def show(results: Sequence[SetResult]) -> None:
    """Print a table of the sets and one of the recordings of each."""
    from rich.console import Console  # noqa: PLC0415

    from wortlaut.evaluation.tables import NOTES, files_table, sets_tables  # noqa: PLC0415

    console = Console()
    for table in sets_tables(results):
        console.print(table)
    for result in results:
        console.print(files_table(result))
    console.print(translator().translate(NOTES), markup=False)
