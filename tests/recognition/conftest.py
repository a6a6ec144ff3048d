"""A Whisper made of a script: the engine answers what the test says, everything around it is real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import SimpleNamespace

import ctranslate2
import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from wortlaut.audio import Audio, SpeechRegion, Window
from wortlaut.recognition.languages import LANGUAGES
from wortlaut.recognition.model import WhisperModel
from wortlaut.recognition.placement import Placement
from wortlaut.recognition.tokenizer import WhisperTokenizer


def byte_tokenizer_file(folder: Path, *, languages: Sequence[str] = tuple(LANGUAGES)) -> Path:
    """Write a tokenizer.json in which every byte is a token, with Whisper's special tokens behind them."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    codec = Tokenizer(models.BPE(vocab={sign: index for index, sign in enumerate(alphabet)}, merges=[]))
    codec.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    codec.decoder = decoders.ByteLevel()
    names = ["endoftext", "startoftranscript", *languages, "translate", "transcribe", "startoflm", "startofprev"]
    names += ["nospeech", "notimestamps"]
    codec.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in names])
    file = folder / "tokenizer.json"
    codec.save(str(file))
    return file


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory) -> WhisperTokenizer:
    return WhisperTokenizer(byte_tokenizer_file(tmp_path_factory.mktemp("bytes")), is_multilingual=True)


@pytest.fixture(scope="session")
def english_tokenizer(tmp_path_factory) -> WhisperTokenizer:
    return WhisperTokenizer(byte_tokenizer_file(tmp_path_factory.mktemp("english")), is_multilingual=False)


@dataclass(frozen=True)
class Said:
    """What the scripted engine answers to one window at one attempt."""

    text: str
    logprob: float = -0.2
    no_speech: float = 0.0


@dataclass
class ScriptedEngine:
    """Answers by the number that the encoder output is filled with: the window's start in seconds."""

    tokenizer: WhisperTokenizer
    script: dict[int, list[Said]]
    is_multilingual: bool = True
    n_mels: int = 80
    calls: list[tuple[list[int], dict]] = field(default_factory=list)
    attempts: dict[int, int] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def generate(self, encoded, prompts, **settings):
        with self.lock:
            starts = [int(value) for value in np.asarray(encoded)[:, 0, 0]]
            assert len(prompts) == len(starts)
            self.calls.append((starts, settings | {"prompts": prompts}))
            return [self._answer(start, settings) for start in starts]

    def _answer(self, start: int, settings: dict) -> SimpleNamespace:
        attempt = self.attempts.get(start, 0)
        self.attempts[start] = attempt + 1
        said = self.script[start][min(attempt, len(self.script[start]) - 1)]
        tokens = self.tokenizer.encode(said.text)
        # The engine's score is the sum of log-probabilities by length ** length_penalty, without the end token.
        score = said.logprob * (len(tokens) + 1) / max(len(tokens), 1) ** settings["length_penalty"]
        return SimpleNamespace(sequences_ids=[tokens], scores=[score], no_speech_prob=said.no_speech)

    def detect_language(self, encoded):
        start = int(np.asarray(encoded)[0, 0, 0])
        language, probability = self.script[start][0].text, self.script[start][0].no_speech
        return [[(f"<|{language}|>", probability), ("<|la|>", 1 - probability)]]


class ScriptedModel(WhisperModel):
    """Encodes a window into its start time."""

    def encode(self, audio, start, end, *, is_padded=True):
        self.encoded_starts = [*getattr(self, "encoded_starts", []), start]
        return ctranslate2.StorageView.from_array(np.full((1, 2, 4), start, np.float32))


@pytest.fixture
def scripted(tokenizer, english_tokenizer):
    """Return a function from a script (window start to answers) to a model that follows it."""

    def build(script, *, workers: int = 1, is_multilingual: bool = True) -> ScriptedModel:
        chosen = tokenizer if is_multilingual else english_tokenizer
        engine = ScriptedEngine(chosen, script, is_multilingual=is_multilingual)
        return ScriptedModel(engine, chosen, Placement("cpu", "int8", workers, 1))

    return build


def window(start: float, end: float | None = None, *, speech: float | None = None) -> Window:
    """Return a window, ten seconds long unless said otherwise, with four seconds of speech from its start on."""
    end = start + 10.0 if end is None else end
    return Window(start, end, (SpeechRegion(start, min(end, start + 4.0) if speech is None else start + speech),))


@pytest.fixture
def audio() -> Audio:
    return Audio.from_array(np.zeros(100 * 16_000, np.float32))
