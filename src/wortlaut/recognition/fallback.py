"""Windows that look bad are decoded again: in other ways, together, and no more often than needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from wortlaut.audio import Audio, Window
from wortlaut.options import Decoding
from wortlaut.recognition.candidate import (
    Candidate,
    doubts,
    is_repetitive,
    is_silence,
    is_sparse,
    is_too_long,
    joined,
    most_credible,
    says_the_same,
    spoken_length,
)
from wortlaut.recognition.language_vote import speech_seconds
from wortlaut.recognition.search import Attempt, Search, attempts
from wortlaut.speech.packing import pack
from wortlaut.transcript import Trial

CREDIBLE_TEMPERATURE = 0.5
"""Above this openai/whisper does not believe its own text enough to continue from it."""

BY_CHANCE = "only a text drawn at random passed the checks"

ANOTHER_TEXT = "cut elsewhere, another text is heard"

SURE_LOGPROB = -0.45
"""Average log-probability of each piece that may add to a text, and of one of two cuts that confirm a repetition:
honest ones had -0.1 to -0.4, invented ones -0.5 and less. A text with less is heard once more, cut elsewhere."""
PIECE_SHARE = 0.6
"""A window is cut again into pieces of at most this share of its length, so that no cut lies where none lay."""
SHORTEST_PIECE = 5.0
"""Seconds: shorter pieces are hardly ever heard better."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The text of a window, what still speaks against it, and all that was tried."""

    candidate: Candidate
    doubts: tuple[str, ...]
    trials: tuple[Trial, ...]


@dataclass(slots=True)
class _Effort:
    """A window on its way to a text. `settled` is the text that is believed although checks failed."""

    window: Window
    decoding: Decoding
    tried: list[tuple[Attempt, Candidate]] = field(default_factory=list)
    settled: Candidate | None = None

    @property
    def seconds(self) -> float:
        return speech_seconds(self.window)

    @property
    def last(self) -> Candidate:
        return self.tried[-1][1]

    @property
    def candidates(self) -> list[Candidate]:
        return [candidate for _, candidate in self.tried]

    def doubts(self, candidate: Candidate) -> tuple[str, ...]:
        return doubts(candidate, self.decoding, speech_seconds=self.seconds)

    def is_done(self) -> bool:
        return bool(self.tried) and (self.settled is not None or not self._is_doubtful(self.last))

    def _is_doubtful(self, candidate: Candidate) -> bool:
        """Whether decoding again is worth it: not if nobody speaks."""
        return not self._is_silence(candidate) and bool(self.doubts(candidate))

    def _is_sparse(self) -> bool:
        return not self._is_silence(self.last) and is_sparse(self.last.text, self.seconds)

    def _is_silence(self, candidate: Candidate) -> bool:
        return is_silence(candidate, self.decoding, speech_seconds=self.seconds)

    def _is_shaky(self) -> bool:
        """Whether the model is less sure than of most honest texts: then the other cut is a witness."""
        return not self._is_silence(self.last) and self.last.avg_logprob < SURE_LOGPROB

    def wants(self, attempt: Attempt) -> bool:
        """Whether to try this: another cut if sentences may be missing, everything if the text looks invented."""
        if attempt.way == "in pieces" and self.settled is None and (self._is_sparse() or self._is_shaky()):
            return True
        if self.is_done():
            return False
        return attempt.way != "without repetition" or is_repetitive(self.last, self.decoding)

    def add(self, attempt: Attempt, candidate: Candidate, *, is_sure: bool = True) -> None:
        """Take note of a candidate. `is_sure`: the model is confident of each piece of it.

        A text that was only shaky stays as it is: what the other cut says decides whether it is believed.
        """
        if attempt.way == "in pieces" and self.is_done() and not self._is_sparse():
            self.settled = self.last
        self.tried.append((attempt, candidate))
        if attempt.way == "in pieces" and self.settled is None:
            first = self.tried[0][1]
            is_sure_of_one = is_sure or first.avg_logprob >= SURE_LOGPROB
            self.settled = self._heard_twice(first, candidate) if is_sure_of_one else None
            self.settled = self.settled or self._short(first, candidate if is_sure else first)

    def _heard_twice(self, first: Candidate, second: Candidate) -> Candidate | None:
        """Return the longer text if both cuts say the same, however often it is repeated: then it was said.

        What a decoder invents depends on where it began; what people say does not.
        """
        if not any(is_repetitive(one, self.decoding) for one in (first, second)):
            return None
        if not (says_the_same(first.text, second.text) and says_the_same(second.text, first.text)):
            return None
        speakable = [one for one in (second, first) if not is_too_long(one.text, self.seconds)]
        return max(speakable, key=lambda one: len(one.text), default=None)

    def _short(self, first: Candidate, second: Candidate) -> Candidate | None:
        """Return the longer text that is credible, if all that was wrong is that it was short.

        What more there is to hear, chance would not find.
        """
        credible = [one for one in (first, second) if not self.doubts(one)]
        return max(credible, key=lambda one: spoken_length(one.text), default=None)

    def finding(self) -> Finding:
        chosen, remaining = self._chosen()
        trials = tuple(_trial(attempt, one, self.doubts(one)) for attempt, one in self.tried)
        return Finding(chosen, remaining, trials)

    def _chosen(self) -> tuple[Candidate, tuple[str, ...]]:
        """Return the settled or the last candidate if it is a good one, else the best of all.

        A text that looked good only when it was drawn by chance passes, but with a remark: on music and noise
        that is how invented text comes about.
        """
        if self.settled is not None:
            return self.settled, self._second_cut(self.settled)
        if not self._is_doubtful(self.last):
            is_chance = self.last.temperature > CREDIBLE_TEMPERATURE
            return self.last, (BY_CHANCE,) if is_chance else self._second_cut(self.last)
        best = most_credible(self.candidates, self.decoding)
        return best, self.doubts(best)

    def _second_cut(self, chosen: Candidate) -> tuple[str, ...]:
        """Return a doubt if the other cut says something else: then at least one of them was not said."""
        pairs = [(whole, cut) for (_, whole), (attempt, cut) in pairwise(self.tried) if attempt.way == "in pieces"]
        texts = [(whole.text, cut.text) for whole, cut in pairs if chosen in (whole, cut)]
        differ = any(not says_the_same(one, other) and not says_the_same(other, one) for one, other in texts)
        return (ANOTHER_TEXT,) if differ else ()


@dataclass(frozen=True, slots=True)
class WindowDecoder:
    """Decodes the windows of one recording in one language."""

    search: Search
    audio: Audio

    def decode(self, windows: Sequence[Window]) -> list[Finding]:
        """Return what each window says. Those that look bad are decoded again, together; the others are left alone."""
        efforts = [_Effort(window, self.search.decoding) for window in windows]
        for attempt in attempts(self.search.decoding, draws=self.search.draws):
            self._try(attempt, [effort for effort in efforts if effort.wants(attempt)])
        return [effort.finding() for effort in efforts]

    def _try(self, attempt: Attempt, efforts: Sequence[_Effort]) -> None:
        """Decode the windows of all efforts in one batch, whole or in pieces."""
        is_cut = attempt.way == "in pieces"
        cuts = [(one, pieces(self.audio, one.window) if is_cut else [one.window]) for one in efforts]
        cuts = [(one, cut) for one, cut in cuts if not is_cut or len(cut) > 1]
        found = iter(self._run([window for _, cut in cuts for window in cut], attempt))
        for effort, cut in cuts:
            parts = [(window, next(found)) for window in cut]
            effort.add(attempt, self._joined(parts) if is_cut else parts[0][1], is_sure=_is_sure(parts))

    def _run(self, windows: Sequence[Window], attempt: Attempt) -> list[Candidate]:
        if not windows:
            return []
        model = self.search.model
        encoded = [model.encode(self.audio, one.start, one.end) for one in windows]
        return self.search.run(encoded, attempt, speech_seconds=max(map(speech_seconds, windows)))

    def _joined(self, parts: Sequence[tuple[Window, Candidate]]) -> Candidate:
        """Join pieces, without the text of those in which nobody speaks."""
        return joined([_silenced(window, candidate, self.search.decoding) for window, candidate in parts])


def pieces(audio: Audio, window: Window) -> list[Window]:
    """Cut a window again, elsewhere; a window too short for that stays whole."""
    longest = (window.end - window.start) * PIECE_SHARE
    if longest < SHORTEST_PIECE or not window.regions:
        return [window]
    cut = pack(audio, window.regions, maximum=longest)
    if len(cut) == 1:
        return [window]
    return [replace(one, start=max(one.start, window.start), end=min(one.end, window.end)) for one in cut]


def _is_sure(parts: Sequence[tuple[Window, Candidate]]) -> bool:
    return all(candidate.avg_logprob >= SURE_LOGPROB for _, candidate in parts if candidate.text)


def _silenced(window: Window, candidate: Candidate, decoding: Decoding) -> Candidate:
    is_silent = is_silence(candidate, decoding, speech_seconds=speech_seconds(window))
    return replace(candidate, tokens=(), text="") if is_silent else candidate


def _trial(attempt: Attempt, candidate: Candidate, reasons: tuple[str, ...]) -> Trial:
    return Trial(
        str(attempt),
        candidate.text,
        candidate.avg_logprob,
        candidate.no_speech_prob,
        candidate.compression_ratio,
        reasons,
    )
