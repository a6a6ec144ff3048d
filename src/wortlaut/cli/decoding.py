"""How Whisper searches and when a text is doubted, as options of `wortlaut transcribe`; named as in whisperX."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import typer

from wortlaut.errors import InvalidOption
from wortlaut.options import Decoding

_HOTTEST = 1.0
"""openai/whisper tries no higher temperature."""


def _optional_number(text: str | float) -> float:
    """Read a number, or None as NaN: typer takes a parser's None for an option that was not given."""
    if str(text).strip().lower() in ("none", "off"):
        return math.nan
    try:
        return float(text)
    except ValueError as error:
        raise InvalidOption(f"{text!r} is neither a number nor None.") from error


def given(number: float) -> float | None:
    """Return what an optional number stands for."""
    return None if math.isnan(number) else number


def temperatures(first: float, step: float | None) -> tuple[float, ...]:
    """Return the temperatures from the first up to 1; the first alone without a step."""
    if step is None:
        return (first,)
    if not step > 0:
        raise InvalidOption("--temperature-increment-on-fallback is above 0, or None.")
    count = max(math.floor((_HOTTEST - first) / step + 1e-6) + 1, 1)
    return tuple(round(first + step * number, 6) for number in range(count))


def suppressed(text: str) -> tuple[int, ...]:
    """Read a comma-separated list of token numbers."""
    try:
        return tuple(int(each) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise InvalidOption(f"--suppress-tokens {text!r} is no comma-separated list of numbers.") from error


def _optional(help_text: str) -> object:
    return typer.Option(parser=_optional_number, metavar="NUMBER|None", help=help_text)


BeamSize = Annotated[int, typer.Option(min=1, help="Hypotheses kept while searching.")]
BestOf = Annotated[int, typer.Option(min=1, help="Texts drawn at temperatures above 0; the best one counts.")]
Patience = Annotated[float, typer.Option(help="The search ends when patience x beam size hypotheses have ended.")]
LengthPenalty = Annotated[float, typer.Option(help="Exponent of the length that a hypothesis' score is divided by.")]
Temperature = Annotated[float, typer.Option(min=0.0, help="Temperature of the first attempt.")]
TemperatureStep = Annotated[
    float, _optional("Step to the next temperature while a text looks bad; None: doubtful texts are not decoded again.")
]
CompressionRatio = Annotated[float, _optional("A text that compresses better repeats itself and is decoded again.")]
Logprob = Annotated[float, _optional("A text whose average log-probability is lower is decoded again.")]
NoSpeech = Annotated[float, _optional("Above this probability of no speech a doubtful text is dropped.")]
SuppressTokens = Annotated[str, typer.Option(help="Numbers of tokens never written; -1: signs that are not speech.")]
SuppressNumerals = Annotated[bool, typer.Option("--suppress-numerals", help="whisperX's name for --numerals words.")]
InitialPrompt = Annotated[str | None, typer.Option(help="Style and spelling to follow.")]
Hotwords = Annotated[str | None, typer.Option(help="Names and terms to expect.")]
Verbatim = Annotated[bool, typer.Option("--verbatim", help="Keep fillers and false starts, as far as Whisper can.")]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The options that make a `Decoding`."""

    initial_prompt: InitialPrompt = None
    hotwords: Hotwords = None
    verbatim: Verbatim = False
    beam_size: BeamSize = 5
    best_of: BestOf = 5
    patience: Patience = 1.0
    length_penalty: LengthPenalty = 1.0
    temperature: Temperature = 0.0
    temperature_increment_on_fallback: TemperatureStep = 0.2
    compression_ratio_threshold: CompressionRatio = 2.4
    logprob_threshold: Logprob = -1.0
    no_speech_threshold: NoSpeech = 0.6
    suppress_tokens: SuppressTokens = "-1"
    suppress_numerals: SuppressNumerals = False

    def decoding(self) -> Decoding:
        return Decoding(
            beam_size=self.beam_size,
            best_of=self.best_of,
            patience=self.patience,
            length_penalty=self.length_penalty,
            temperatures=temperatures(self.temperature, given(self.temperature_increment_on_fallback)),
            compression_ratio_threshold=given(self.compression_ratio_threshold),
            logprob_threshold=given(self.logprob_threshold),
            no_speech_threshold=given(self.no_speech_threshold),
            suppress_tokens=suppressed(self.suppress_tokens),
            suppress_numerals=self.suppress_numerals,
            initial_prompt=self.initial_prompt,
            hotwords=self.hotwords,
            verbatim=self.verbatim,
        )
