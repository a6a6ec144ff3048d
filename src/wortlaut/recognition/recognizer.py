"""Whisper as a `Recognizer`: windows in, passages out, doubtful ones decoded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wortlaut.audio import Audio, Window
from wortlaut.errors import InvalidOption
from wortlaut.lookahead import map_ahead
from wortlaut.notice import Notice
from wortlaut.options import Decoding, Task
from wortlaut.recognition.candidate import Candidate, is_silence
from wortlaut.recognition.fallback import Finding, WindowDecoder
from wortlaut.recognition.faults import engine_faults
from wortlaut.recognition.language_vote import Vote, elect, speech_seconds, voters
from wortlaut.recognition.model import WhisperModel
from wortlaut.recognition.prompts import is_truncated
from wortlaut.recognition.search import Search
from wortlaut.recognition.switching import allowed, other_language, switched
from wortlaut.stages import LanguageGuess
from wortlaut.transcript import Passage

BATCH_SIZES = {"cpu": 4, "cuda": 16}
"""Windows decoded together by one worker. Each step of the decoder reads all of its weights, for one window as for
several: on a CPU four cost two thirds of four single ones. Eight save little more, for 150 MB a worker (base)."""

BATCHES_AHEAD = 1
"""Batches begun beyond those that the workers are busy with, so that none waits for the consumer."""


class WhisperRecognizer:
    """Text by Whisper, without its timestamps: the aligner finds better ones, and the text is better without.

    `batch_size` 0 chooses what suits the device. `languages` are those that may be detected, empty: all. If
    `follows_switches`, a window may be in another language than the recording. Without `draws`, doubtful windows are
    decoded again in all ways but by chance. If it `asks_briefly`, `detect_language` hears the windows alone, not filled
    up to 30 s: a tenth of the work for a piece, and a little less sure. Safe to use from several threads.
    """

    def __init__(
        self,
        model: WhisperModel,
        *,
        decoding: Decoding,
        task: Task,
        batch_size: int = 0,
        languages: Sequence[str] = (),
        follows_switches: bool = False,
        draws: bool = True,
        asks_briefly: bool = False,
    ) -> None:
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
        self._languages = tuple(languages)
        self._draws = draws
        self._asks_briefly = asks_briefly
        self._follows_switches = follows_switches and model.is_multilingual and task == "transcribe"

    def detect_language(self, audio: Audio, windows: Sequence[Window], /) -> LanguageGuess:
        """Let a few windows vote. An English-only model answers English; no windows give it probability 0."""
        if not self._model.is_multilingual:
            return LanguageGuess("en", 1.0)
        return elect([self._vote(audio, window, is_padded=not self._asks_briefly) for window in voters(windows)])

    def recognize(self, audio: Audio, windows: Sequence[Window], /, *, language: str) -> Iterator[Passage]:
        """Yield one passage a window. Raises `UnknownLanguage` at once; closing the iterator stops the work."""
        search = self._search(language)
        spoken = "en" if self._task == "translate" else language
        return self._passages(audio, windows, search, spoken)

    def _passages(self, audio: Audio, windows: Sequence[Window], search: Search, language: str) -> Iterator[Passage]:
        """Recognize batches on all workers, a little ahead of the consumer."""

        def decode(batch: Sequence[Window], code: str) -> list[Finding]:
            chosen = search if code == language else self._search(code)
            return WindowDecoder(chosen, audio).decode(batch)

        def work(batch: Sequence[Window]) -> list[Passage]:
            found = decode(batch, language)
            heard = [self._languages_of(audio, window) for window in batch]
            others = [other_language(one, language, window) for one, window in zip(heard, batch, strict=True)]
            spoken = switched(batch, found, others, language, decode)
            passages = [passage(window, *one, self._decoding) for window, one in zip(batch, spoken, strict=True)]
            return [
                replace(one, other_language_share=other_share(its, one))
                for one, its in zip(passages, heard, strict=True)
            ]

        workers = self._model.workers
        notices = self._prompt_notices(language)
        with self._model.remembering(self._batch_size * (workers + BATCHES_AHEAD + 1)):
            for passages in map_ahead(work, self._batches(windows), workers=workers, ahead=BATCHES_AHEAD):
                for one in passages:
                    yield replace(one, notices=(*notices, *one.notices))
                    notices = ()

    def _search(self, language: str) -> Search:
        return Search.of(self._model, self._decoding, language=language, task=self._task, draws=self._draws)

    def _languages_of(self, audio: Audio, window: Window) -> Mapping[str, float]:
        """Return how probable each language is by the sound of a window; nothing if switches are not followed."""
        return self._vote(audio, window).probabilities if self._follows_switches else {}

    def _batches(self, windows: Sequence[Window]) -> list[Sequence[Window]]:
        """Cut the windows into batches, smaller ones where that keeps all workers busy."""
        size = max(min(self._batch_size, -(-len(windows) // self._model.workers)), 1)
        return [windows[first : first + size] for first in range(0, len(windows), size)]

    def _vote(self, audio: Audio, window: Window, *, is_padded: bool = True) -> Vote:
        encoded = self._model.encode(audio, window.start, window.end, is_padded=is_padded)
        with engine_faults():
            ranking = self._model.engine.detect_language(encoded)[0]
        probabilities = {token[2:-2]: probability for token, probability in ranking}
        return Vote(allowed(probabilities, self._languages), speech_seconds(window))

    def _prompt_notices(self, language: str) -> tuple[Notice, ...]:
        if not is_truncated(self._model.tokenizer, self._decoding, language):
            return ()
        return (Notice("prompt-truncated", "Hotwords and initial prompt are too long; only a part was used."),)


def other_share(probabilities: Mapping[str, float], found: Passage) -> float:
    """Return how probable the most probable language is that a passage is not in; 0 if nobody asked."""
    return max((share for code, share in probabilities.items() if code != found.language), default=0.0)


def passage(window: Window, finding: Finding, language: str, decoding: Decoding) -> Passage:
    """Return what is reported of a window: its text, or none where the model says that nobody speaks."""
    candidate = finding.candidate
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
        trials=finding.trials,
        doubts=finding.doubts,
    )
    if is_silence(candidate, decoding, speech_seconds=speech_seconds(window)):
        return replace(found, text="", tokens=(), notices=_dropped(window, candidate))
    return replace(found, notices=_doubted(window, finding.doubts))


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
