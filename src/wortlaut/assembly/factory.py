"""One implementation at a time: loaded when it is first needed, and kept in memory for whoever asks next.

The engines are imported where they are made, so that `--help` and `import wortlaut` stay quick. What is made is held
by the caller's `ExitStack` for as long as it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from wortlaut.assembly.provenance import aligning_model, character_heads
from wortlaut.errors import InvalidOption
from wortlaut.models.residency import Loaded, Residency
from wortlaut.models.store import ModelStore
from wortlaut.native import preload_nvidia_libraries
from wortlaut.options import BUILT_IN, Options
from wortlaut.settings import Settings
from wortlaut.stages import Aligner, Decoder, Diarizer, Listener, SpeechDetector

if TYPE_CHECKING:
    from wortlaut.recognition.model import WhisperModel

_SILERO = "silero_vad_16k_sequence.onnx"
_PYANNOTE_NAMES = {"pyannote": "pyannote/speaker-diarization-community-1"}


@dataclass(frozen=True, slots=True)
class StageFactory:
    """Makes stages for one installation."""

    settings: Settings
    store: ModelStore
    residency: Residency

    def decoder(self) -> Decoder:
        from wortlaut.media.decoder import PyavDecoder  # noqa: PLC0415

        return PyavDecoder(spool_dir=self.settings.spool_dir)

    def detector(self, detection: Path, segmentation: Path, held: ExitStack) -> SpeechDetector:
        from wortlaut.speech.silero import SileroDetector  # noqa: PLC0415
        from wortlaut.speech.two_detectors import TwoDetectors  # noqa: PLC0415

        load = partial(SileroDetector, detection / _SILERO)
        first = held.enter_context(self.residency.hold(("detection", detection), lambda: Loaded(load())))
        return TwoDetectors(first, self._voice_activity(segmentation, held))

    def second_look(self, detection: Path, segmentation: Path, held: ExitStack) -> SpeechDetector:
        from wortlaut.speech.regions import SECOND_LOOK  # noqa: PLC0415
        from wortlaut.speech.silero import SileroDetector  # noqa: PLC0415
        from wortlaut.speech.two_detectors import AnyDetector  # noqa: PLC0415

        load = partial(SileroDetector, detection / _SILERO, thresholds=SECOND_LOOK)
        strict = held.enter_context(self.residency.hold(("second look", detection), lambda: Loaded(load())))
        return AnyDetector((strict, self._voice_activity(segmentation, held)))

    def _voice_activity(self, segmentation: Path, held: ExitStack) -> SpeechDetector:
        from wortlaut.diarization.voice_activity import SegmentationDetector  # noqa: PLC0415
        from wortlaut.recognition.placement import available_cores  # noqa: PLC0415

        load = partial(
            SegmentationDetector, segmentation / "segmentation.onnx", threads=self.settings.threads or available_cores()
        )
        return held.enter_context(self.residency.hold(("voice activity", segmentation), lambda: Loaded(load())))

    def whisper(self, model: str, held: ExitStack) -> WhisperModel:
        from wortlaut.models.whisper_int8 import int8_parts  # noqa: PLC0415
        from wortlaut.recognition.model import WhisperModel  # noqa: PLC0415

        if self.settings.device != "cpu":
            preload_nvidia_libraries()
        folder, heads = self.store.fetch(model), character_heads(model)
        load = partial(
            WhisperModel.load,
            folder,
            device=self.settings.device,
            compute_type=self.settings.compute_type,
            workers=self.settings.threads,
            threads=1 if self.settings.threads else 0,
            alignment_heads=heads,
            take_apart=int8_parts,
        )
        size_bytes = (folder / "model.bin").stat().st_size
        return held.enter_context(self.residency.hold(("whisper", folder, heads), lambda: Loaded(load(), size_bytes)))

    def aligner(self, options: Options, held: ExitStack, listener: Listener) -> Aligner:
        from wortlaut.alignment.spreading import SpreadingAligner  # noqa: PLC0415
        from wortlaut.alignment.whisper import WhisperAligner  # noqa: PLC0415

        if not options.words:
            return SpreadingAligner()
        if options.aligner == "ctc":
            return self._ctc_aligner(options, held, listener)
        return WhisperAligner(self.whisper(aligning_model(options), held))

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
            folder = fetch_ctc_folder(self.store, name, listener=listener)
            threads = self.settings.threads or available_cores()
            loading = partial(load_ctc_model, folder, device=self.settings.device, threads=threads)
            return held.enter_context(self.residency.hold(("ctc", folder), lambda: Loaded(loading())))

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

    def chosen_diarizer(self, options: Options, folders: Mapping[str, Path], held: ExitStack) -> Diarizer | None:
        if not options.speakers:
            return None
        if options.diarizer == BUILT_IN:
            return self.diarizer(folders["segmentation"], folders["embedding"], held)
        return self.pyannote(options.diarizer, held)

    def pyannote(self, pipeline: str, held: ExitStack) -> Diarizer:
        """Return a pyannote pipeline. What is missing (extra, token, terms) is said before anything runs."""
        from wortlaut.diarization.pyannote.access import PipelineAccess  # noqa: PLC0415
        from wortlaut.diarization.pyannote.diarizer import PyannoteDiarizer  # noqa: PLC0415
        from wortlaut.diarization.pyannote.token import find_token  # noqa: PLC0415

        settings = self.settings
        token = find_token(settings.hf_token.get_secret_value() if settings.hf_token else None)
        access = PipelineAccess(_PYANNOTE_NAMES.get(pipeline, pipeline), token, is_offline=settings.is_offline)
        access.preflight()
        load = partial(PyannoteDiarizer, access.fetch(), device=settings.device)
        return held.enter_context(self.residency.hold(("pyannote", pipeline), lambda: Loaded(load())))

    def diarizer(self, segmentation: Path, embedding: Path, held: ExitStack) -> Diarizer:
        from wortlaut.diarization.clustered import ClusteringDiarizer  # noqa: PLC0415
        from wortlaut.recognition.placement import available_cores  # noqa: PLC0415

        load = partial(
            ClusteringDiarizer,
            segmentation / "segmentation.onnx",
            embedding / "campplus.onnx",
            threads=self.settings.threads or available_cores(),
        )
        return held.enter_context(self.residency.hold(("diarization", segmentation, embedding), lambda: Loaded(load())))
