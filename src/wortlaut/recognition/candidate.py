"""One possible text of a window, and the signs by which invented text gives itself away."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from wortlaut.options import Decoding

LOOP_REPEATS = 4
LOOP_TOKENS = 16
"""A phrase said four times in a row, over at least this many tokens, is a loop and not emphasis."""
LONGEST_PHRASE_TOKENS = 24

CHARACTERS_PER_SECOND = 40
"""Nobody speaks that fast: auctioneers reach 30 in English, and other scripts need fewer characters."""
SPARE_CHARACTERS = 30
"""Allowed on top, because a detector may miss the edges of short speech."""

LEAST_CHARACTERS_PER_SECOND = 1
"""Less is no transcript of the speech: the slowest reading has ten times as much, in Chinese three times."""
LONG_SPEECH = 5.0
"""Seconds from which on that can be judged: a short cry may be a single word."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text and Whisper's own measures of it. `tokens` are text tokens; `text` is what they decode to."""

    tokens: tuple[int, ...]
    text: str
    avg_logprob: float
    no_speech_prob: float
    temperature: float

    @property
    def compression_ratio(self) -> float:
        """Bytes of the text by bytes after zlib; speech stays below 2.4."""
        encoded = self.text.encode()
        return len(encoded) / len(zlib.compress(encoded))


def is_silence(candidate: Candidate, decoding: Decoding, *, speech_seconds: float) -> bool:
    """Whether the model itself says that nobody speaks, and its text is doubtful or next to nothing.

    openai/whisper asks for doubt alone; but of its " you" for half a minute of silence the model is rather sure.
    """
    if decoding.no_speech_threshold is None or candidate.no_speech_prob <= decoding.no_speech_threshold:
        return False
    if decoding.logprob_threshold is None or is_unsure(candidate, decoding):
        return True
    return is_too_short(candidate.text, speech_seconds)


def doubts(candidate: Candidate, decoding: Decoding, *, speech_seconds: float) -> tuple[str, ...]:
    """Return why a text should not be believed; empty if nothing speaks against it."""
    reasons = {
        "it repeats itself": is_repetitive(candidate, decoding),
        "the model is unsure": is_unsure(candidate, decoding),
        "it is longer than the speech can carry": is_too_long(candidate.text, speech_seconds),
        "it is next to nothing for so much speech": is_too_short(candidate.text, speech_seconds),
    }
    return tuple(reason for reason, applies in reasons.items() if applies)


def is_repetitive(candidate: Candidate, decoding: Decoding) -> bool:
    threshold = decoding.compression_ratio_threshold
    if threshold is not None and candidate.compression_ratio > threshold:
        return True
    return has_loop(candidate.tokens)


def is_unsure(candidate: Candidate, decoding: Decoding) -> bool:
    return decoding.logprob_threshold is not None and candidate.avg_logprob < decoding.logprob_threshold


def is_too_long(text: str, speech_seconds: float) -> bool:
    return len(text) > SPARE_CHARACTERS + CHARACTERS_PER_SECOND * speech_seconds


def is_too_short(text: str, speech_seconds: float) -> bool:
    return speech_seconds >= LONG_SPEECH and len(text) < LEAST_CHARACTERS_PER_SECOND * speech_seconds


def has_loop(tokens: tuple[int, ...]) -> bool:
    """Whether a phrase is repeated at once, again and again."""
    return any(_is_looping(tokens, size) for size in range(1, LONGEST_PHRASE_TOKENS + 1))


def _is_looping(tokens: tuple[int, ...], size: int) -> bool:
    """Whether a phrase of `size` tokens repeats: a long run in which each token equals the one `size` before."""
    needed = max(LOOP_REPEATS * size, LOOP_TOKENS) - size
    run = 0
    for before, token in zip(tokens, tokens[size:], strict=False):
        run = run + 1 if before == token else 0
        if run >= needed:
            return True
    return False


def most_credible(candidates: list[Candidate], decoding: Decoding) -> Candidate:
    """Return the best of several doubtful texts: one that does not repeat itself, then the most probable."""
    return max(candidates, key=lambda one: (not is_repetitive(one, decoding), one.avg_logprob))
