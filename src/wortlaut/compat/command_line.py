"""The `whisperx` command: its flags, its files, its output; Wortlaut's stages, messages and exit codes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from wortlaut.compat.chunks import ChunkKeeper
from wortlaut.compat.flags import PROGRAM, build_parser, read_arguments
from wortlaut.compat.printing import ProgressPrinter, print_passage
from wortlaut.compat.request import Request, read_request
from wortlaut.compat.results import plain_result, render_json
from wortlaut.compat.whisperx.log_utils import get_logger, setup_logging
from wortlaut.errors import Cancelled, InvalidOption, WortlautError
from wortlaut.formats import get_format
from wortlaut.pipeline import Pipeline
from wortlaut.settings import Settings
from wortlaut.stages import Listener, ignore
from wortlaut.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Edge:
    """What the command line lends: how messages, files and exit codes are made there.

    `progress` gives, for a title, a listener for what takes long before the first result.
    """

    say: Callable[[str], None]
    prepare_folder: Callable[[Path], None]
    write: Callable[[Path, bytes], None]
    exit_code: Callable[[WortlautError], int]
    progress: Callable[[str], AbstractContextManager[Listener]]


def run(arguments: Sequence[str], edge: Edge) -> int:
    """Run one call and return its exit code: 0, or that of the first file that failed.

    Raises `WortlautError` where no file can be done; leaves with `SystemExit` on a wrong command line.
    """
    typed = read_arguments(arguments)
    try:
        request = read_request(typed)
    except InvalidOption as error:
        build_parser().error(error.message)
    setup_logging(request.log_level)
    for note in request.notes:
        edge.say(f"{PROGRAM}: {note}")
    edge.prepare_folder(request.output_dir)
    return _transcribe_all(request, edge)


def _transcribe_all(request: Request, edge: Edge) -> int:
    # The engines are not needed for --help.
    from wortlaut.assembly import Transcriber  # noqa: PLC0415
    from wortlaut.compat.detection import tuned_to  # noqa: PLC0415

    settings = Settings.model_validate(request.settings)
    with Transcriber(settings) as transcriber, ExitStack() as held:
        with edge.progress(request.options.model) as listener:
            pipeline = held.enter_context(transcriber.stages(request.options, listener))
        codes = list(_each(request, tuned_to(pipeline, request.listening), edge))
    return next((code for code in codes if code), 0)


def _each(request: Request, pipeline: Pipeline, edge: Edge) -> Iterator[int]:
    """Do one file after the other; what one could not do does not keep the others from being done."""
    logger = get_logger("whisperx.transcribe")
    for media, stem in output_stems(request.media).items():
        try:
            logger.info("Performing transcription...")
            transcript = _transcribe(media, request, pipeline)
            for name in request.formats:
                form = get_format(name)
                edge.write(request.output_dir / f"{stem}.{form.extension}", _content(name, media, transcript, request))
            _report(media, transcript, edge)
            yield 0
        except Cancelled:
            raise
        except WortlautError as error:
            logger.debug("%s failed", media, exc_info=error)
            edge.say(f"{media}: {error.message} [{error.code}]\n  {error.hint}")
            yield edge.exit_code(error)


def _transcribe(media: Path, request: Request, pipeline: Pipeline) -> Transcript:
    keeper = ChunkKeeper(pipeline.aligner, print_passage if request.is_verbose else ignore)
    listener = ProgressPrinter() if request.shows_progress else ignore
    transcript = replace(pipeline, aligner=keeper).transcribe(media, request.options, listener)
    return keeper.by_chunk(transcript) if request.resolution == "chunk" else transcript


def _content(name: str, media: Path, transcript: Transcript, request: Request) -> bytes:
    if name == "json":
        return render_json(plain_result(transcript, has_characters=request.has_characters))
    return get_format(name).render(transcript, replace(request.layout, recording=media.name))


def _report(media: Path, transcript: Transcript, edge: Edge) -> None:
    if not logging.getLogger("whisperx").isEnabledFor(logging.WARNING):
        return
    for notice in transcript.warnings:
        place = "" if notice.start is None else f" at {notice.start:.1f} s"
        edge.say(f"{media}{place}: {notice.message} [{notice.code}]")


def output_stems(media: Sequence[Path]) -> Mapping[Path, str]:
    """Give each file the name of its results: its own without the suffix, as in whisperX.

    Where whisperX would write two results over each other, the later one keeps its suffix (`talk.mp3.srt`) or
    gets a number. A file that is named twice is done once.
    """
    chosen: dict[Path, str] = {}
    for path in dict.fromkeys(media):
        candidates = [path.stem, path.name, *(f"{path.stem}.{number}" for number in range(2, len(media) + 2))]
        chosen[path] = next(name for name in candidates if name not in chosen.values())
    return chosen
