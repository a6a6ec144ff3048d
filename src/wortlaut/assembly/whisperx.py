"""whisperX's stages, put together behind the same seams, to compare."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wortlaut.assembly.factory import StageFactory
from wortlaut.assembly.own import decoding_of
from wortlaut.assembly.provenance import ctc_identity, identity, version, versions
from wortlaut.errors import ExtraMissing, InvalidOption, ModelError
from wortlaut.models.residency import Loaded
from wortlaut.native import preload_nvidia_libraries
from wortlaut.notice import Notice
from wortlaut.options import BUILT_IN, Options
from wortlaut.pipeline import Pipeline
from wortlaut.stages import Diarizer, Listener
from wortlaut.transcript import Provenance

if TYPE_CHECKING:
    from wortlaut.engines.whisperx.loading import WhisperxModel

_WHISPERX_PACKAGES = ("whisperx", "faster-whisper", "torch", "torchaudio", "pyannote.audio", "lightning")


def whisperx_pipeline(
    factory: StageFactory, options: Options, held: ExitStack, listener: Listener, batch_size: int
) -> Pipeline:
    """Return whisperX's stages. What it cannot have here is left out and said in the transcript.

    A CTC network that was asked for takes the place of its aligner. Raises `InvalidOption` for what it cannot do.
    """
    from wortlaut.engines.whisperx import aligning, loading, recognizing  # noqa: PLC0415

    if options.decoding.verbatim:
        raise InvalidOption(
            "whisperX cannot be led to keep fillers.", hint="Leave out --verbatim, or take --engine wortlaut."
        )
    loading.require_whisperx()
    folder = factory.store.fetch(options.model, listener=listener)
    diarizer, notices = _whisperx_diarizer(factory, options, held)
    model = _whisperx(factory, options, folder, held)
    aligner = aligning.WhisperxAligner(
        partial(aligning.load_alignment_model, device=model.device, is_offline=factory.settings.is_offline),
        substitute=lambda: factory.aligner(options, held, listener),
        device=model.device,
    )
    is_aligning = options.words and options.aligner != "ctc"
    return Pipeline(
        decoder=factory.decoder(),
        detector=recognizing.WhisperxDetector(model),
        pack=recognizing.WhisperxPacker(model),
        recognizer=recognizing.WhisperxRecognizer(
            model,
            options.task,
            batch_size or recognizing.BATCH_SIZE,
            lambda language: (*notices, *(aligner.notices(language) if is_aligning else ())),
        ),
        aligner=aligner if is_aligning else factory.aligner(options, held, listener),
        diarizer=diarizer,
        is_audited=False,
        provenance=Provenance(
            versions={**versions(), **versions(_WHISPERX_PACKAGES)},
            models={"recognition": identity(options.model, folder)} | ctc_identity(options),
            options=asdict(options),
            devices={"recognize": f"{model.device} {model.compute_type}", "rest": model.device},
        ),
    )


def _whisperx(factory: StageFactory, options: Options, folder: Path, held: ExitStack) -> WhisperxModel:
    from wortlaut.engines.whisperx.loading import load_model  # noqa: PLC0415
    from wortlaut.recognition.placement import available_cores  # noqa: PLC0415

    if factory.settings.device != "cpu":
        preload_nvidia_libraries()
    decoding = decoding_of(options)
    load = partial(
        load_model,
        folder,
        decoding=decoding,
        task=options.task,
        device=factory.settings.device,
        compute_type=factory.settings.compute_type,
        threads=factory.settings.threads or available_cores(),
    )
    key = ("whisperx", folder, options.task, decoding)
    return held.enter_context(factory.residency.hold(key, lambda: Loaded(load())))


def _whisperx_diarizer(
    factory: StageFactory, options: Options, held: ExitStack
) -> tuple[Diarizer | None, tuple[Notice, ...]]:
    """Return the pyannote pipeline that whisperX takes; a notice where it cannot be had and was not asked for."""
    notices = _not_whisperx(options)
    if not options.speakers:
        return None, notices
    if options.diarizer != BUILT_IN:
        return factory.pyannote(options.diarizer, held), notices
    name = "speaker-diarization-community-1" if (version("pyannote.audio") or "4") >= "4" else "speaker-diarization-3.1"
    try:
        return factory.pyannote(f"pyannote/{name}", held), notices
    except (ModelError, ExtraMissing) as error:
        message = f"whisperX's diarizer could not be had, so nobody is named: {error.message} {error.hint}"
        return None, (*notices, Notice("whisperx-diarization-skipped", message))


def _not_whisperx(options: Options) -> tuple[Notice, ...]:
    """Say which options whisperX knows nothing of."""
    if not options.languages:
        return ()
    return (Notice("whisperx-option-ignored", "whisperX detects among all languages: `languages` has no effect."),)
