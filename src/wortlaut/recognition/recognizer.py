"""Whisper as a `Recognizer`: windows in, passages out, doubtful ones decoded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import ctranslate2

from wortlaut.audio import Audio, Window
from wortlaut.errors import InvalidOption
from wortlaut.lookahead import map_ahead
from wortlaut.notice import Notice
from wortlaut.options import Decoding, Task
from wortlaut.recognition.candidate import Candidate, doubts, is_repetitive, is_silence, most_credible
from wortlaut.recognition.faults import engine_faults
from wortlaut.recognition.language_vote import Vote, elect, speech_seconds, voters
from wortlaut.recognition.model import WhisperModel
from wortlaut.recognition.prompts import is_truncated, prompt_tokens, suppressed_tokens
from wortlaut.recognition.search import Search, attempts
from wortlaut.stages import LanguageGuess
from wortlaut.transcript import Passage

BATCH_SIZES = {"cpu": 1, "cuda": 16}
"""Windows decoded together by one worker. A CPU core is busy with one; an accelerator is not."""

CREDIBLE_TEMPERATURE = 0.5
"""Above this openai/whisper does not believe its own text enough to continue from it."""


class WhisperRecognizer:
    """Text by Whisper, without its timestamps: the aligner finds better ones, and the text is better without.

    `batch_size` 0 chooses what suits the device. Safe to use from several threads.
    """

    def __init__(self, model: WhisperModel, *, decoding: Decoding, task: Task, batch_size: int = 0) -> None:
        if batch_size < 0:
            raise InvalidOption("The batch size is at least 0, which means: choose.")
        if task == "translate" and not model.is_multilingual:
            raise InvalidOption(
                "An English-only model cannot translate.", hint="Choose a model without .en in its name."
            )
        self._model = model
        self._decoding = decoding
        self._task = task
        self._batch_size = batch_size or BATCH_SIZES[model.device]

    def detect_language(self, audio: Audio, windows: Sequence[Window], /) -> LanguageGuess:
        """Let a few windows vote. An English-only model answers English; no windows give it probability 0."""
        if not self._model.is_multilingual:
            return LanguageGuess("en", 1.0)
        return elect([self._vote(audio, window) for window in voters(windows)])

    def recognize(self, audio: Audio, windows: Sequence[Window], /, *, language: str) -> Iterator[Passage]:
        """Yield one passage a window. Raises `UnknownLanguage` at once; closing the iterator stops the work."""
        tokenizer = self._model.tokenizer
        search = Search(
            self._model,
            self._decoding,
            prompt_tokens(tokenizer, self._decoding, language=language, task=self._task),
            suppressed_tokens(tokenizer, self._decoding),
        )
        spoken = "en" if self._task == "translate" else language
        return self._passages(audio, windows, search, spoken)

    def _passages(self, audio: Audio, windows: Sequence[Window], search: Search, language: str) -> Iterator[Passage]:
        """Recognize batches on all workers, a little ahead of the consumer."""

        def work(batch: Sequence[Window]) -> list[Passage]:
            encoded = [self._model.encode(audio, window.start, window.end) for window in batch]
            found = decode_with_fallback(search, encoded, batch)
            return [passage(window, *best, language, self._decoding) for window, best in zip(batch, found, strict=True)]

        workers = self._model.workers
        notices = self._prompt_notices()
        for passages in map_ahead(work, self._batches(windows), workers=workers, ahead=workers):
            for one in passages:
                yield replace(one, notices=(*notices, *one.notices))
                notices = ()

    def _batches(self, windows: Sequence[Window]) -> list[Sequence[Window]]:
        """Cut the windows into batches, smaller ones where that keeps all workers busy."""
        size = max(min(self._batch_size, -(-len(windows) // self._model.workers)), 1)
        return [windows[first : first + size] for first in range(0, len(windows), size)]

    def _vote(self, audio: Audio, window: Window) -> Vote:
        encoded = self._model.encode(audio, window.start, window.end)
        with engine_faults():
            ranking = self._model.engine.detect_language(encoded)[0]
        return Vote({token[2:-2]: probability for token, probability in ranking}, speech_seconds(window))

    def _prompt_notices(self) -> tuple[Notice, ...]:
        if not is_truncated(self._model.tokenizer, self._decoding):
            return ()
        return (Notice("prompt-truncated", "Hotwords and initial prompt are too long; only a part was used."),)


def decode_with_fallback(
    search: Search, encoded: Sequence[ctranslate2.StorageView], windows: Sequence[Window]
) -> list[tuple[Candidate, tuple[str, ...]]]:
    """Return for each window its best candidate and what still speaks against that one.

    Windows that look bad are decoded again, together, by the next attempt; all others are left alone.
    """
    tried: list[list[Candidate]] = [[] for _ in windows]
    pending = list(range(len(windows)))
    for attempt in attempts(search.decoding):
        chosen = [i for i in pending if not attempt.is_loop_guard or is_repetitive(tried[i][-1], search.decoding)]
        found = search.run([encoded[i] for i in chosen], attempt) if chosen else []
        for i, candidate in zip(chosen, found, strict=True):
            tried[i].append(candidate)
        pending = [i for i in pending if _is_doubtful(tried[i][-1], windows[i], search.decoding)]
        if not pending:
            break
    return [_chosen(some, window, search.decoding) for some, window in zip(tried, windows, strict=True)]


def _is_doubtful(candidate: Candidate, window: Window, decoding: Decoding) -> bool:
    """Whether decoding again is worth it: not if nobody speaks."""
    seconds = speech_seconds(window)
    if is_silence(candidate, decoding, speech_seconds=seconds):
        return False
    return bool(doubts(candidate, decoding, speech_seconds=seconds))


def _chosen(tried: list[Candidate], window: Window, decoding: Decoding) -> tuple[Candidate, tuple[str, ...]]:
    """Return the last candidate if it is a good one, else the best of all.

    A text that looked good only when it was drawn by chance passes, but with a remark: on music and noise that
    is how invented text comes about.
    """
    if not _is_doubtful(tried[-1], window, decoding):
        is_chance = tried[-1].temperature > CREDIBLE_TEMPERATURE
        return tried[-1], ("only a text drawn at random passed the checks",) if is_chance else ()
    best = most_credible(tried, decoding)
    return best, doubts(best, decoding, speech_seconds=speech_seconds(window))


def passage(
    window: Window, candidate: Candidate, reasons: tuple[str, ...], language: str, decoding: Decoding
) -> Passage:
    """Return what is reported of a window: its text, or none where the model says that nobody speaks."""
    found = Passage(
        start=window.start,
        end=window.end,
        text=candidate.text,
        language=language,
        regions=window.regions,
        tokens=candidate.tokens,
        avg_logprob=candidate.avg_logprob,
        no_speech_prob=candidate.no_speech_prob,
        compression_ratio=candidate.compression_ratio,
        temperature=candidate.temperature,
    )
    if is_silence(candidate, decoding, speech_seconds=speech_seconds(window)):
        return replace(found, text="", tokens=(), notices=_dropped(window, candidate))
    return replace(found, notices=_doubted(window, reasons))


def _dropped(window: Window, candidate: Candidate) -> tuple[Notice, ...]:
    if not candidate.text:
        return ()
    message = f"Nobody seems to speak here; a doubtful text was left out: {candidate.text.strip()}"
    return (Notice("window-without-speech", message, window.start, window.end),)


def _doubted(window: Window, reasons: tuple[str, ...]) -> tuple[Notice, ...]:
    if not reasons:
        return ()
    message = f"The text may be wrong here: {', '.join(reasons)}."
    return (Notice("low-confidence", message, window.start, window.end),)
