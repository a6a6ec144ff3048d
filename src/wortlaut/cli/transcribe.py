"""`wortlaut transcribe`: files and folders in, transcripts out, each as soon as it is ready."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from wortlaut.cli.decoding import (
    BeamSize,
    BestOf,
    CompressionRatio,
    LengthPenalty,
    Logprob,
    NoSpeech,
    Patience,
    SuppressNumerals,
    SuppressTokens,
    Temperature,
    TemperatureStep,
    given,
    suppressed,
    temperatures,
)
from wortlaut.cli.exits import exit_code
from wortlaut.cli.explaining import explain_decisions
from wortlaut.cli.output import find_media, prepare_folder, stems, write_whole
from wortlaut.cli.progress import progress_listener, say
from wortlaut.errors import Cancelled, WortlautError
from wortlaut.formats import FORMATS, Format, RenderOptions, get_format
from wortlaut.options import BUILT_IN, Decoding, Options, Speakers
from wortlaut.recognition.languages import parse_language
from wortlaut.settings import Settings
from wortlaut.stages import Listener
from wortlaut.transcript import Transcript

Transcribe = Callable[[Path, Options, Listener], Transcript]

DEFAULT_FILES = "txt,srt,json"
"""What is written per file when nothing is said: for people, for players and for programs."""


class TaskName(Enum):
    """What to write down: what is said, or an English translation of it."""

    transcribe = "transcribe"
    translate = "translate"


class AlignerName(Enum):
    """What measures the times of words: Whisper's own attention, or a CTC network."""

    whisper = "whisper"
    ctc = "ctc"


class DeviceName(Enum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def transcribe(
    media: Annotated[list[Path], typer.Argument(help="Audio or video files, or folders of them.", metavar="MEDIA...")],
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", "-o", help="Folder for the results; one file without it: stdout.")
    ] = None,
    formats: Annotated[
        str | None, typer.Option("--format", "-f", help=f"Formats, comma-separated, or all: {', '.join(FORMATS)}.")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="Whisper model, or a folder with one.")] = "base",
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="Code or English name; detected when left out.")
    ] = None,
    languages: Annotated[
        str | None, typer.Option(help="Languages that may be detected, comma-separated; all when left out.")
    ] = None,
    switching: Annotated[
        bool, typer.Option("--switching/--one-language", help="Follow a recording into another language.")
    ] = True,
    speakers: Annotated[str, typer.Option("--speakers", "-s", help="auto, off, a number, or a range 2-4.")] = "auto",
    diarizer: Annotated[
        str, typer.Option(help="built-in, pyannote, or the name or folder of a pyannote pipeline.")
    ] = BUILT_IN,
    task: Annotated[TaskName, typer.Option(help="transcribe, or translate into English.")] = TaskName.transcribe,
    words: Annotated[bool, typer.Option("--words/--no-words", help="Measure a time for every word.")] = True,
    aligner: Annotated[
        AlignerName, typer.Option(help="What times words: Whisper's own attention, or a CTC network.")
    ] = AlignerName.whisper,
    align_model: Annotated[
        str | None, typer.Option(help="A CTC network, by hub name or folder; means --aligner ctc.")
    ] = None,
    initial_prompt: Annotated[str | None, typer.Option(help="Style and spelling to follow.")] = None,
    hotwords: Annotated[str | None, typer.Option(help="Names and terms to expect.")] = None,
    beam_size: BeamSize = 5,
    best_of: BestOf = 5,
    patience: Patience = 1.0,
    length_penalty: LengthPenalty = 1.0,
    temperature: Temperature = 0.0,
    temperature_increment_on_fallback: TemperatureStep = 0.2,
    compression_ratio_threshold: CompressionRatio = 2.4,
    logprob_threshold: Logprob = -1.0,
    no_speech_threshold: NoSpeech = 0.6,
    suppress_tokens: SuppressTokens = "-1",
    suppress_numerals: SuppressNumerals = False,
    device: Annotated[DeviceName | None, typer.Option(help="auto, cpu or cuda.")] = None,
    compute_type: Annotated[str | None, typer.Option(help="int8, float16, float32 ...; auto fits the device.")] = None,
    threads: Annotated[int | None, typer.Option(min=0, help="Processor threads; 0: all cores.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=0, help="Windows recognized at once; 0: fits the device.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say on stderr what was decided about each stretch, and why.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no warnings on stderr.")] = False,
) -> None:
    """Write down who said what, when."""
    options = Options(
        model=model,
        language=language,
        languages=tuple(parse_language(code) for code in (languages or "").split(",") if code.strip()),
        follows_switches=switching,
        task=task.value,
        words=words,
        aligner="ctc" if align_model else aligner.value,
        align_model=align_model,
        speakers=Speakers.parse(speakers),
        diarizer=diarizer,
        decoding=Decoding(
            beam_size=beam_size,
            best_of=best_of,
            patience=patience,
            length_penalty=length_penalty,
            temperatures=temperatures(temperature, given(temperature_increment_on_fallback)),
            compression_ratio_threshold=given(compression_ratio_threshold),
            logprob_threshold=given(logprob_threshold),
            no_speech_threshold=given(no_speech_threshold),
            suppress_tokens=suppressed(suppress_tokens),
            suppress_numerals=suppress_numerals,
            initial_prompt=initial_prompt,
            hotwords=hotwords,
        ),
    )
    installed = {
        "device": device and device.value,
        "compute_type": compute_type,
        "threads": threads,
        "batch_size": batch_size,
    }
    settings = _settings({**installed, "is_offline": offline or None})
    files = find_media(media)
    job = _Job(options, _target(files, output_dir, formats), is_quiet=quiet, explains=explain)
    raise typer.Exit(job.run(files, settings))


def _settings(wanted: Mapping[str, object]) -> Settings:
    """What was said on the command line beats environment and file; what was not said is left to them."""
    return Settings.model_validate({name: value for name, value in wanted.items() if value is not None})


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
                say(f"{media}: {error.message} [{error.code}]\n  {error.hint}")
                yield exit_code(error)

    def _report(self, media: Path, transcript: Transcript) -> None:
        if self.explains:
            explain_decisions(media.name, transcript.provenance.decisions)
        if self.is_quiet:
            return
        for notice in transcript.warnings:
            place = "" if notice.start is None else f" at {notice.start:.1f} s"
            say(f"{media}{place}: {notice.message} [{notice.code}]")
