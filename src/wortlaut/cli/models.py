"""`wortlaut models`: what is there, what can be fetched, and what is in a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from wortlaut import options
from wortlaut.cli.progress import say
from wortlaut.errors import MediaNotFound, ModelCorrupt, ModelMissing
from wortlaut.localization.choice import translator
from wortlaut.models.bundle import import_bundle, write_bundle
from wortlaut.models.catalog import DEFAULT_MODELS, MODELS
from wortlaut.models.checkpoint import CheckpointReport, inspect
from wortlaut.models.integrity import sha256_of
from wortlaut.models.keeping import INT8_PARTS, discard_damaged
from wortlaut.models.store import ModelStore
from wortlaut.stages import Listener

app = typer.Typer(help="Fetch, check and look into models.", no_args_is_help=True)

INSPECT_EXIT_CODES = {"harmless": 0, "unknown": 3, "dangerous": 4}
"""What `inspect` tells a script."""

_MOST_TENSORS_SHOWN = 20
_PLAIN_STEP_BYTES = 50_000_000  # without a terminal, a line each


def store_from_settings() -> ModelStore:
    """Return the store of this installation."""
    from wortlaut.assembly import open_store  # noqa: PLC0415  (an edge makes its settings when it runs)
    from wortlaut.settings import Settings  # noqa: PLC0415

    return open_store(Settings())


@app.command("list")
def list_models() -> None:
    """List the models that Wortlaut knows, and which of them are on this machine."""
    store = store_from_settings()
    there = {model.name for model in store.installed()}
    translate = translator().translate
    *titles, yes = translate("model, for, licence, size, here, yes").split(", ")
    table = Table(*titles, box=None, pad_edge=False)
    for entry in MODELS:
        size = f"{entry.size_bytes / 1e6:,.0f} MB"
        is_here = yes if entry.name in there else ""
        table.add_row(entry.name, translate(entry.role), entry.licence, size, is_here)
    for name in sorted(there - {entry.name for entry in MODELS}):
        table.add_row(name, "", "", "", yes)
    Console(soft_wrap=True).print(table)


@app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Names, or hub ids such as org/name.")] = None,
) -> None:
    """Fetch models, by default those that a transcription with speakers needs; replace damaged ones."""
    store = store_from_settings()
    wanted = names or list(DEFAULT_MODELS)
    for name in wanted:
        _remove_if_damaged(store, name)
    with _shown_progress() as listener:
        folders = store.fetch_all(wanted, listener=listener)
    for name, folder in zip(wanted, folders, strict=True):
        _take_apart(folder)
        print(f"{name}: {folder}")


def _take_apart(folder: Path) -> None:
    """Make now what the first start would make: an image's models cannot be written to later."""
    from wortlaut.models.whisper_int8 import int8_parts  # loads the engines  # noqa: PLC0415

    if (folder / "model.bin").is_file():
        with suppress(ModelCorrupt):  # its checksum is right: whoever loads it says what is wrong
            int8_parts(folder)


def _remove_if_damaged(store: ModelStore, name: str) -> None:
    try:
        store.find(name)
    except ModelCorrupt as error:
        say(f"{error.message} It is fetched again.")
        store.remove(name)


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names; by default all that are on this machine.")] = None,
) -> None:
    """Hash every file again and compare with what it should be."""
    store, translate = store_from_settings(), translator().translate
    for name in names or [model.name for model in store.installed()]:
        if discard_damaged(store.verify(name) / INT8_PARTS):
            say(f"{name}: what was made of it for int8 was damaged; it is made again.")
        print(translate(f"{name}: sound"))


@app.command()
def remove(names: Annotated[list[str], typer.Argument(help="Names.")]) -> None:
    """Delete models from this machine."""
    store, translate = store_from_settings(), translator().translate
    for name in names:
        print(translate(f"{name}: removed" if store.remove(name) else f"{name}: was not there"))


@app.command()
def path(name: Annotated[str, typer.Argument(help="A name.")]) -> None:
    """Print the folder of a model."""
    store = store_from_settings()
    folder = store.find(name)
    if folder is None:
        raise ModelMissing(
            f"{name} is not on this machine.", hint=f"Fetch it once, with a connection: `wortlaut models pull {name}`."
        )
    print(folder)


@app.command("bundle")
def bundle_models(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write, such as models.tar.")],
    names: Annotated[list[str] | None, typer.Argument(help="Names, or hub ids such as org/name.")] = None,
) -> None:
    """Write models into one file for a machine without a network, by default those that pull fetches by default."""
    store = store_from_settings()
    wanted = names or list(DEFAULT_MODELS)
    with _shown_progress() as listener:
        store.fetch_all(wanted, listener=listener)
        write_bundle(store, wanted, output, listener=listener)
    print(f"{output}: {', '.join(wanted)}; {output.stat().st_size / 1e6:,.0f} MB, SHA-256 {sha256_of(output)}")


@app.command("import")
def import_models(file: Annotated[Path, typer.Argument(help="What `wortlaut models bundle` wrote.")]) -> None:
    """Take the models out of a bundle, each after a check of every file; those that are here and sound are kept."""
    with _shown_progress() as listener:
        imported = import_bundle(store_from_settings(), file, listener=listener)
    translate = translator().translate
    for model in imported:
        print(f"{model.name}: {model.folder}" if model.is_new else translate(f"{model.name}: was here already"))


@app.command("inspect")
def inspect_file(
    file: Annotated[Path, typer.Argument(help="A checkpoint or another model file, from anywhere.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say what is in a model file and what loading it could do, without loading it.

    Exit code 0: harmless. 3: names something unknown, or could not be looked into. 4: dangerous.
    """
    if not file.is_file():
        raise MediaNotFound(f"There is no file {file}.")
    report = inspect(file)
    if as_json:
        print(json.dumps({"verdict": report.verdict, **asdict(report)}, indent=2))
    else:
        _show(report)
    raise typer.Exit(INSPECT_EXIT_CODES[report.verdict])


def _show(report: CheckpointReport) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    translate = translator().translate
    console.print(f"{translate(report.format)}, {report.size_bytes:,} bytes: {translate(report.verdict)}")
    for problem in report.problems:
        console.print(f"! {translate(problem)}")
    if report.globals:
        console.print("\n" + translate("Loading it imports"))
        for named in sorted(report.globals, key=lambda named: (-INSPECT_EXIT_CODES[named.verdict], named.name)):
            console.print(f"  {translate(named.verdict):10} {named.name}")
    if report.tensors:
        console.print("\n" + translate(f"{len(report.tensors)} tensors"))
        for tensor in report.tensors[:_MOST_TENSORS_SHOWN]:
            console.print(f"  {tensor.name}  {tensor.dtype}  {list(tensor.shape)}")
        if len(report.tensors) > _MOST_TENSORS_SHOWN:
            console.print(f"  {translate('... --json lists them all')}")


@contextmanager
def _shown_progress() -> Iterator[Listener]:
    """Show progress on stderr: as bars on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield _PlainProgress()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def listen(progress: options.Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total or None)

        yield listen


class _PlainProgress:
    """Prints where each stage begins and each 50 MB after that."""

    def __init__(self) -> None:
        self._next_bytes: dict[str, float] = {}

    def __call__(self, progress: options.Progress) -> None:
        if progress.done < self._next_bytes.get(progress.stage, 0):
            return
        self._next_bytes[progress.stage] = progress.done + _PLAIN_STEP_BYTES
        typer.echo(f"{progress.stage}: {progress.done / 1e6:,.0f} of {progress.total / 1e6:,.0f} MB", err=True)
