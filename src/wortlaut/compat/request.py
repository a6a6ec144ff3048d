"""What was typed -> what is to be done, and what has to be said about it."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wortlaut.alignment.ctc_catalog import can_run
from wortlaut.compat.flags import Typed
from wortlaut.errors import InvalidOption
from wortlaut.formats import RenderOptions
from wortlaut.options import Decoding, Options, Speakers
from wortlaut.recognition.languages import parse_language
from wortlaut.speech.packing import MAXIMUM
from wortlaut.speech.regions import Thresholds

Resolution = Literal["sentence", "chunk"]

ALL_FORMATS = ("txt", "vtt", "srt", "tsv", "json", "aud")
"""What `all` stands for, in whisperX's order; whisperX itself leaves out aud, against its own help."""

_HOTTEST = 1.0
_WORD_FLAGS = ("highlight_words", "max_line_count", "max_line_width")


@dataclass(frozen=True, slots=True)
class Listening:
    """How speech is cut into windows. `thresholds` None: those of the detector."""

    longest_window: float = MAXIMUM
    thresholds: Thresholds | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One call of `whisperx`.

    `settings` are fields of `Settings`, where something was said about them. `notes` are for the user: what was
    asked for and cannot be had.
    """

    media: tuple[Path, ...]
    output_dir: Path
    formats: tuple[str, ...]
    options: Options
    settings: Mapping[str, object]
    listening: Listening
    resolution: Resolution
    layout: RenderOptions
    has_characters: bool
    is_verbose: bool
    shows_progress: bool
    log_level: str
    notes: tuple[str, ...]


def read_request(typed: Typed) -> Request:
    """Raises `InvalidOption`."""
    asked: Any = argparse.Namespace(**typed.values)  # argparse has checked every type
    is_aligned = not asked.no_align and asked.task != "translate"  # a translation cannot be aligned
    if not is_aligned:
        _refuse_word_flags(typed.values)
    is_chunked = asked.segment_resolution == "chunk" or not (is_aligned or typed.has("segment_resolution"))
    return Request(
        media=tuple(map(Path, asked.audio)),
        output_dir=Path(asked.output_dir),
        formats=ALL_FORMATS if asked.output_format == "all" else (asked.output_format,),
        options=_options(asked, is_aligned=is_aligned),
        settings=_settings(typed, asked),
        listening=read_listening(
            asked.chunk_size,
            asked.vad_onset if typed.has("vad_onset") else None,
            asked.vad_offset if typed.has("vad_offset") else None,
        ),
        resolution="chunk" if is_chunked else "sentence",
        layout=RenderOptions(
            max_line_width=asked.max_line_width,
            max_line_count=asked.max_line_count,
            highlight_words=asked.highlight_words,
        ),
        has_characters=asked.return_char_alignments and is_aligned,
        is_verbose=asked.verbose,
        shows_progress=asked.print_progress,
        log_level=asked.log_level or ("info" if asked.verbose else "warning"),
        notes=tuple(_notes(typed, asked)),
    )


def _refuse_word_flags(values: Mapping[str, object]) -> None:
    for name in _WORD_FLAGS:
        if values[name]:
            raise InvalidOption(f"--{name} not possible with --no_align")


def _options(asked: Any, *, is_aligned: bool) -> Options:  # noqa: ANN401 a namespace of argparse
    align_model = asked.align_model if is_aligned and asked.align_model and can_run(asked.align_model) else None
    return Options(
        model=asked.model,
        language=spoken_language(asked.model, asked.language),
        task=asked.task,
        words=is_aligned,
        aligner="ctc" if align_model else "whisper",
        align_model=align_model,
        speakers=count_speakers(asked.min_speakers, asked.max_speakers) if asked.diarize else None,
        decoding=_decoding(asked),
    )


def spoken_language(model: str, language: str | None) -> str | None:
    """Return the code; a model whose name ends in .en hears English only."""
    if model.endswith(".en"):
        return "en"
    return parse_language(language) if language else None


def count_speakers(minimum: int | None, maximum: int | None) -> Speakers:
    """Raises `InvalidOption`."""
    return Speakers(1 if minimum is None else minimum, maximum)


def _decoding(asked: Any) -> Decoding:  # noqa: ANN401 a namespace of argparse
    return Decoding(
        beam_size=1 if asked.beam_size is None else asked.beam_size,
        best_of=1 if asked.best_of is None else asked.best_of,
        patience=asked.patience,
        length_penalty=asked.length_penalty,
        temperatures=temperatures(asked.temperature, asked.temperature_increment_on_fallback),
        compression_ratio_threshold=asked.compression_ratio_threshold,
        logprob_threshold=asked.logprob_threshold,
        no_speech_threshold=asked.no_speech_threshold,
        suppress_tokens=_tokens(asked.suppress_tokens),
        suppress_numerals=asked.suppress_numerals,
        initial_prompt=asked.initial_prompt,
        hotwords=asked.hotwords,
    )


def temperatures(first: float, step: float | None) -> tuple[float, ...]:
    """Return the temperatures from the first up to 1."""
    if step is None:
        return (first,)
    if not step > 0:
        raise InvalidOption("--temperature_increment_on_fallback is above 0, or None.")
    count = max(math.floor((_HOTTEST - first) / step + 1e-6) + 1, 1)
    return tuple(round(first + step * number, 6) for number in range(count))


def _tokens(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise InvalidOption(f"--suppress_tokens {text!r} is no comma-separated list of numbers.") from error


def _settings(typed: Typed, asked: Any) -> dict[str, object]:  # noqa: ANN401 a namespace of argparse
    compute_type = asked.compute_type
    if compute_type == "default" and not asked.fp16:
        compute_type = "float32"
    wanted = {
        "models_dir": asked.model_dir and Path(asked.model_dir),
        "is_offline": asked.model_cache_only,
        "device": kind_of_device(asked.device) if typed.has("device") else None,
        "compute_type": compute_type if compute_type != "default" else None,
        "threads": asked.threads,
        "batch_size": asked.batch_size if typed.has("batch_size") else None,
        "hf_token": asked.hf_token,
    }
    return {name: value for name, value in wanted.items() if value}


def kind_of_device(device: object) -> str:
    """Return auto, cpu or cuda for what PyTorch calls a device: `cuda:1`, `torch.device("cpu")`."""
    kind = str(device).partition(":")[0]
    if kind not in ("auto", "cpu", "cuda"):
        raise InvalidOption(f"{device} is no device that Wortlaut can use.", hint="The devices are auto, cpu and cuda.")
    return kind


def read_listening(chunk_size: float, onset: float | None, offset: float | None) -> Listening:
    """Onset and offset are scores of whisperX's detectors; ours are near enough for the same to help."""
    if chunk_size <= 0:
        raise InvalidOption("chunk_size is above 0.")
    own = Thresholds()
    if onset is None and offset is None:
        return Listening(min(chunk_size, MAXIMUM))
    onset = own.onset if onset is None else onset
    if not 0 < onset < 1:
        raise InvalidOption("vad_onset is a decimal value between 0 and 1.")
    lower = min(own.offset if offset is None else offset, onset)
    return Listening(min(chunk_size, MAXIMUM), Thresholds(onset=onset, offset=lower))


def _notes(typed: Typed, asked: Any) -> Iterator[str]:  # noqa: ANN401 a namespace of argparse
    """Say what was asked for and cannot be had. Defaults ask for nothing."""
    is_limited = asked.min_speakers is not None or asked.max_speakers is not None
    is_numbered = asked.device_index or ":" in asked.device.removesuffix(":0")
    is_foreign = asked.model.endswith(".en") and asked.language not in (None, "en", "English")
    notes = {
        "--vad_method pyannote: not part of Wortlaut; speech is found by Silero VAD.": (
            typed.has("vad_method") and asked.vad_method == "pyannote"
        ),
        f"--align_model {asked.align_model}: not used, it needs `pip install 'wortlaut[ctc]'`; words are timed by "
        "Whisper's own attention.": asked.align_model and not can_run(asked.align_model),
        f"--interpolate_method {asked.interpolate_method}: not used; every word has a time of its own.": (
            asked.interpolate_method != "nearest"
        ),
        f"--diarize_model {asked.diarize_model}: not used; the built-in diarizer tells the voices apart.": (
            typed.has("diarize_model")
        ),
        "--speaker_embeddings: the built-in diarizer gives none; the json file is without.": asked.speaker_embeddings,
        "--condition_on_previous_text True: not used; windows are recognized independently of each other.": (
            asked.condition_on_previous_text
        ),
        "--return_char_alignments: words are measured; their characters share the word's time evenly.": (
            asked.return_char_alignments
        ),
        "The first visible graphics card is used; choose it with the variable CUDA_VISIBLE_DEVICES.": is_numbered,
        f"--chunk_size {asked.chunk_size}: Whisper hears {MAXIMUM:.0f} s at once; no window is longer.": (
            asked.chunk_size > MAXIMUM
        ),
        "--max_line_count has no effect without --max_line_width": asked.max_line_count and not asked.max_line_width,
        f"{asked.model} is an English-only model but received '{asked.language}'; using English instead.": is_foreign,
        "--min_speakers and --max_speakers have no effect without --diarize": is_limited and not asked.diarize,
    }
    return (note for note, is_due in notes.items() if is_due)
