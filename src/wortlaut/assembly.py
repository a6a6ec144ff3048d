"""From options and settings to a pipeline: the only module that knows every implementation.

The engines are imported where they are first needed, so that `--help` and `import wortlaut` stay quick.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from wortlaut.alignment.heads import CHARACTER_HEADS, Head
from wortlaut.audio import Audio
from wortlaut.errors import ExtraMissing, InvalidOption, ModelError
from wortlaut.models.catalog import find_entry
from wortlaut.models.hub import HubAccess
from wortlaut.models.integrity import Manifest
from wortlaut.models.residency import Loaded, Residency
from wortlaut.models.store import ModelStore, local_folder
from wortlaut.native import preload_nvidia_libraries
from wortlaut.notice import Notice
from wortlaut.numerals import check_digits
from wortlaut.options import (
    BUILT_IN,
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
from wortlaut.stages import Aligner, Decoder, Diarizer, Listener, SpeechDetector, ignore
from wortlaut.transcript import Provenance, Transcript, Word

if TYPE_CHECKING:
    from wortlaut.engines.whisperx.loading import WhisperxModel
    from wortlaut.recognition.model import WhisperModel

UNIVERSAL_ALIGNER = "base"
"""The model that times the words of models whose own alignment heads nobody has searched for."""

_PYANNOTE_NAMES = {"pyannote": "pyannote/speaker-diarization-community-1"}
_WHISPERX_PACKAGES = ("whisperx", "faster-whisper", "torch", "torchaudio", "pyannote.audio", "lightning")
_PACKAGES = ("wortlaut", "ctranslate2", "onnxruntime", "tokenizers", "av", "numpy", "scipy")


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
        self._store = open_store(self.settings)
        self._residency = Residency(self.settings.idle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all models. A later call loads them again."""
        self._residency = Residency(self.settings.idle)

    def fetch(self, model: str, listener: Listener = ignore) -> Path:
        """Return the folder of a model, after downloading it if it is not there."""
        return self._store.fetch(model, listener=listener)

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
            aligner = WhisperAligner(self._whisper(UNIVERSAL_ALIGNER, held))
            return align_text(aligner, self._decoder().decode(Path(media)), text, parse_language(language))

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
        segmentation, embedding = self._store.fetch_all(["segmentation-3.0", "campplus"], listener=listener)
        with ExitStack() as held:
            yield self._diarizer(segmentation, embedding, held)

    def decode(self, media: str | os.PathLike[str], listener: Listener = ignore) -> Audio:
        """Return the sound of a recording."""
        return self._decoder().decode(Path(media), advance=lambda done: listener(Progress("decode", done, 0.0)))

    def _pipeline(
        self, options: Options, held: ExitStack, listener: Listener, batch_size: int | None = None
    ) -> Pipeline:
        if options.engine == "whisperx":
            return self._whisperx_pipeline(options, held, listener, batch_size)
        from wortlaut.recognition.recognizer import WhisperRecognizer  # noqa: PLC0415
        from wortlaut.speech.packing import pack  # noqa: PLC0415

        if options.numerals == "digits":
            check_digits()
        models = _models_for(options)
        folders = dict(zip(models, self._store.fetch_all(list(models.values()), listener=listener), strict=True))
        whisper = self._whisper(options.model, held)
        recognizer = partial(
            WhisperRecognizer,
            whisper,
            decoding=_decoding(options),
            task=options.task,
            batch_size=self.settings.batch_size if batch_size is None else batch_size,
            languages=options.languages,
            follows_switches=options.follows_switches and options.language is None,
        )
        return Pipeline(
            decoder=self._decoder(),
            detector=self._detector(folders["detection"], held),
            second_look=self._second_look(folders["detection"], held),
            pack=pack,
            recognizer=recognizer(),
            second_hearing=recognizer(draws=False),  # text by chance could not be added anyway
            aligner=self._aligner(options, held, listener),
            diarizer=self._chosen_diarizer(options, folders, held),
            provenance=Provenance(
                versions=_versions(),
                models={role: _identity(name, folders[role]) for role, name in models.items()} | _ctc_identity(options),
                options=asdict(options),
                devices={"recognize": f"{whisper.device} {whisper.compute_type}", "rest": "cpu"},
            ),
        )

    def _whisperx_pipeline(
        self, options: Options, held: ExitStack, listener: Listener, batch_size: int | None
    ) -> Pipeline:
        """Return whisperX's stages. What it cannot have here is left out and said in the transcript."""
        from wortlaut.engines.whisperx import aligning, loading, recognizing  # noqa: PLC0415

        loading.require_whisperx()
        folder = self._store.fetch(options.model, listener=listener)
        diarizer, notices = self._whisperx_diarizer(options, held)
        model = self._whisperx(options, folder, held)
        aligner = aligning.WhisperxAligner(
            partial(aligning.load_alignment_model, device=model.device, is_offline=self.settings.is_offline),
            substitute=lambda: self._aligner(options, held, listener),
            device=model.device,
        )
        asked = self.settings.batch_size if batch_size is None else batch_size
        return Pipeline(
            decoder=self._decoder(),
            detector=recognizing.WhisperxDetector(model),
            pack=recognizing.WhisperxPacker(model),
            recognizer=recognizing.WhisperxRecognizer(
                model,
                options.task,
                asked or recognizing.BATCH_SIZE,
                lambda language: (*notices, *(aligner.notices(language) if options.words else ())),
            ),
            aligner=aligner if options.words else self._aligner(options, held, listener),
            diarizer=diarizer,
            is_audited=False,
            provenance=Provenance(
                versions={**_versions(), **_versions(_WHISPERX_PACKAGES)},
                models={"recognition": _identity(options.model, folder)},
                options=asdict(options),
                devices={"recognize": f"{model.device} {model.compute_type}", "rest": model.device},
            ),
        )

    def _whisperx(self, options: Options, folder: Path, held: ExitStack) -> WhisperxModel:
        from wortlaut.engines.whisperx.loading import load_model  # noqa: PLC0415
        from wortlaut.recognition.placement import available_cores  # noqa: PLC0415

        if self.settings.device != "cpu":
            preload_nvidia_libraries()
        load = partial(
            load_model,
            folder,
            decoding=options.decoding,
            task=options.task,
            device=self.settings.device,
            compute_type=self.settings.compute_type,
            threads=self.settings.threads or available_cores(),
        )
        key = ("whisperx", folder, options.task, options.decoding)
        return held.enter_context(self._residency.hold(key, lambda: Loaded(load())))

    def _whisperx_diarizer(self, options: Options, held: ExitStack) -> tuple[Diarizer | None, tuple[Notice, ...]]:
        """Return the pyannote pipeline that whisperX takes; a notice where it cannot be had and was not asked for."""
        notices = _not_whisperx(options)
        if not options.speakers:
            return None, notices
        if options.diarizer != BUILT_IN:
            return self._pyannote(options.diarizer, held), notices
        name = (
            "speaker-diarization-community-1"
            if (_version("pyannote.audio") or "4") >= "4"
            else "speaker-diarization-3.1"
        )
        try:
            return self._pyannote(f"pyannote/{name}", held), notices
        except (ModelError, ExtraMissing) as error:
            message = f"whisperX's diarizer could not be had, so nobody is named: {error.message} {error.hint}"
            return None, (*notices, Notice("whisperx-diarization-skipped", message))

    def _decoder(self) -> Decoder:
        from wortlaut.media.decoder import PyavDecoder  # noqa: PLC0415

        return PyavDecoder(spool_dir=self.settings.spool_dir)

    def _detector(self, folder: Path, held: ExitStack) -> SpeechDetector:
        from wortlaut.speech.silero import SileroDetector  # noqa: PLC0415

        load = partial(SileroDetector, folder / "silero_vad_16k_sequence.onnx")
        return held.enter_context(self._residency.hold(("detection", folder), lambda: Loaded(load())))

    def _second_look(self, folder: Path, held: ExitStack) -> SpeechDetector:
        from wortlaut.speech.regions import SECOND_LOOK  # noqa: PLC0415
        from wortlaut.speech.silero import SileroDetector  # noqa: PLC0415

        load = partial(SileroDetector, folder / "silero_vad_16k_sequence.onnx", thresholds=SECOND_LOOK)
        return held.enter_context(self._residency.hold(("second look", folder), lambda: Loaded(load())))

    def _whisper(self, model: str, held: ExitStack) -> WhisperModel:
        from wortlaut.recognition.model import WhisperModel  # noqa: PLC0415

        if self.settings.device != "cpu":
            preload_nvidia_libraries()
        folder = self._store.fetch(model)
        load = partial(
            WhisperModel.load,
            folder,
            device=self.settings.device,
            compute_type=self.settings.compute_type,
            workers=self.settings.threads,
            threads=1 if self.settings.threads else 0,
            alignment_heads=_character_heads(model),
        )
        size_bytes = (folder / "model.bin").stat().st_size
        return held.enter_context(self._residency.hold(("whisper", folder), lambda: Loaded(load(), size_bytes)))

    def _aligner(self, options: Options, held: ExitStack, listener: Listener) -> Aligner:
        from wortlaut.alignment.spreading import SpreadingAligner  # noqa: PLC0415
        from wortlaut.alignment.whisper import WhisperAligner  # noqa: PLC0415

        if not options.words:
            return SpreadingAligner()
        if options.aligner == "ctc":
            return self._ctc_aligner(options, held, listener)
        return WhisperAligner(self._whisper(_aligning_model(options), held))

    def _ctc_aligner(self, options: Options, held: ExitStack, listener: Listener) -> Aligner:
        """Return the aligner; each language's network is fetched and loaded when it is first needed.

        What is known to be needed is loaded now, so that what is missing is said before anything runs.
        """
        from wortlaut.alignment.ctc import CtcAligner, CtcModel  # noqa: PLC0415
        from wortlaut.alignment.ctc_catalog import find_ctc_model  # noqa: PLC0415
        from wortlaut.models.ctc import fetch_ctc_folder, load_ctc_model  # noqa: PLC0415
        from wortlaut.recognition.placement import available_cores  # noqa: PLC0415

        @cache
        def load(name: str) -> CtcModel:
            folder = fetch_ctc_folder(self._store, name, listener=listener)
            threads = self.settings.threads or available_cores()
            loading = partial(load_ctc_model, folder, device=self.settings.device, threads=threads)
            return held.enter_context(self._residency.hold(("ctc", folder), lambda: Loaded(loading())))

        def model_of(language: str) -> CtcModel | None:
            name = find_ctc_model(language, options.align_model)
            return load(name) if name else None

        expected = options.language or ("" if options.align_model else None)
        if expected is not None and model_of(expected) is None:
            raise InvalidOption(
                f"No CTC network is known that aligns {expected}.",
                hint="Name one with --align-model, or leave out --aligner: Whisper's own attention does them all.",
            )
        return CtcAligner(model_of)

    def _chosen_diarizer(self, options: Options, folders: Mapping[str, Path], held: ExitStack) -> Diarizer | None:
        if not options.speakers:
            return None
        if options.diarizer == BUILT_IN:
            return self._diarizer(folders["segmentation"], folders["embedding"], held)
        return self._pyannote(options.diarizer, held)

    def _pyannote(self, pipeline: str, held: ExitStack) -> Diarizer:
        """Return a pyannote pipeline. What is missing (extra, token, terms) is said before anything runs."""
        from wortlaut.diarization.pyannote.access import PipelineAccess  # noqa: PLC0415
        from wortlaut.diarization.pyannote.diarizer import PyannoteDiarizer  # noqa: PLC0415
        from wortlaut.diarization.pyannote.token import find_token  # noqa: PLC0415

        settings = self.settings
        token = find_token(settings.hf_token.get_secret_value() if settings.hf_token else None)
        access = PipelineAccess(_PYANNOTE_NAMES.get(pipeline, pipeline), token, is_offline=settings.is_offline)
        access.preflight()
        load = partial(PyannoteDiarizer, access.fetch(), device=settings.device)
        return held.enter_context(self._residency.hold(("pyannote", pipeline), lambda: Loaded(load())))

    def _diarizer(self, segmentation: Path, embedding: Path, held: ExitStack) -> Diarizer:
        from wortlaut.diarization.clustered import ClusteringDiarizer  # noqa: PLC0415
        from wortlaut.recognition.placement import available_cores  # noqa: PLC0415

        load = partial(
            ClusteringDiarizer,
            segmentation / "segmentation.onnx",
            embedding / "campplus.onnx",
            threads=self.settings.threads or available_cores(),
        )
        return held.enter_context(
            self._residency.hold(("diarization", segmentation, embedding), lambda: Loaded(load()))
        )


def _decoding(options: Options) -> Decoding:
    """Numbers are written as words by a model that may not write digits, so that each word is timed by itself."""
    return replace(options.decoding, suppress_numerals=True) if options.numerals == "words" else options.decoding


def _models_for(options: Options) -> dict[str, str]:
    """Return which model each role takes."""
    models = {"recognition": options.model, "detection": "silero-vad"}
    if options.words and options.aligner == "whisper":
        models["alignment"] = _aligning_model(options)
    if options.speakers and options.diarizer == BUILT_IN:
        models |= {"segmentation": "segmentation-3.0", "embedding": "campplus"}
    return models


def _aligning_model(options: Options) -> str:
    return options.model if _character_heads(options.model) else UNIVERSAL_ALIGNER


def _ctc_identity(options: Options) -> dict[str, Mapping[str, str]]:
    """Name the network that aligns; with none asked for, each language has its own."""
    if not options.words or options.aligner != "ctc":
        return {}
    return {"alignment": {"name": options.align_model or "the usual CTC network of each language"}}


def _character_heads(model: str) -> tuple[Head, ...] | None:
    """Return the heads that follow characters, None for a model without known ones, such as a user's own folder."""
    if local_folder(model):
        return None
    return CHARACTER_HEADS.get(find_entry(model).folder)


def _identity(name: str, folder: Path) -> Mapping[str, str]:
    """Return name and checksums of a model; a folder of the user's own has none on record."""
    manifest = Manifest.read(folder)
    return {"name": name} | ({file: record.sha256 for file, record in manifest.files.items()} if manifest else {})


def _not_whisperx(options: Options) -> tuple[Notice, ...]:
    """Say which options whisperX knows nothing of."""
    if not options.languages:
        return ()
    return (Notice("whisperx-option-ignored", "whisperX detects among all languages: `languages` has no effect."),)


def _versions(packages: Sequence[str] = _PACKAGES) -> Mapping[str, str]:
    """Return the versions of the packages that are installed."""
    return {package: found for package in packages if (found := _version(package))}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
