"""The real performer: a `Transcriber`, set up by the environment of the working process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from os import PathLike
from pathlib import Path

import ctranslate2

from wortlaut.assembly import Transcriber, open_store
from wortlaut.jobs.performer import Performer
from wortlaut.jobs.reusing import reusing
from wortlaut.jobs.stage_results import StageResults
from wortlaut.notice import ANNOUNCEMENTS
from wortlaut.options import Options
from wortlaut.pipeline import NO_LANGUAGE
from wortlaut.recognition.placement import choose_compute_type, choose_device
from wortlaut.recognition.recognizer import BATCH_SIZES
from wortlaut.stages import LanguageGuess, Listener, ignore
from wortlaut.transcript import Transcript


class TranscribingPerformer(Transcriber):
    """A `Transcriber` that keeps results of stages, says which language is spoken, and what it runs on."""

    def transcribe(
        self,
        media: str | PathLike[str],
        options: Options | None = None,
        listener: Listener = ignore,
        results: StageResults | None = None,
    ) -> Transcript:
        """Return who said what, when, with what `results` holds taken from there."""
        if results is None:
            return super().transcribe(media, options, listener)
        options = options or Options()
        with ExitStack() as held:
            pipeline = reusing(self._pipeline(options, held, listener), options, results)
            transcript = pipeline.transcribe(Path(media), options, listener)
        return replace(transcript, provenance=replace(transcript.provenance, reused=results.reused))

    def describe(self) -> Mapping[str, object]:
        store = open_store(self.settings)
        device = choose_device(self.settings.device)
        return {
            "device": device,
            "compute_type": choose_compute_type(self.settings.compute_type, device),
            "batch_size": self.settings.batch_size or BATCH_SIZES[device],
            "cuda_available": ctranslate2.get_cuda_device_count() > 0,
            "diarization_available": all(store.find(name) for name in ("segmentation-3.0", "campplus")),
        }

    def detect_language(self, media: Path, options: Options, listener: Listener = ignore) -> LanguageGuess:
        """Return the language of a recording; `und` with probability 0 if nobody speaks."""
        with self.stages(options, listener) as pipeline:
            audio = pipeline.decoder.decode(media)
            windows = pipeline.pack(audio, pipeline.detector.detect(audio))
            return pipeline.recognizer.detect_language(audio, windows) if windows else LanguageGuess(NO_LANGUAGE, 0.0)


def open_performer() -> Performer:
    """Return one with the settings of this process, which says on stderr what it is about to download."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger(ANNOUNCEMENTS).setLevel(logging.INFO)
    return TranscribingPerformer()
