"""One possible text of a window, and the signs by which invented text gives itself away."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from wortlaut.options import Decoding

LOOP_REPEATS = 4
LOOP_TOKENS = 16
"""A phrase said four times in a row, over at least this many tokens, is a loop and not emphasis."""
LONGEST_PHRASE_TOKENS = 24

CHARACTERS_PER_SECOND = 30
"""Nobody speaks that fast for long: windows of real speech in nine languages have 8 to 21."""
SPARE_CHARACTERS = 30
"""Allowed on top, because a detector may miss the edges of short speech."""

LEAST_CHARACTERS_PER_SECOND = 1
"""Less is no transcript of the speech: the slowest reading has ten times as much, in Chinese three times."""
LONG_SPEECH = 5.0
"""Seconds from which on that can be judged: a short cry may be a single word."""

SPARSE_CHARACTERS_PER_SECOND = 7
"""Less looks as if sentences were left out: single words read from a list and slow radio traffic have 9."""
SPARSE_SPEECH = 8.0
"""Seconds from which on that can be judged."""

SYLLABARY = 0x1100
"""From here on Unicode has scripts in which a character is a syllable or a word: Hangul, kana, Chinese characters."""
CHARACTERS_PER_SYLLABLE = 2.5
"""What such a character counts for, so that one speed fits all scripts."""

SHINGLE_CHARACTERS = 4
SAME_SHARE = 0.6
"""Two texts say the same if that share of the four-character pieces of one is in the other."""


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


def spoken_length(text: str) -> float:
    """Return the length of a text in letters of an alphabet."""
    syllables = sum(ord(character) >= SYLLABARY for character in text)
    return len(text) + syllables * (CHARACTERS_PER_SYLLABLE - 1)


def is_too_long(text: str, speech_seconds: float) -> bool:
    return spoken_length(text) > SPARE_CHARACTERS + CHARACTERS_PER_SECOND * speech_seconds


def is_too_short(text: str, speech_seconds: float) -> bool:
    return speech_seconds >= LONG_SPEECH and len(text) < LEAST_CHARACTERS_PER_SECOND * speech_seconds


def is_sparse(text: str, speech_seconds: float) -> bool:
    """Whether sentences may be missing."""
    return speech_seconds >= SPARSE_SPEECH and spoken_length(text) < SPARSE_CHARACTERS_PER_SECOND * speech_seconds


def says_the_same(text: str, other: str) -> bool:
    """Whether what a text says, however often, is in the other too: case, spaces and punctuation aside."""
    mine, others = _shingles(text), _shingles(other)
    return bool(mine) and len(mine & others) >= SAME_SHARE * len(mine)


def _shingles(text: str) -> set[str]:
    letters = "".join(character for character in text.casefold() if character.isalnum())
    size = min(SHINGLE_CHARACTERS, len(letters))
    return {letters[first : first + size] for first in range(len(letters) - size + 1)} - {""}


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


def joined(pieces: Sequence[Candidate]) -> Candidate:
    """Return one candidate for a window that was decoded in pieces."""
    weights = [len(piece.tokens) + 1 for piece in pieces]  # the end of a text is a token too

    def average(values: Sequence[float]) -> float:
        return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)

    return Candidate(
        tokens=tuple(token for piece in pieces for token in piece.tokens),
        text="".join(piece.text for piece in pieces),
        avg_logprob=average([piece.avg_logprob for piece in pieces]),
        no_speech_prob=min(piece.no_speech_prob for piece in pieces),
        temperature=max(piece.temperature for piece in pieces),
    )
