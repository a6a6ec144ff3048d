"""Text to Whisper's tokens and back, and the tokens that are not text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer

from wortlaut.errors import ModelCorrupt, UnknownLanguage
from wortlaut.options import Task
from wortlaut.recognition.languages import LANGUAGES

# What openai/whisper keeps the model from writing: brackets and signs that subtitles use for sounds and music.
_SYMBOLS = (
    *'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
    *("<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", '("', "((", "))"),
    *("(((", ")))", "[[", "]]", "{{", "}}", "♪♪", "♪♪♪"),
)
_MUSIC = "♩♪♫♬♭♮♯"
_NUMERAL_SIGNS = re.compile(r"[0-9%$£€¥]")


class WhisperTokenizer:
    """The tokenizer of one model. Immutable and safe to share between threads."""

    def __init__(self, file: Path, *, is_multilingual: bool) -> None:
        """Read a `tokenizer.json`. Raises `ModelCorrupt`."""
        self.is_multilingual = is_multilingual
        self._codec = _read(file)
        self.eot = self._special("<|endoftext|>")
        self.sot = self._special("<|startoftranscript|>")
        self.sot_prev = self._special("<|startofprev|>")
        self.sot_lm = self._special("<|startoflm|>")
        self.transcribe = self._special("<|transcribe|>")
        self.translate = self._special("<|translate|>")
        self.no_speech = self._special("<|nospeech|>", "<|nocaptions|>")
        self.no_timestamps = self._special("<|notimestamps|>")

    def encode(self, text: str) -> list[int]:
        """Return the tokens of text; what looks like a special token is text too. Nothing is added."""
        return list(self._codec.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens, with its leading space; tokens that are not text say nothing.

        Bytes that are no character, because a character was cut in half, become U+FFFD.
        """
        text_tokens = [token for token in tokens if token < self.eot]
        return str(self._codec.decode(text_tokens, skip_special_tokens=False))

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages the model knows; of an English-only model only `en`."""
        if not self.is_multilingual:
            return ("en",)
        return tuple(code for code in LANGUAGES if self._codec.token_to_id(f"<|{code}|>") is not None)

    def language_token(self, code: str) -> int:
        """Return the token of a language. Raises `UnknownLanguage` if the model does not know it."""
        if not self.is_multilingual or code not in self.languages:
            raise UnknownLanguage(f"This model does not know the language {code!r}.")
        return self._special(f"<|{code}|>")

    def sot_sequence(self, language: str, task: Task) -> list[int]:
        """Return what a transcript starts with: start, language, task. An English-only model has the start only."""
        if self.is_multilingual:
            task_token = self.translate if task == "translate" else self.transcribe
            return [self.sot, self.language_token(language), task_token]
        if language != "en" or task != "transcribe":
            raise UnknownLanguage(
                f"This model transcribes English only, not {language} ({task}).",
                hint="Choose a model without .en in its name.",
            )
        return [self.sot]

    @cached_property
    def non_speech_tokens(self) -> tuple[int, ...]:
        """Tokens that stand for no speech, derived as openai/whisper does (`Tokenizer.non_speech_tokens`).

        A hyphen or an apostrophe is kept inside words but not where a word begins. The music signs share
        their first bytes with other signs that nobody speaks, so the first token of each is enough.
        """
        found = {self.encode(" -")[0], self.encode(" '")[0]}
        for symbol in (*_SYMBOLS, *_MUSIC):
            for tokens in (self.encode(symbol), self.encode(" " + symbol)):
                if len(tokens) == 1 or symbol in _MUSIC:
                    found.add(tokens[0])
        return tuple(sorted(found))

    @cached_property
    def control_tokens(self) -> tuple[int, ...]:
        """Tokens that steer the decoder and must never be written by it."""
        return (self.sot, self.sot_prev, self.sot_lm, self.transcribe, self.translate, self.no_speech)

    @cached_property
    def numeral_tokens(self) -> tuple[int, ...]:
        """Text tokens with a digit or a sign for percent or money: without them numbers are written as words."""
        return tuple(token for token in range(self.eot) if _NUMERAL_SIGNS.search(self.decode([token])))

    def _special(self, *names: str) -> int:
        for name in names:
            token = self._codec.token_to_id(name)
            if token is not None:
                return int(token)
        raise ModelCorrupt(f"The tokenizer has no {names[0]}: this is not a Whisper model.")


def _read(file: Path) -> Tokenizer:
    if not file.is_file():
        raise ModelCorrupt(f"{file} is missing.", hint="A Whisper folder holds model.bin and tokenizer.json.")
    try:
        codec = Tokenizer.from_file(str(file))
    except Exception as fault:
        # The library raises the bare class, with the parser's message in it.
        if type(fault) is not Exception:
            raise
        raise ModelCorrupt(f"{file} is no tokenizer: {fault}.") from fault
    codec.encode_special_tokens = True
    return codec
