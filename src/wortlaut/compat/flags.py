"""whisperX's command line: names, types and defaults are those of whisperX 3.8.6, the help is our own.

whisperX is written with argparse, and so is this: the same mistakes get the same answers. One default differs:
`--device auto` is cuda where there is one and cpu elsewhere, found out when it is needed.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from wortlaut.recognition.languages import ALIASES, LANGUAGES

COMPATIBLE_VERSION = "3.8.6"
"""The whisperX whose command line and names these are."""

PROGRAM = "whisperx"

_UNKNOWN_TO_WHISPERX = {"mandarin", "jv", "nb"}
TO_LANGUAGE_CODE = {name: code for code, name in LANGUAGES.items()} | {
    alias: code for alias, code in ALIASES.items() if alias not in _UNKNOWN_TO_WHISPERX
}
"""English name to code: the names that whisperX knows, which are fewer than `parse_language` does."""


# argparse names these functions in its error messages, so they are called as in whisperX.
def str2bool(string: str) -> bool:
    """Read `True` or `False`."""
    values = {"True": True, "False": False}
    if string not in values:
        raise ValueError(f"{string!r} is neither True nor False")
    return values[string]


def optional_int(string: str) -> int | None:
    """Read a whole number or `None`."""
    return None if string == "None" else int(string)


def optional_float(string: str) -> float | None:
    """Read a number or `None`."""
    return None if string == "None" else float(string)


@dataclass(frozen=True, slots=True)
class Flag:
    """One argument. `type` None: a switch without a value. `name` without dashes: positional."""

    name: str
    type: Callable[[str], object] | None
    default: object
    help: str
    choices: tuple[str, ...] | None = None
    short: str | None = None

    @property
    def destination(self) -> str:
        """The attribute of the parsed arguments."""
        return self.name.lstrip("-").replace("-", "_")

    def add_to(self, parser: argparse.ArgumentParser, *, has_default: bool) -> None:
        names = [self.name, self.short] if self.short else [self.name]
        default = self.default if has_default else argparse.SUPPRESS
        if self.type is None:
            parser.add_argument(*names, action="store_true", default=default, help=self.help)
        else:
            parser.add_argument(*names, type=self.type, default=default, choices=self.choices, help=self.help)


_LANGUAGE_CHOICES = (*sorted(LANGUAGES), *sorted(name.title() for name in TO_LANGUAGE_CODE))

FLAGS = (
    Flag("--model", str, "small", "Whisper model: a name, a folder, or a repository on the model hub"),
    Flag("--model_cache_only", str2bool, False, "if True, never download; a model that is not there is an error"),
    Flag("--model_dir", str, None, "folder that models are kept in; Wortlaut's own if not given"),
    Flag("--device", str, "auto", "where to recognize: auto, cpu or cuda"),
    Flag("--device_index", int, 0, "number of the graphics card (see CUDA_VISIBLE_DEVICES)"),
    Flag("--batch_size", int, 8, "windows recognized at once; if not given, as many as suit the device"),
    Flag(
        "--compute_type",
        str,
        "default",
        "arithmetic of recognition; default is float16 on a GPU and int8 on a CPU",
        ("default", "float16", "float32", "int8"),
    ),
    Flag("--output_dir", str, ".", "folder for the results", short="-o"),
    Flag(
        "--output_format",
        str,
        "all",
        "format of the results; all writes every one of them",
        ("all", "srt", "vtt", "txt", "tsv", "json", "aud"),
        short="-f",
    ),
    Flag("--verbose", str2bool, True, "print what is done, and the text as it is recognized"),
    Flag(
        "--log-level",
        str,
        None,
        "how much is logged; beats --verbose",
        ("debug", "info", "warning", "error", "critical"),
    ),
    Flag(
        "--task", str, "transcribe", "write down what is said, or an English translation", ("transcribe", "translate")
    ),
    Flag("--language", str, None, "language that is spoken; detected if not given", _LANGUAGE_CHOICES),
    Flag(
        "--align_model",
        str,
        None,
        "CTC network that times words, with the extra ctc; otherwise Whisper's own attention does, in every language",
    ),
    Flag(
        "--interpolate_method",
        str,
        "nearest",
        "not used: every word has a time of its own",
        ("nearest", "linear", "ignore"),
    ),
    Flag("--no_align", None, False, "do not measure the times of words"),
    Flag("--return_char_alignments", None, False, "put a time for every character into the json file"),
    Flag("--vad_method", str, "pyannote", "not used: speech is found by Silero VAD", ("pyannote", "silero")),
    Flag("--vad_onset", float, 0.5, "score at which speech begins; if not given, the detector's own"),
    Flag("--vad_offset", float, 0.363, "score below which speech ends; if not given, the detector's own"),
    Flag("--chunk_size", int, 30, "longest window in seconds, at most 30"),
    Flag("--diarize", None, False, "find out who speaks"),
    Flag("--min_speakers", int, None, "at least so many people speak"),
    Flag("--max_speakers", int, None, "at most so many people speak"),
    Flag(
        "--diarize_model",
        str,
        "pyannote/speaker-diarization-community-1",
        "not used: voices are told apart by the built-in diarizer, which needs no token",
    ),
    Flag("--speaker_embeddings", None, False, "not used: the built-in diarizer gives no embeddings"),
    Flag("--temperature", float, 0, "temperature of the first attempt"),
    Flag("--best_of", optional_int, 5, "candidates at temperatures above 0"),
    Flag("--beam_size", optional_int, 5, "hypotheses kept at temperature 0"),
    Flag("--patience", float, 1.0, "beam search ends after patience times beam_size hypotheses"),
    Flag("--length_penalty", float, 1.0, "exponent that hypotheses of different length are compared with"),
    Flag("--suppress_tokens", str, "-1", "tokens never written, comma-separated; -1: symbols that are not speech"),
    Flag("--suppress_numerals", None, False, "spell numbers out"),
    Flag("--initial_prompt", str, None, "style and spelling to follow"),
    Flag("--hotwords", str, None, "names and terms to expect"),
    Flag("--condition_on_previous_text", str2bool, False, "not used: windows are recognized independently"),
    Flag("--fp16", str2bool, True, "False: compute in float32"),
    Flag("--temperature_increment_on_fallback", optional_float, 0.2, "step to the next attempt; None: one attempt"),
    Flag("--compression_ratio_threshold", optional_float, 2.4, "a more repetitive text is decoded again"),
    Flag("--logprob_threshold", optional_float, -1.0, "a text less probable than this is decoded again"),
    Flag("--no_speech_threshold", optional_float, 0.6, "a doubtful text of a window more silent than this is dropped"),
    Flag("--max_line_width", optional_int, None, "(not possible with --no_align) characters in a line of subtitles"),
    Flag("--max_line_count", optional_int, None, "(not possible with --no_align) lines in a subtitle"),
    Flag("--highlight_words", str2bool, False, "(not possible with --no_align) underline words while they are spoken"),
    Flag(
        "--segment_resolution",
        str,
        "sentence",
        "a segment is a sentence, or a whole window (always with --no_align)",
        ("sentence", "chunk"),
    ),
    Flag("--threads", optional_int, 0, "processor threads; 0: all cores"),
    Flag("--hf_token", str, None, "token of the model hub; only gated models need one"),
    Flag("--print_progress", str2bool, False, "if True, print the progress"),
)
"""All of them, in whisperX's order."""


def build_parser(*, has_defaults: bool = True) -> argparse.ArgumentParser:
    """Return the parser. Without defaults it tells what was typed from what was not."""
    parser = argparse.ArgumentParser(PROGRAM, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("audio", nargs="+", type=str, help="audio or video files to transcribe")
    for flag in FLAGS:
        flag.add_to(parser, has_default=has_defaults)
    own = f"%(prog)s {COMPATIBLE_VERSION} (Wortlaut {version('wortlaut')})"
    python = f"Python {platform.python_version()} ({platform.python_implementation()})"
    parser.add_argument("--version", "-V", action="version", version=own, help="print the version and exit")
    parser.add_argument("--python-version", "-P", action="version", version=python, help="print Python's and exit")
    return parser


@dataclass(frozen=True, slots=True)
class Typed:
    """A command line that has been read: all `values`, and the names of those that were `given`."""

    values: Mapping[str, object]
    given: frozenset[str]

    def has(self, name: str) -> bool:
        """Whether the flag was typed, be it with its default."""
        return name in self.given


def read_arguments(arguments: Sequence[str]) -> Typed:
    """Parse. Leaves with `SystemExit` on a mistake, --help and --version, as argparse does."""
    values = vars(build_parser().parse_args(arguments))
    return Typed(values, frozenset(vars(build_parser(has_defaults=False).parse_args(arguments))))
