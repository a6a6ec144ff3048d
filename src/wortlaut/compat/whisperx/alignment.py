"""`load_align_model` and `align`: word times for a text that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from wortlaut.alignment.ctc_catalog import can_run
from wortlaut.alignment.spreading import SpreadingAligner
from wortlaut.assembly import UNIVERSAL_ALIGNER, Transcriber
from wortlaut.audio import Audio, SpeechRegion
from wortlaut.compat.printing import percent_reporter
from wortlaut.compat.results import plain_result
from wortlaut.compat.whisperx.asr import settings_for
from wortlaut.compat.whisperx.audio import Sound, open_sound
from wortlaut.compat.whisperx.log_utils import get_logger
from wortlaut.compat.whisperx.schema import (
    AlignedTranscriptionResult,
    ProgressCallback,
    SingleAlignedSegment,
    SingleSegment,
)
from wortlaut.errors import InvalidOption
from wortlaut.options import Options
from wortlaut.recognition.languages import LANGUAGES, parse_language
from wortlaut.speech.packing import MAXIMUM
from wortlaut.splitting import split
from wortlaut.stages import Aligner
from wortlaut.transcript import Passage, Transcript

logger = get_logger("whisperx.alignment")

ALIGN_MODEL = f"whisper-{UNIVERSAL_ALIGNER}"
"""What times the words of every language."""

DEFAULT_ALIGN_MODELS_TORCH = dict.fromkeys(("en", "fr", "de", "es", "it"), ALIGN_MODEL)
DEFAULT_ALIGN_MODELS_HF = dict.fromkeys(LANGUAGES.keys() - DEFAULT_ALIGN_MODELS_TORCH.keys(), ALIGN_MODEL)
"""The languages that words can be timed in, which whisperX divides by where its models come from: all of Whisper's."""

_OPTIONS = Options(model=UNIVERSAL_ALIGNER, words=True, speakers=None)


class AlignModel:
    """The model that times words, loaded. `del` lets go of its memory."""

    def __init__(self, transcriber: Transcriber, options: Options = _OPTIONS) -> None:
        self.transcriber = transcriber
        self.options = options
        transcriber.warm_up(options)


def load_align_model(
    language_code: str,
    device: str = "auto",
    model_name: str | None = None,
    model_dir: str | None = None,
    model_cache_only: bool = False,
) -> tuple[AlignModel, dict[str, Any]]:
    """Return the aligner and what `align` has to know. By default it is the same model for every language.

    `model_name` is a CTC network, by hub name or folder, which needs the extra `ctc`. Raises `UnknownLanguage`, and
    what loading the network raises.
    """
    language = parse_language(language_code)
    settings = settings_for(device, models_dir=model_dir and Path(model_dir), is_offline=model_cache_only)
    is_ctc = model_name not in (None, ALIGN_MODEL)
    if model_name and is_ctc and can_run(model_name):
        options = replace(_OPTIONS, language=language, aligner="ctc", align_model=model_name)
        return AlignModel(Transcriber(settings), options), {"language": language, "dictionary": {}, "type": "ctc"}
    if is_ctc:
        logger.warning(
            "The align model %s is not used, it needs `pip install 'wortlaut[ctc]'`; words are timed by Whisper's own "
            "attention.",
            model_name,
        )
    return AlignModel(Transcriber(settings)), {"language": language, "dictionary": {}, "type": "whisper"}


def align(  # noqa: PLR0913, PLR0917 the signature is whisperX's
    transcript: Iterable[SingleSegment],
    model: AlignModel,
    align_model_metadata: Mapping[str, Any],
    audio: Sound,
    device: str = "auto",  # noqa: ARG001 the model knows where it runs
    interpolate_method: str = "nearest",
    return_char_alignments: bool = False,
    print_progress: bool = False,
    combined_progress: bool = False,
    progress_callback: ProgressCallback = None,
) -> AlignedTranscriptionResult:
    """Return the segments cut into sentences, with a time for every word.

    A sentence never spans two segments. Without a CTC network, a segment of more than 30 s gets interpolated times,
    because Whisper hears no more at once; a segment without a word has no words.
    """
    if interpolate_method not in ("nearest", "linear", "ignore"):
        raise InvalidOption(f"Invalid interpolate_method: {interpolate_method}")
    segments = list(transcript)
    sound = open_sound(audio)
    half = {"scale": 0.5, "offset": 50.0} if combined_progress else {}
    report = percent_reporter(print_progress, progress_callback, **half)
    aligned: list[SingleAlignedSegment] = []
    with model.transcriber.stages(model.options) as stages:
        regions = stages.detector.detect(sound) if segments else []
        for done, segment in enumerate(segments, 1):
            passage = _passage(segment, align_model_metadata["language"], regions, sound)
            is_long = passage.end - passage.start > MAXIMUM and model.options.aligner == "whisper"
            if is_long:
                logger.warning(
                    "A segment of more than %.0f s gets interpolated times: %r", MAXIMUM, segment["text"][:40]
                )
            aligner = SpreadingAligner() if is_long else stages.aligner
            sentences = _aligned(sound, passage, aligner, has_characters=return_char_alignments)
            aligned += sentences or [_without_words(segment, has_characters=return_char_alignments)]
            report(100 * done / len(segments))
    return {"segments": aligned, "word_segments": [word for segment in aligned for word in segment["words"]]}


def _passage(segment: SingleSegment, language: str, regions: list[SpeechRegion], audio: Audio) -> Passage:
    """Return the segment as a passage inside the recording."""
    start = max(segment["start"], 0.0)
    end = min(segment["end"], audio.duration)
    inside = (SpeechRegion(max(each.start, start), min(each.end, end)) for each in regions)
    return Passage(
        start,
        end,
        segment["text"],
        language,
        tuple(each for each in inside if each.start < each.end),
        avg_logprob=segment.get("avg_logprob", 0.0),
    )


def _aligned(audio: Audio, passage: Passage, aligner: Aligner, *, has_characters: bool) -> list[SingleAlignedSegment]:
    if not passage.text.strip() or passage.start >= passage.end:
        if passage.text.strip():
            logger.warning("Failed to align segment (%r): it lies outside the recording.", passage.text)
        return []
    [words] = aligner.align(audio, [passage])
    sentences = Transcript(tuple(split([(passage, words)])), (), passage.language, audio.duration)
    result = plain_result(sentences, has_characters=has_characters)
    return list(_shaped(result["segments"]))


def _shaped(segments: Iterable[dict[str, Any]]) -> Iterator[SingleAlignedSegment]:
    for segment in segments:
        yield cast("SingleAlignedSegment", segment | {"chars": segment.get("chars")})


def _without_words(segment: SingleSegment, *, has_characters: bool) -> SingleAlignedSegment:
    known = {"start": segment["start"], "end": segment["end"], "text": segment["text"]}
    score = {"avg_logprob": segment["avg_logprob"]} if "avg_logprob" in segment else {}
    chars: list[object] | None = [] if has_characters else None
    return cast("SingleAlignedSegment", known | {"words": [], "chars": chars} | score)
