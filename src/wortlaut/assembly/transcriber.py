"""`transcribe` and `Transcriber`: what programs call."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, Unpack

from wortlaut.assembly.factory import StageFactory
from wortlaut.assembly.own import own_pipeline
from wortlaut.assembly.provenance import UNIVERSAL_ALIGNER
from wortlaut.assembly.whisperx import whisperx_pipeline
from wortlaut.audio import Audio
from wortlaut.blas import one_blas_thread
from wortlaut.models.hub import HubAccess
from wortlaut.models.residency import Residency
from wortlaut.models.store import ModelStore
from wortlaut.numerals import check_digits
from wortlaut.options import (
    AlignerName,
    Channels,
    Decoding,
    Engine,
    Numerals,
    Options,
    Progress,
    Speakers,
    Task,
)
from wortlaut.pipeline import Pipeline
from wortlaut.recognition.languages import parse_language
from wortlaut.settings import Settings
from wortlaut.stages import Diarizer, Listener, ignore
from wortlaut.transcript import Transcript, Word


def transcribe(
    media: str | os.PathLike[str],
    *,
    speakers: Speakers | int | str | None = "auto",
    listener: Listener = ignore,
    **asked: Unpack[Asked],
) -> Transcript:
    """Return who said what, when.

    `speakers` is a `Speakers`, a number, or what the command line takes: "auto", "off", "2-4". The rest are the
    fields of `Options`. Models stay loaded for the next call; for control over that, and over devices and
    threads, make a `Transcriber`.
    """
    wanted = speakers if isinstance(speakers, Speakers) or speakers is None else Speakers.parse(str(speakers))
    return _shared_transcriber().transcribe(media, Options(speakers=wanted, **asked), listener)


def open_store(settings: Settings) -> ModelStore:
    """Return the models of this installation."""
    token = settings.hf_token.get_secret_value() if settings.hf_token else None
    hub = HubAccess.from_environment(os.environ, token=token)
    return ModelStore(settings.models_dir, is_offline=settings.is_offline, hub=hub)


class Asked(TypedDict, total=False):
    """The fields of `Options` as keywords, all but the speakers."""

    model: str
    language: str | None
    languages: tuple[str, ...]
    follows_switches: bool
    task: Task
    words: bool
    aligner: AlignerName
    align_model: str | None
    diarizer: str
    decoding: Decoding
    numerals: Numerals
    channels: Channels
    channel_labels: tuple[str, ...]
    engine: Engine


@cache
def _shared_transcriber() -> Transcriber:
    """The one behind `transcribe`: what people who call a function expect to stay warm."""
    return Transcriber()


class Transcriber:
    """Turns recordings into transcripts and keeps its models loaded between them.

    Close it, or use it in a `with` statement, to let go of the models. Safe to use from several threads.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._factory = StageFactory(self.settings, open_store(self.settings), Residency(self.settings.idle))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all models. A later call loads them again."""
        self._factory = replace(self._factory, residency=Residency(self.settings.idle))

    def fetch(self, model: str, listener: Listener = ignore) -> Path:
        """Return the folder of a model, after downloading it if it is not there."""
        return self._factory.store.fetch(model, listener=listener)

    def fetch_all(self, models: Sequence[str], listener: Listener = ignore) -> list[Path]:
        """Like `fetch` for several models, announced together."""
        return self._factory.store.fetch_all(models, listener=listener)

    def warm_up(self, options: Options, listener: Listener = ignore) -> None:
        """Fetch and load what a transcription with these options needs."""
        with ExitStack() as held:
            self._pipeline(options, held, listener)

    def transcribe(
        self, media: str | os.PathLike[str], options: Options | None = None, listener: Listener = ignore
    ) -> Transcript:
        """Return who said what, when.

        `listener` hears of every step and may raise `Cancelled` to stop. Raises `WortlautError`s only.
        """
        options = options or Options()
        if options.language:
            options = replace(options, language=parse_language(options.language))
        options = replace(options, languages=tuple(map(parse_language, options.languages)))
        with ExitStack() as held:
            return self._pipeline(options, held, listener).transcribe(Path(media), options, listener)

    def align(self, media: str | os.PathLike[str], text: str, language: str) -> list[Word]:
        """Return times for the words of a text that is known to be spoken in a recording of at most 30 s."""
        from wortlaut.alignment.whisper import WhisperAligner, align_text  # noqa: PLC0415

        with ExitStack() as held:
            aligner = WhisperAligner(self._factory.whisper(UNIVERSAL_ALIGNER, held))
            held.enter_context(one_blas_thread())
            return align_text(aligner, self._factory.decoder().decode(Path(media)), text, parse_language(language))

    @contextmanager
    def stages(
        self, options: Options, listener: Listener = ignore, *, batch_size: int | None = None
    ) -> Generator[Pipeline]:
        """Lend the warm stages of a transcription to a program that goes through them in its own way.

        `options.language` is not used: the recognizer is told with every call. `batch_size` takes the place of
        the settings'.
        """
        told = replace(options, follows_switches=False)
        with ExitStack() as held:
            yield self._pipeline(told, held, listener, batch_size)

    @contextmanager
    def diarizer(self, listener: Listener = ignore) -> Generator[Diarizer]:
        """Lend the warm diarizer alone."""
        segmentation, embedding = self._factory.store.fetch_all(["segmentation-3.0", "campplus"], listener=listener)
        with ExitStack() as held:
            diarizer = self._factory.diarizer(segmentation, embedding, held)
            held.enter_context(one_blas_thread())
            yield diarizer

    def decode(self, media: str | os.PathLike[str], listener: Listener = ignore) -> Audio:
        """Return the sound of a recording."""
        return self._factory.decoder().decode(Path(media), advance=lambda done: listener(Progress("decode", done, 0.0)))

    def _pipeline(
        self, options: Options, held: ExitStack, listener: Listener, batch_size: int | None = None
    ) -> Pipeline:
        if options.numerals == "digits":
            check_digits()  # before anything is loaded
        make = whisperx_pipeline if options.engine == "whisperx" else own_pipeline
        chosen = self.settings.batch_size if batch_size is None else batch_size
        return make(self._factory, options, held, listener, chosen)
