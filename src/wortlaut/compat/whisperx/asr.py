"""`load_model` and the pipeline that it returns."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wortlaut.assembly import Transcriber
from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.compat.detection import tuned_to
from wortlaut.compat.printing import percent_reporter, print_passage
from wortlaut.compat.request import Listening, kind_of_device, read_listening, spoken_language
from wortlaut.compat.whisperx.audio import Sound, open_sound
from wortlaut.compat.whisperx.log_utils import get_logger
from wortlaut.compat.whisperx.schema import ProgressCallback, SingleSegment, TranscriptionResult
from wortlaut.compat.whisperx.vads import Vad
from wortlaut.errors import InvalidOption
from wortlaut.options import Decoding, Options, Task
from wortlaut.pipeline import NO_LANGUAGE, Pipeline
from wortlaut.recognition.languages import parse_language
from wortlaut.settings import Settings
from wortlaut.stages import Advance, ignore
from wortlaut.transcript import Passage

logger = get_logger("whisperx.asr")

_OUR_NAMES = {"log_prob_threshold": "logprob_threshold"}
_HEARD_OPTIONS = frozenset(
    {
        "beam_size",
        "best_of",
        "compression_ratio_threshold",
        "hotwords",
        "initial_prompt",
        "length_penalty",
        "log_prob_threshold",
        "no_repeat_ngram_size",
        "no_speech_threshold",
        "patience",
        "repetition_penalty",
        "suppress_blank",
        "suppress_numerals",
        "suppress_tokens",
        "temperatures",
    }
)
UNHEARD_OPTIONS: Mapping[str, object] = {
    "append_punctuations": "\"'.。,，!！?？:：”)]}、",
    "clip_timestamps": None,
    "condition_on_previous_text": False,
    "hallucination_silence_threshold": None,
    "max_initial_timestamp": 0.0,
    "max_new_tokens": None,
    "multilingual": None,
    "prefix": None,
    "prepend_punctuations": "\"'“¿([{-",
    "prompt_reset_on_temperature": 0.5,
    "without_timestamps": True,
    "word_timestamps": False,
}
"""Options without an effect, here as in whisperX's batches, and their defaults."""


@dataclass(frozen=True, slots=True)
class _VadDetector:
    """A voice activity detector of the caller's as a `SpeechDetector`."""

    vad: Vad

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        samples = audio.samples.read(0, len(audio.samples))
        found = self.vad({"waveform": self.vad.preprocess_audio(samples), "sample_rate": SAMPLE_RATE})
        advance(audio.duration)
        return [SpeechRegion(each.start, each.end) for each in found]


class FasterWhisperPipeline:
    """A loaded model. `del` lets go of its memory, as with whisperX's."""

    def __init__(self, transcriber: Transcriber, options: Options, listening: Listening, vad: Vad | None) -> None:
        self._transcriber = transcriber
        self._options = options
        self._listening = listening
        self._vad = vad
        transcriber.warm_up(options)

    def transcribe(  # noqa: PLR0913, PLR0917 the signature is whisperX's
        self,
        audio: Sound,
        batch_size: int | None = None,
        num_workers: int = 0,  # noqa: ARG002 whisperX's; ours follow from `threads`
        language: str | None = None,
        task: Task | None = None,
        chunk_size: float = 30,
        print_progress: bool = False,
        combined_progress: bool = False,
        verbose: bool = False,
        progress_callback: ProgressCallback = None,
    ) -> TranscriptionResult:
        """Return one segment a window, and the language; the language of silence is `und`."""
        options = replace(self._options, task=task or self._options.task)
        asked = parse_language(language) if language else self._options.language
        report = percent_reporter(print_progress, progress_callback, scale=0.5 if combined_progress else 1.0)
        sound = open_sound(audio)
        with self._stages(options, batch_size, chunk_size) as stages:
            windows = stages.pack(sound, stages.detector.detect(sound))
            if not windows:
                logger.warning("No active speech found in audio")
                return {"segments": [], "language": asked or NO_LANGUAGE}
            spoken = asked or stages.recognizer.detect_language(sound, windows).language
            segments = []
            for done, passage in enumerate(stages.recognizer.recognize(sound, windows, language=spoken), 1):
                segments += _segments(passage, verbose)
                report(100 * done / len(windows))
        return {"segments": segments, "language": spoken}

    def detect_language(self, audio: Sound) -> str:
        """Return the code of the language; `und` if nobody speaks."""
        sound = open_sound(audio)
        with self._stages(self._options, None, self._listening.longest_window) as stages:
            windows = stages.pack(sound, stages.detector.detect(sound))
            return stages.recognizer.detect_language(sound, windows).language if windows else NO_LANGUAGE

    @contextmanager
    def _stages(self, options: Options, batch_size: int | None, chunk_size: float) -> Generator[Pipeline]:
        longest = min(chunk_size, self._listening.longest_window)
        listening = read_listening(longest, None, None)
        listening = replace(listening, thresholds=self._listening.thresholds)
        with self._transcriber.stages(options, batch_size=batch_size) as stages:
            tuned = tuned_to(stages, listening)
            yield replace(tuned, detector=_VadDetector(self._vad)) if self._vad else tuned


def _segments(passage: Passage, is_verbose: bool) -> list[SingleSegment]:
    """Return the segment of a passage, and say what the recognizer says about it."""
    for notice in passage.notices:
        logger.warning("%s [%s]", notice.message, notice.code)
    if not passage.text.strip():
        return []
    if is_verbose:
        print_passage(passage)
    return [
        {
            "text": passage.text,
            "start": round(passage.start, 3),
            "end": round(passage.end, 3),
            "avg_logprob": passage.avg_logprob,
        }
    ]


def load_model(  # noqa: PLR0913, PLR0917 the signature is whisperX's
    whisper_arch: str,
    device: str = "auto",
    device_index: int | list[int] = 0,
    compute_type: str = "default",
    asr_options: Mapping[str, Any] | None = None,
    language: str | None = None,
    vad_model: Vad | None = None,
    vad_method: str | None = "pyannote",
    vad_options: Mapping[str, Any] | None = None,
    model: object = None,
    task: Task = "transcribe",
    download_root: str | None = None,
    local_files_only: bool = False,
    threads: int | None = None,
    use_auth_token: str | bool | None = None,
) -> FasterWhisperPipeline:
    """Return a loaded Whisper, fetched first if it is not there.

    `device` may be what PyTorch calls one, or `auto`. `threads` None: all cores. Raises `InvalidOption` for
    an option nobody knows.
    """
    if model is not None:
        raise InvalidOption("A model of faster-whisper cannot be used.", hint="Give its name or folder.")
    if vad_method not in ("pyannote", "silero", None):
        raise InvalidOption(f"Invalid vad_method: {vad_method}")
    if device_index:
        logger.warning("device_index is not used; choose a graphics card with CUDA_VISIBLE_DEVICES.")
    options = Options(
        model=whisper_arch,
        language=spoken_language(whisper_arch, language),
        task=task,
        words=False,
        speakers=None,
        decoding=read_decoding(asr_options or {}),
    )
    settings = settings_for(
        device,
        compute_type=None if compute_type == "default" else compute_type,
        models_dir=download_root and Path(download_root),
        is_offline=local_files_only,
        threads=threads,
        hf_token=use_auth_token if isinstance(use_auth_token, str) else None,
    )
    return FasterWhisperPipeline(Transcriber(settings), options, _listening(vad_options or {}), vad_model)


def settings_for(device: object, **wanted: object) -> Settings:
    """Return settings under which models stay loaded as long as their object lives."""
    known = {name: value for name, value in wanted.items() if value}
    return Settings.model_validate({"device": kind_of_device(device), "idle": math.inf} | known)


def read_decoding(asr_options: Mapping[str, Any]) -> Decoding:
    """Raises `InvalidOption` for a name nobody knows; says which options have no effect."""
    unknown = sorted(asr_options.keys() - _HEARD_OPTIONS - UNHEARD_OPTIONS.keys())
    if unknown:
        raise InvalidOption(
            f"asr_options has no {', '.join(unknown)}.", hint=f"It has {', '.join(sorted(_HEARD_OPTIONS))}."
        )
    unheard = [name for name, default in UNHEARD_OPTIONS.items() if asr_options.get(name, default) != default]
    if unheard:
        logger.warning("asr_options without an effect: %s.", ", ".join(unheard))
    heard = {_OUR_NAMES.get(name, name): asr_options[name] for name in _HEARD_OPTIONS & asr_options.keys()}
    for name in ("temperatures", "suppress_tokens"):
        if name in heard:
            heard[name] = tuple(heard[name])
    return Decoding(**heard)


def _listening(vad_options: Mapping[str, Any]) -> Listening:
    unknown = sorted(vad_options.keys() - {"chunk_size", "vad_onset", "vad_offset"})
    if unknown:
        raise InvalidOption(
            f"vad_options has no {', '.join(unknown)}.", hint="It has chunk_size, vad_onset, vad_offset."
        )
    return read_listening(
        vad_options.get("chunk_size", 30), vad_options.get("vad_onset"), vad_options.get("vad_offset")
    )
