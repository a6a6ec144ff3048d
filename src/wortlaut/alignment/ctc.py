"""Word times from a CTC network (wav2vec 2.0 and its kin) that was trained to write down characters.

The second implementation of the `Aligner` seam. Unlike in whisperX, a word ends where its last character is last
heard, not where the next word begins, and pauses belong to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import exp
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wortlaut.alignment.ctc_path import TokenSpan, align_tokens
from wortlaut.alignment.ctc_spelling import SpelledText, Vocabulary
from wortlaut.alignment.interpolation import fill, in_order
from wortlaut.alignment.spelling import split_words
from wortlaut.alignment.timing import heard_stretch, interpolated
from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.transcript import Passage, Word

PIECE = 30.0
"""Seconds that the network hears at once: its attention grows with the square of them."""
CONTEXT = 1.0
"""Seconds on both sides of a piece that are heard for the sake of its edges only."""


class CtcModel(Protocol):
    """A loaded network. Frame i hears the samples [i * `stride`, i * `stride` + `field`)."""

    @property
    def vocabulary(self) -> Vocabulary: ...

    @property
    def stride(self) -> int:
        """Samples from one frame to the next."""
        ...

    @property
    def field(self) -> int:
        """Samples that one frame hears: the shortest input."""
        ...

    def log_probs(self, samples: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Return the log probabilities of each frame, shape ((n - field) // stride + 1, vocabulary), for n samples."""
        ...


ModelOf = Callable[[str], CtcModel | None]
"""From a language to the model that aligns it, None if there is none."""


class CtcAligner:
    """Aligns by the emissions of the passage's model, one passage at a time."""

    def __init__(self, model_of: ModelOf) -> None:
        self._model_of = model_of

    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:
        """Yield the words of each passage, in order.

        A passage in a language without a model, or whose text is too long for its sound, gets words that are
        spread over its speech and say so (`source`). Raises what loading a model raises.
        """
        for passage in passages:
            yield self._align_passage(audio, passage)

    def _align_passage(self, audio: Audio, passage: Passage) -> list[Word]:
        words = split_words(passage.text)
        if not words:
            return []
        model = self._model_of(passage.language)
        aligned = aligned_words(model, audio, passage, words) if model else []
        if not any(aligned):
            return interpolated(words, audio, passage)
        window = heard_stretch(audio, passage)
        return in_order(fill(words, aligned, window), window.start, window.end)


def aligned_words(model: CtcModel, audio: Audio, passage: Passage, words: Sequence[str]) -> list[Word | None]:
    """Return the words with their times, None for each that has no character to be found by.

    Empty if the text does not fit into the sound.
    """
    text = model.vocabulary.spell(words)
    window = heard_stretch(audio, passage)
    emissions = emit(model, audio.clip(window.start, window.end))
    extended = model.vocabulary.with_wildcard(emissions)
    spans = align_tokens(extended, text.columns, model.vocabulary.blank)
    if spans is None:
        return []
    trimmed = _without_blank_edges(spans, text, emissions, model.vocabulary)
    return [_word(index, word, text, trimmed, model, window.start) for index, word in enumerate(words)]


def emit(model: CtcModel, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the log probabilities of a stretch of any length, heard in pieces, shape (frames, vocabulary)."""
    stride = model.stride
    piece, context = round(PIECE * SAMPLE_RATE) // stride, round(CONTEXT * SAMPLE_RATE) // stride  # frames
    if len(samples) < model.field:
        samples = np.pad(samples, (0, model.field - len(samples)))
    frames = (len(samples) - model.field) // stride + 1
    parts = []
    for start in range(0, frames, piece):
        stop = min(start + piece, frames)
        first, last = max(start - context, 0), min(stop + context, frames)
        heard = model.log_probs(samples[first * stride : (last - 1) * stride + model.field])
        parts.append(heard[start - first : stop - first])
    return np.concatenate(parts)


def _without_blank_edges(
    spans: Sequence[TokenSpan], text: SpelledText, emissions: NDArray[np.float32], vocabulary: Vocabulary
) -> list[TokenSpan]:
    """Cut the pauses off wildcards, which match pauses as well as sounds."""
    is_sound = emissions.argmax(axis=1) != vocabulary.blank
    trimmed = list(spans)
    for position in np.flatnonzero(text.columns == vocabulary.wildcard).tolist():
        span = spans[position]
        sounding = np.flatnonzero(is_sound[span.first : span.stop])
        if len(sounding):
            first, last = int(sounding[0]), int(sounding[-1])
            trimmed[position] = TokenSpan(span.first + first, span.first + last + 1, span.log_prob)
    return trimmed


def _word(
    index: int, word: str, text: SpelledText, spans: Sequence[TokenSpan], model: CtcModel, start: float
) -> Word | None:
    """Return the word from the first frame of its first character to the last frame of its last one."""
    own = [spans[each] for each in np.flatnonzero(text.owners == index).tolist()]
    if not own:
        return None
    offset = (model.field - model.stride) / 2
    begin, end = (start + (frame * model.stride + offset) / SAMPLE_RATE for frame in (own[0].first, own[-1].stop))
    frames = sum(span.stop - span.first for span in own)
    mean = sum(span.log_prob * (span.stop - span.first) for span in own) / frames
    return Word(word, begin, end, min(exp(mean), 1.0))
