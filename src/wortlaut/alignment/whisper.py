"""The aligner: word times from Whisper itself, for the text of any recognizer in any language Whisper knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from math import ceil

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from wortlaut.alignment.attention import FRAME, WordTrack, track_words
from wortlaut.alignment.spelling import spell, split_words
from wortlaut.alignment.timing import interpolated, timed
from wortlaut.audio import Audio
from wortlaut.errors import DeviceUnavailable, InvalidOption, OutOfMemory, WortlautError
from wortlaut.lookahead import map_ahead
from wortlaut.recognition.model import WhisperModel
from wortlaut.transcript import Passage, Word

SHORT_WINDOW = 9.0
"""Seconds. The silence that pads a clip of 3 s to 30 s blurs the attention: 78 % of boundaries within 50 ms instead of
84 %. A shorter window is encoded once more without it, which costs as much as it is short. From 9 s to 20 s no
difference was found on either half of TIMIT, and what recognition has encoded is used again."""

LONGEST_WINDOW = 30.0
"""Seconds that Whisper's encoder sees at once."""

_NEAREST_LANGUAGE = {"yue": "zh"}  # for models older than large-v3
_LINGUA_FRANCA = "en"


class WhisperAligner:
    """Aligns by the cross-attention of a Whisper whose heads follow characters (`heads.CHARACTER_HEADS`).

    The text may come from any recognizer. A translation can be aligned as well, but its characters are not
    what is said: its times show where its words roughly belong, no more.
    """

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:
        """Yield the words of each passage, in order; as many passages at once as the model has workers.

        A passage whose alignment fails gets words that are spread over its speech and say so (`source`).
        Raises `OutOfMemory` or `DeviceUnavailable`, which no other passage would escape.
        """
        yield from map_ahead(partial(self.align_passage, audio), passages, workers=max(self._model.workers, 1))

    def align_passage(self, audio: Audio, passage: Passage) -> list[Word]:
        """Return the words of one passage; none if its text is white space."""
        words = split_words(passage.text)
        if not words:
            return []
        try:
            tracks = self._track(audio, passage, words)
        except (OutOfMemory, DeviceUnavailable):
            raise
        except WortlautError:
            return interpolated(words, audio, passage)
        return timed(words, tracks, audio, passage)

    def _track(self, audio: Audio, passage: Passage, words: Sequence[str]) -> list[WordTrack]:
        tokenizer = self._model.tokenizer
        sot_sequence = tokenizer.sot_sequence(self._language(passage.language), "transcribe")
        states = self._states(audio, passage)
        return track_words(self._model.engine, states, sot_sequence, spell(words, tokenizer.encode))

    def _states(self, audio: Audio, passage: Passage) -> NDArray[np.float32]:
        """Return the encoder states of a passage, shape (frames, d_model)."""
        duration = passage.end - passage.start
        view = self._model.encode(audio, passage.start, passage.end, is_padded=duration >= SHORT_WINDOW)
        states: NDArray[np.float32] = np.asarray(view.to(ctranslate2.DataType.float32), dtype=np.float32)[0]
        return states[: ceil(duration / FRAME)]

    def _language(self, code: str) -> str:
        """Return the language to prompt with: the passage's, or the closest that an older model knows."""
        known = self._model.tokenizer.languages
        if code in known:
            return code
        return _NEAREST_LANGUAGE.get(code, _LINGUA_FRANCA) if self._model.is_multilingual else code


def align_text(aligner: WhisperAligner, audio: Audio, text: str, language: str) -> list[Word]:
    """Return the words of a known text with times, for measuring.

    Raises `InvalidOption` for a recording that is longer than one window.
    """
    if audio.duration > LONGEST_WINDOW:
        raise InvalidOption(
            f"Known text can be aligned in a recording of at most {LONGEST_WINDOW:.0f} s; "
            f"this one lasts {audio.duration:.0f} s.",
            hint="Cut the recording and its text into pieces.",
        )
    return aligner.align_passage(audio, Passage(0.0, audio.duration, text, language))
