"""`wortlaut transcribe`: files and folders in, transcripts out, each as soon as it is ready."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from wortlaut.cli.asking import InstallationOptions, TranscriptOptions
from wortlaut.cli.decoding import SearchOptions
from wortlaut.cli.exits import exit_code
from wortlaut.cli.explaining import explain_decisions
from wortlaut.cli.grouping import grouped
from wortlaut.cli.output import find_media, prepare_folder, stems, write_whole
from wortlaut.cli.progress import described, progress_listener, say
from wortlaut.errors import Cancelled, WortlautError
from wortlaut.formats import FORMATS, Format, RenderOptions, get_format
from wortlaut.localization.choice import translator
from wortlaut.options import Options
from wortlaut.settings import Settings
from wortlaut.stages import Listener
from wortlaut.transcript import Transcript

Transcribe = Callable[[Path, Options, Listener], Transcript]

DEFAULT_FILES = "txt,srt,json"
"""What is written per file when nothing is said: for people, for players and for programs."""


@grouped
def transcribe(
    media: Annotated[list[Path], typer.Argument(help="Audio or video files, or folders of them.", metavar="MEDIA...")],
    wanted: TranscriptOptions,
    search: SearchOptions,
    installed: InstallationOptions,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", "-o", help="Folder for the results; one file without it: stdout.")
    ] = None,
    formats: Annotated[
        str | None, typer.Option("--format", "-f", help=f"Formats, comma-separated, or all: {', '.join(FORMATS)}.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say on stderr what was decided about each stretch, and why.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no warnings on stderr.")] = False,
) -> None:
    """Write down who said what, when."""
    options = wanted.options(search.decoding())
    settings = installed.settings()
    files = find_media(media)
    job = _Job(options, _target(files, output_dir, formats), is_quiet=quiet, explains=explain)
    raise typer.Exit(job.run(files, settings))


@dataclass(frozen=True, slots=True)
class _Target:
    """Where the results go: `folder` None is stdout, in the one format."""

    folder: Path | None
    formats: Sequence[Format]
    stems: Mapping[Path, str]

    def put(self, media: Path, transcript: Transcript) -> None:
        layout = RenderOptions(recording=media.name)
        if self.folder is None:
            sys.stdout.buffer.write(self.formats[0].render(transcript, layout))
            sys.stdout.buffer.flush()
            return
        for form in self.formats:
            write_whole(self.folder / f"{self.stems[media]}.{form.extension}", form.render(transcript, layout))


def _target(files: Sequence[Path], output_dir: Path | None, formats: str | None) -> _Target:
    to_stdout = output_dir is None and len(files) == 1 and "," not in (formats or "") and formats != "all"
    chosen = _formats(formats or ("txt" if to_stdout else DEFAULT_FILES))
    folder = None if to_stdout else output_dir or Path()
    if folder is not None:
        prepare_folder(folder)
    return _Target(folder, chosen, stems(files))


def _formats(text: str) -> list[Format]:
    if text == "all":
        for form in FORMATS.values():
            if not form.is_available:
                say(f"Left out: {form.name}, {form.description}.")
        return [form for form in FORMATS.values() if form.is_available]
    return [get_format(name.strip()) for name in text.split(",") if name.strip()]


@dataclass(frozen=True, slots=True)
class _Job:
    """All files of one call. One that fails does not keep the others from being done."""

    options: Options
    target: _Target
    is_quiet: bool
    explains: bool = False

    def run(self, files: Sequence[Path], settings: Settings) -> int:
        """Return the exit code: 0, or that of the first error."""
        from wortlaut.assembly import Transcriber  # noqa: PLC0415 the engines are not needed for --help

        with Transcriber(settings) as transcriber:
            codes = list(self._each(files, transcriber.transcribe))
        return next((code for code in codes if code), 0)

    def _each(self, files: Sequence[Path], transcribe_file: Transcribe) -> Iterator[int]:
        for media in files:
            try:
                with progress_listener(media.name, is_shown=not self.is_quiet) as listener:
                    transcript = transcribe_file(media, self.options, listener)
                self.target.put(media, transcript)
                self._report(media, transcript)
                yield 0
            except Cancelled:
                raise
            except WortlautError as error:
                say(f"{media}: {described(error)}")
                yield exit_code(error)

    def _report(self, media: Path, transcript: Transcript) -> None:
        if self.explains:
            explain_decisions(media.name, transcript.provenance.decisions)
        if self.is_quiet:
            return
        translate = translator().translate
        for notice in transcript.warnings:
            place = "" if notice.start is None else " " + translate(f"at {notice.start:.1f} s")
            say(f"{media}{place}: {translate(notice.message)} [{notice.code}]")
