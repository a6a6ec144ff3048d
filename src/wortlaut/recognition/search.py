"""Whisper's decoder: from encoder outputs to candidates, a batch of windows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import ctranslate2
import numpy as np

from wortlaut.options import Decoding, Task
from wortlaut.recognition.candidate import Candidate
from wortlaut.recognition.faults import engine_faults
from wortlaut.recognition.model import WhisperModel
from wortlaut.recognition.prompts import CONTEXT_TOKENS, prompt_tokens, suppressed_tokens
from wortlaut.speech.packing import MAXIMUM

LOOP_GUARD_TOKENS = 5
"""After a loop no phrase of this many tokens may come twice. Shorter ones come back in honest speech."""

TOKENS_PER_SECOND, SPARE_TOKENS = 60, 40
"""Nobody says more: fast speech has 6 tokens a second in English, and 40 in scripts of which each letter takes two."""

Way = Literal["as usual", "without prompt", "in pieces", "without repetition", "by chance"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to decode a window. At temperature 0 by beam search, above by drawing texts at random."""

    way: Way
    temperature: float = 0.0
    no_repeat_ngram_size: int = 0

    def __str__(self) -> str:
        return f"{self.way}, temperature {self.temperature:g}" if self.temperature else self.way


def attempts(decoding: Decoding, *, draws: bool = True) -> Iterator[Attempt]:
    """Yield what is tried in turn while a text looks bad: openai/whisper's temperatures, and three ways before chance.

    Another cut and the ban on repetition give the same answer each time and take one or two passes. Drawing at
    random costs `best_of` passages a temperature and cannot be reproduced: the engine's generators are never
    seeded again. Without `draws` it is left out. A single temperature means that no doubtful text is decoded again.
    """
    first, *others = decoding.temperatures
    usual_size = decoding.no_repeat_ngram_size
    yield Attempt("as usual", first, usual_size)
    if others:
        if decoding.initial_prompt or decoding.hotwords or decoding.verbatim:
            yield Attempt("without prompt", 0.0, usual_size)
        yield Attempt("in pieces", 0.0, usual_size)
        if not 0 < usual_size <= LOOP_GUARD_TOKENS:
            yield Attempt("without repetition", 0.0, LOOP_GUARD_TOKENS)
    for temperature in others if draws else ():
        yield Attempt("by chance", temperature, usual_size)


@dataclass(frozen=True, slots=True)
class Search:
    """The same search for every window of a language: prompts and suppressed tokens are fixed.

    `draws` False: no text is drawn by chance.
    """

    model: WhisperModel
    decoding: Decoding
    prompt: list[int]
    bare_prompt: list[int]
    suppressed: list[int]
    draws: bool = True

    @classmethod
    def of(cls, model: WhisperModel, decoding: Decoding, *, language: str, task: Task, draws: bool = True) -> Search:
        """Raises `UnknownLanguage`."""
        tokenizer = model.tokenizer
        bare = replace(decoding, initial_prompt=None, hotwords=None, verbatim=False)
        return cls(
            model,
            decoding,
            prompt_tokens(tokenizer, decoding, language=language, task=task),
            prompt_tokens(tokenizer, bare, language=language, task=task),
            suppressed_tokens(tokenizer, decoding),
            draws,
        )

    def run(
        self, encoded: Sequence[ctranslate2.StorageView], attempt: Attempt, *, speech_seconds: float = MAXIMUM
    ) -> list[Candidate]:
        """Return the best candidate for each encoder output of shape (1, states, d_model).

        `speech_seconds`, the most in any of them, limits how long a decoder that has lost its way may go on.
        """
        prompt = self.bare_prompt if attempt.way == "without prompt" else self.prompt
        with engine_faults():
            results = self.model.engine.generate(
                stacked(encoded),
                [prompt] * len(encoded),
                length_penalty=self.decoding.length_penalty,
                repetition_penalty=self.decoding.repetition_penalty,
                no_repeat_ngram_size=attempt.no_repeat_ngram_size,
                max_length=_engine_length(prompt, speech_seconds),
                suppress_blank=self.decoding.suppress_blank,
                suppress_tokens=self.suppressed,
                return_scores=True,
                return_no_speech_prob=True,
                **self._strategy(attempt.temperature),
            )
        return [self._candidate(result, attempt.temperature) for result in results]

    def _strategy(self, temperature: float) -> dict[str, float | int]:
        if temperature == 0:
            return {"beam_size": self.decoding.beam_size, "patience": self.decoding.patience}
        return {
            "beam_size": 1,
            "num_hypotheses": self.decoding.best_of,
            "sampling_topk": 0,  # draw from the whole vocabulary
            "sampling_temperature": temperature,
        }

    def _candidate(self, result: ctranslate2.models.WhisperGenerationResult, temperature: float) -> Candidate:
        scored = zip(result.scores, result.sequences_ids, strict=True)
        score, sequence = max(scored, key=lambda pair: pair[0])
        tokens = tuple(token for token in sequence if token < self.model.tokenizer.eot)
        text = self.model.tokenizer.decode(tokens)
        # The engine divides by length ** length_penalty without the end token; openai/whisper counts that too.
        total_logprob = score * len(sequence) ** self.decoding.length_penalty
        return Candidate(
            tokens=tokens if text.strip() else (),
            text=text if text.strip() else "",
            avg_logprob=total_logprob / (len(sequence) + 1),
            no_speech_prob=result.no_speech_prob,
            temperature=temperature,
        )


def _engine_length(prompt: Sequence[int], speech_seconds: float) -> int:
    """Return what lets the engine fill the context: it writes half of this, or what the prompt leaves of it.

    Less for short speech, so that the babble that a laugh sets off is soon over.
    """
    speakable = SPARE_TOKENS + TOKENS_PER_SECOND * speech_seconds
    free = CONTEXT_TOKENS - len(prompt)
    if speakable >= free:
        return 2 * free
    return max(2 * round(speakable), len(prompt) + round(speakable))


def stacked(encoded: Sequence[ctranslate2.StorageView]) -> ctranslate2.StorageView:
    """Return encoder outputs of shape (1, states, d_model) as one of shape (n, states, d_model)."""
    if len(encoded) == 1:
        return encoded[0]
    arrays = [np.asarray(_for_numpy(output)) for output in encoded]
    return ctranslate2.StorageView.from_array(np.concatenate(arrays))


def _for_numpy(output: ctranslate2.StorageView) -> ctranslate2.StorageView:
    """Return the output in a type that numpy has: it has no bfloat16."""
    is_bfloat16 = output.dtype == ctranslate2.DataType.bfloat16
    return output.to(ctranslate2.DataType.float32) if is_bfloat16 else output
