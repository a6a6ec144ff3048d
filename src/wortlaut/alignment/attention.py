"""When each token of a text begins: forced alignment by Whisper's cross-attention.

The engine runs the decoder over the given tokens, averages the attention of the chosen heads and finds the
cheapest monotone path through it (dynamic time warping). The decoder holds 448 tokens, which dense speech of
30 s exceeds in characters. So a long text is aligned in pieces: the first piece is laid over all that is left
of the window and trusted up to a pause in its middle, and the next goes on from that pause.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from wortlaut.alignment.heads import MEDIAN_FILTER_WIDTH
from wortlaut.alignment.spelling import SpelledWord
from wortlaut.recognition.faults import engine_faults

FRAME = 0.02
"""Seconds from one encoder state to the next."""
_FEATURES_PER_FRAME = 2  # the engine counts log-mel frames

LARGEST_TEXT = 440
"""Tokens of text that are aligned at once: Whisper's decoder holds 448, of which control tokens take five."""
LARGEST_PIECE = 300
"""Tokens of a piece, where the text is longer than that. The attention needs some text to settle into spelling:
shorter pieces lose it in hard conversation, and may have no pause to cut at. Longer ones are less exact."""

# Where a piece may be cut: far from its end, where the path is bent by the text that is missing.
_CUT_RANGE = (0.4, 0.7)
_CLEAR_PAUSE = 0.4  # seconds; longer ones are no better, and very long ones may be where the path jumped
# How much of the window a piece may spread over: its share of the text, with room for pauses. Without a limit,
# text that comes twice is drawn to its second coming.
_SPREAD = 1.25
_SPREAD_FRAMES = 100


class AlignmentEngine(Protocol):
    """The part of `ctranslate2.models.Whisper` that is used here."""

    def align(
        self,
        features: ctranslate2.StorageView,
        start_sequence: list[int],
        text_tokens: list[list[int]],
        num_frames: int,
        *,
        median_filter_width: int,
    ) -> Sequence[AlignmentResult]: ...


class AlignmentResult(Protocol):
    """The path as pairs of token and frame, and how probable each token was."""

    alignments: Sequence[tuple[int, int]]
    text_token_probs: Sequence[float]


@dataclass(frozen=True, slots=True)
class WordTrack:
    """Where the attention was while a word was spelled. Seconds from the start of the window.

    `onsets` has the beginning of each token from the first that is spoken, and last the beginning of what
    follows them: signs, a space, the next word. `probabilities` are those of the spoken tokens.
    """

    onsets: tuple[float, ...]
    probabilities: tuple[float, ...]

    @property
    def start(self) -> float:
        return self.onsets[0]

    @property
    def end(self) -> float:
        return self.onsets[-1]

    def shifted(self, seconds: float) -> WordTrack:
        """Return the same track on a clock that is so many seconds ahead."""
        return WordTrack(tuple(onset + seconds for onset in self.onsets), self.probabilities)

    @property
    def is_measured(self) -> bool:
        """Whether a path leads through the word."""
        return bool(self.onsets)


NO_TRACK = WordTrack((), ())


def track_words(
    engine: AlignmentEngine, states: NDArray[np.float32], sot_sequence: list[int], words: Sequence[SpelledWord]
) -> list[WordTrack]:
    """Follow words through encoder states of shape (frames, d_model).

    Where the engine's path is no path, the tracks are not measured. Raises `WortlautError` if the engine fails.
    """
    tracks: list[WordTrack] = []
    first_frame = 0
    while len(tracks) < len(words):
        rest = words[len(tracks) :]
        piece = rest[: _count_that_fits(rest)]
        stop_frame = first_frame + _frames_for(piece, rest, len(states) - first_frame)
        part = _track_piece(engine, states[first_frame:stop_frame], sot_sequence, piece, first_frame)
        if part is None:
            return [*tracks, *[NO_TRACK] * len(rest)]
        if len(piece) < len(rest):
            kept = find_cut(part)
            first_frame = min(_frame_between(part[kept - 1 : kept + 1]), len(states) - 1)
            part = part[:kept]
        tracks.extend(part)
    return tracks


def find_onsets(path: Sequence[tuple[int, int]], token_count: int, frame_count: int) -> list[int] | None:
    """Return the first frame of each token and of the end; None unless the path visits all, in order and in range."""
    onsets: dict[int, int] = {}
    for token, frame in path:
        onsets[token] = min(frame, onsets.get(token, frame))
    if set(onsets) != set(range(token_count + 1)):
        return None
    frames = [onsets[token] for token in range(token_count + 1)]
    is_in_order = all(first <= second for first, second in pairwise(frames))
    return frames if is_in_order and frames[0] >= 0 and frames[-1] < frame_count else None


def find_cut(tracks: Sequence[WordTrack]) -> int:
    """Return how many words to keep of a piece whose text goes on: up to the first clear pause of its middle."""
    first, last = (round(share * len(tracks)) for share in _CUT_RANGE)
    candidates = range(max(first, 1), max(last, 2))
    return max(candidates, key=lambda kept: min(_pause(tracks[kept - 1 : kept + 1]), _CLEAR_PAUSE))


def _frames_for(piece: Sequence[SpelledWord], rest: Sequence[SpelledWord], frames_left: int) -> int:
    """Return over how many of the frames left a piece of the rest of the text may spread."""
    if len(piece) == len(rest):
        return frames_left
    share = sum(len(word.tokens) for word in piece) / sum(len(word.tokens) for word in rest)
    return min(round(share * frames_left * _SPREAD) + _SPREAD_FRAMES, frames_left)


def _pause(neighbours: Sequence[WordTrack]) -> float:
    return neighbours[-1].start - neighbours[0].end if len(neighbours) > 1 else 0.0


def _frame_between(neighbours: Sequence[WordTrack]) -> int:
    """Return the frame in the middle of the pause after a word; if nothing follows, the word's end."""
    return int((neighbours[0].end + max(_pause(neighbours), 0.0) / 2) / FRAME)


def _count_that_fits(words: Sequence[SpelledWord]) -> int:
    """Return how many words the next call of the engine takes: all, or a piece; at least one."""
    spent = list(accumulate(len(word.tokens) for word in words))
    return len(words) if spent[-1] <= LARGEST_TEXT else max(bisect_right(spent, LARGEST_PIECE), 1)


def _track_piece(
    engine: AlignmentEngine,
    states: NDArray[np.float32],
    sot_sequence: list[int],
    words: Sequence[SpelledWord],
    first_frame: int,
) -> list[WordTrack] | None:
    tokens = [token for word in words for token in word.tokens][:LARGEST_TEXT]
    if len(states) < MEDIAN_FILTER_WIDTH:
        return None
    view = np.ascontiguousarray(states[np.newaxis])
    with engine_faults():
        result = engine.align(
            ctranslate2.StorageView.from_array(view),
            sot_sequence,
            [tokens],
            len(states) * _FEATURES_PER_FRAME,
            median_filter_width=MEDIAN_FILTER_WIDTH,
        )[0]
    onset_frames = find_onsets(result.alignments, len(tokens), len(states))
    if onset_frames is None:
        return None
    onsets = [(first_frame + frame) * FRAME for frame in onset_frames]
    return _per_word(words, onsets, list(result.text_token_probs))


def _per_word(words: Sequence[SpelledWord], onsets: Sequence[float], probabilities: Sequence[float]) -> list[WordTrack]:
    tracks = []
    first = 0
    for word in words:
        start, end = first + word.spoken_start, first + word.spoken_end
        word_onsets = tuple(onsets[start : end + 1])
        tracks.append(WordTrack(word_onsets, tuple(probabilities[start:end])))
        first += len(word.tokens)
    return tracks
