"""Wortlaut's own stages, put together."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial

from wortlaut.assembly.factory import StageFactory
from wortlaut.assembly.provenance import ctc_identity, identity, models_for, versions
from wortlaut.blas import one_blas_thread
from wortlaut.options import Decoding, Options
from wortlaut.pipeline import Pipeline
from wortlaut.stages import Listener
from wortlaut.transcript import Provenance


def own_pipeline(
    factory: StageFactory, options: Options, held: ExitStack, listener: Listener, batch_size: int
) -> Pipeline:
    """Return the pipeline, its models fetched and loaded."""
    from wortlaut.recognition.recognizer import WhisperRecognizer  # noqa: PLC0415
    from wortlaut.speech.packing import pack  # noqa: PLC0415

    models = models_for(options)
    folders = dict(zip(models, factory.store.fetch_all(list(models.values()), listener=listener), strict=True))
    whisper = factory.whisper(options.model, held)
    recognizer = partial(
        WhisperRecognizer,
        whisper,
        decoding=decoding_of(options),
        task=options.task,
        batch_size=batch_size,
        languages=options.languages,
        follows_switches=options.follows_switches and options.language is None,
    )
    pipeline = Pipeline(
        decoder=factory.decoder(),
        detector=factory.detector(folders["detection"], folders["segmentation"], held),
        second_look=factory.second_look(folders["detection"], folders["segmentation"], held),
        pack=pack,
        recognizer=recognizer(),
        second_hearing=recognizer(draws=False, asks_briefly=True),  # text by chance could not be added anyway
        aligner=factory.aligner(options, held, listener),
        diarizer=factory.chosen_diarizer(options, folders, held),
        gathers=True,
        provenance=Provenance(
            versions=versions(),
            models={role: identity(name, folders[role]) for role, name in models.items()} | ctc_identity(options),
            options=asdict(options),
            devices={
                "encode": f"{whisper.device} {whisper.encoding_engine}",
                "recognize": f"{whisper.device} {whisper.compute_type}",
                "rest": "cpu",
            },
        ),
    )
    held.enter_context(one_blas_thread())  # now that all that computes is loaded
    return pipeline


def decoding_of(options: Options) -> Decoding:
    """Numbers are written as words by a model that may not write digits, so that each word is timed by itself."""
    return replace(options.decoding, suppress_numerals=True) if options.numerals == "words" else options.decoding
