"""What one transcription asks for. One `Options` feeds the command line, the service and the library.

What belongs to the installation (device, threads, where models lie) is in `settings`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from wortlaut.errors import InvalidOption

BUILT_IN = "built-in"
"""The diarizer that needs neither a token nor PyTorch."""

Task = Literal["transcribe", "translate"]
Numerals = Literal["as-is", "words", "digits"]
Channels = Literal["mix", "split"]

Engine = Literal["wortlaut", "whisperx"]
"""Whose stages: Wortlaut's own, or those of a whisperX that is installed beside it, to compare."""
ENGINES: tuple[Engine, ...] = get_args(Engine)

AlignerName = Literal["whisper", "ctc"]


@dataclass(frozen=True, slots=True)
class Speakers:
    """How many people speak: at least `minimum`, at most `maximum` (None: open)."""

    minimum: int = 1
    maximum: int | None = None

    def __post_init__(self) -> None:
        if self.minimum < 1 or (self.maximum is not None and self.maximum < self.minimum):
            raise InvalidOption(
                f"{self} is no number of speakers.", hint="Give auto, off, a number such as 2, or a range such as 2-4."
            )

    @property
    def exact(self) -> int | None:
        """The number, if it is known."""
        return self.minimum if self.minimum == self.maximum else None

    @classmethod
    def parse(cls, text: str) -> Speakers | None:
        """Read `auto`, `off` (None), `3` or `2-4`."""
        if text == "off":
            return None
        if text == "auto":
            return cls()
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
        if not match:
            raise InvalidOption(
                f"{text!r} is no number of speakers.",
                hint="Give auto, off, a number such as 2, or a range such as 2-4.",
            )
        minimum = int(match[1])
        return cls(minimum, int(match[2] or minimum))

    def __str__(self) -> str:
        if self.maximum is None:
            return "auto" if self.minimum == 1 else f"{self.minimum} or more"
        return str(self.minimum) if self.exact else f"{self.minimum}-{self.maximum}"


@dataclass(frozen=True, slots=True)
class Decoding:
    """How Whisper searches for the text. Names and defaults are those of openai/whisper and whisperX."""

    beam_size: int = 5
    best_of: int = 5  # candidates at temperatures above 0
    patience: float = 1.0  # beam search goes on until patience * beam_size hypotheses have ended
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0  # 0: off
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # tried in turn while a window looks bad
    compression_ratio_threshold: float | None = 2.4  # above: repetitive, decode again
    logprob_threshold: float | None = -1.0  # average below: doubtful, decode again
    no_speech_threshold: float | None = 0.6  # above, and doubtful: nobody speaks, drop the window
    suppress_tokens: tuple[int, ...] = (-1,)  # -1 stands for the model's own list of symbols that are not speech
    suppress_blank: bool = True
    suppress_numerals: bool = False  # spell numbers out instead of writing digits
    initial_prompt: str | None = None  # style and spelling to follow, given to every window
    hotwords: str | None = None  # names and terms to expect, given to every window
    verbatim: bool = False  # lead the model to write down fillers, repetitions and false starts

    def __post_init__(self) -> None:
        if self.beam_size < 1 or self.best_of < 1:
            raise InvalidOption("beam_size and best_of are at least 1.")
        if not self.temperatures or min(self.temperatures) < 0:
            raise InvalidOption("temperatures has at least one value, and none is negative.")


@dataclass(frozen=True, slots=True)
class Options:
    """One transcription. `language` None: detect it. `speakers` None: do not ask who speaks.

    Where the language is detected, `languages` are those that may occur (empty: all), and `follows_switches` lets
    a stretch be in another language than the rest.

    `numerals` says how numbers are written: as Whisper does, as words, or in digits. With `channels` split, each
    channel of the recording is one speaker, named by `channel_labels` in the order of the channels; where those end,
    and without any, SPEAKER_00 is the first channel.
    `align_model` is a CTC network (a name on the model hub, or a folder) for the words of every language; None: the
    usual one for each.
    """

    model: str = "base"
    language: str | None = None
    languages: tuple[str, ...] = ()
    follows_switches: bool = True
    task: Task = "transcribe"
    words: bool = True
    aligner: AlignerName = "whisper"
    align_model: str | None = None
    speakers: Speakers | None = field(default_factory=Speakers)
    diarizer: str = BUILT_IN  # or a pyannote pipeline: a name on the model hub, or a folder
    decoding: Decoding = field(default_factory=Decoding)
    numerals: Numerals = "as-is"
    channels: Channels = "mix"
    channel_labels: tuple[str, ...] = ()
    engine: Engine = "wortlaut"

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise InvalidOption(f"{self.engine!r} is no engine.", hint=f"The engines are {' and '.join(ENGINES)}.")
        if self.task not in ("transcribe", "translate"):
            raise InvalidOption(f"{self.task!r} is no task.", hint="The tasks are transcribe and translate.")
        if self.aligner not in ("whisper", "ctc"):
            raise InvalidOption(f"{self.aligner!r} is no aligner.", hint="The aligners are whisper and ctc.")
        if self.aligner == "ctc" and self.task == "translate":
            raise InvalidOption(
                "A CTC network hears the words that were said, not their translation.", hint="Leave out the aligner."
            )
        if self.align_model and self.aligner != "ctc":
            raise InvalidOption("An align model is for the aligner ctc.", hint="Ask for that aligner too.")
        if self.numerals not in get_args(Numerals):
            raise InvalidOption(f"{self.numerals!r} is no way to write numbers.", hint="Give as-is, words or digits.")
        if self.channels not in get_args(Channels):
            raise InvalidOption(f"{self.channels!r} cannot be done with channels.", hint="Give mix or split.")
        self._check_labels()

    def _check_labels(self) -> None:
        if self.channel_labels and self.channels != "split":
            raise InvalidOption("Channel labels name the channels of a split.", hint="Ask for channels=split as well.")
        if len(set(self.channel_labels)) < len(self.channel_labels) or not all(map(str.strip, self.channel_labels)):
            raise InvalidOption("Channel labels are names, each one given once.", hint="Give, say, Agent,Customer.")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage has come: seconds of the recording, or bytes for a download."""

    stage: str
    done: float
    total: float
