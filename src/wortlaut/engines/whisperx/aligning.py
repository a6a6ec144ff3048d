"""whisperX's word times, by wav2vec2; another aligner's where wav2vec2 cannot be had, and never without saying so.

whisperX needs a network a language, which it gets from the internet when it is first used, and the sentence splitter
of nltk, which it gets the same way. Words that whisperX leaves without times are put between their neighbours.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import pickle
import threading
import urllib.error
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wortlaut.alignment.interpolation import fill, in_order, spread
from wortlaut.alignment.spelling import split_words
from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.diarization.pyannote.deadline import DeadlinePassed, within
from wortlaut.engines.whisperx.loading import FAILURES, import_whisperx, stdout_kept
from wortlaut.errors import ModelCorrupt, ModelError, ModelMissing
from wortlaut.notice import ANNOUNCEMENTS, Notice
from wortlaut.safe_loading import guarded_loading
from wortlaut.stages import Aligner
from wortlaut.transcript import Passage, Word

log = logging.getLogger(ANNOUNCEMENTS)

SKIPPED = "whisperx-alignment-skipped"

LOAD_SECONDS = 600.0
"""Time to get and load one network: up to 1.3 GB."""


@dataclass(frozen=True, slots=True)
class AlignmentModel:
    """whisperX's network for a language, and what whisperX wants to be told with it."""

    network: Any
    metadata: dict[str, Any]


Load = Callable[[str], AlignmentModel]


def load_alignment_model(language: str, *, device: str, is_offline: bool = False) -> AlignmentModel:
    """Get whisperX's network for a language, and see that it works: whisperX misses nltk's data only in use.

    Raises `ModelMissing` if something cannot be had, `ModelCorrupt` or `CheckpointRefused` if it cannot be trusted.
    """
    whisperx = import_whisperx()

    if not is_offline:
        log.info("%s", announcement(language))

    def load() -> AlignmentModel:
        with guarded_loading(()), stdout_kept():  # a list of tensors, which names no class
            model = AlignmentModel(*whisperx.load_align_model(language, device, **_offline(language, is_offline)))
            _try_out(whisperx, model, device)
            return model

    try:
        return within(LOAD_SECONDS, load)
    except DeadlinePassed as error:
        raise ModelMissing("it did not arrive in time") from error
    except (urllib.error.URLError, LookupError, ValueError, OSError) as error:
        raise ModelMissing(str(error).strip().splitlines()[0] if str(error).strip() else "it is not there") from error
    except (*FAILURES, pickle.UnpicklingError) as error:
        raise ModelCorrupt(str(error)) from error


def announcement(language: str) -> str:
    """Return what is said before whisperX may download: it looks into its caches by itself, and does not say."""
    return "\n".join(
        (
            f"If it is not on this machine yet, whisperX fetches its network for word times in {language} now, once.",
            "0.4 to 1.3 GB come from PyTorch or from the model hub, to ~/.cache (TORCH_HOME and HF_HOME change that).",
            "Without it Wortlaut's own aligner times the words (--offline).",
        )
    )


def _offline(language: str, is_offline: bool) -> dict[str, object]:
    """Return the arguments that keep whisperX off the network; raise if it would use it all the same."""
    if not is_offline:
        return {}
    alignment = importlib.import_module("whisperx.alignment")
    bundle = alignment.DEFAULT_ALIGN_MODELS_TORCH.get(language)
    if bundle is None:
        if "model_cache_only" in inspect.signature(alignment.load_align_model).parameters:
            return {"model_cache_only": True}
        raise ModelMissing("this whisperX cannot be told to stay off the network")
    pipelines = importlib.import_module("torchaudio.pipelines")
    file = Path(str(getattr(getattr(pipelines, bundle), "_path", ""))).name
    cache = Path(importlib.import_module("torch").hub.get_dir()) / "checkpoints"
    if not file or not (cache / file).is_file():
        raise ModelMissing(f"{bundle} is not on this machine, and the network is not to be used")
    return {}


def _try_out(whisperx: Any, model: AlignmentModel, device: str) -> None:  # noqa: ANN401 a module without types
    silence = np.zeros(SAMPLE_RATE, np.float32)
    whisperx.align([{"text": " a", "start": 0.0, "end": 1.0}], model.network, model.metadata, silence, device)


@dataclass(frozen=True, slots=True)
class WhisperxAligner:
    """Word times by whisperX; by `substitute` in languages whose network cannot be had."""

    load: Load
    substitute: Callable[[], Aligner]
    device: str
    _models: dict[str, AlignmentModel | Notice] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def notices(self, language: str) -> Sequence[Notice]:
        """Say what a reader of word times in this language should know."""
        model = self._model(language)
        return (model,) if isinstance(model, Notice) else ()

    def align(self, audio: Audio, passages: Iterable[Passage], /) -> Iterator[list[Word]]:
        """Yield the words of each passage. Raises `ModelError` if whisperX fails."""
        for passage in passages:
            model = self._model(passage.language)
            if isinstance(model, Notice):
                yield from self.substitute().align(audio, [passage])
            else:
                yield self._words(audio, passage, model)

    def _model(self, language: str) -> AlignmentModel | Notice:
        with self._turn:
            if language not in self._models:
                try:
                    self._models[language] = self.load(language)
                except (ModelMissing, ModelCorrupt) as error:
                    self._models[language] = _skipped(language, error)
            return self._models[language]

    def _words(self, audio: Audio, passage: Passage, model: AlignmentModel) -> list[Word]:
        if not passage.text.strip():
            return []
        samples = audio.clip(passage.start, passage.end)
        segment = {"text": passage.text, "start": 0.0, "end": len(samples) / SAMPLE_RATE}
        whisperx = import_whisperx()
        try:
            with self._turn:
                result = whisperx.align([segment], model.network, model.metadata, samples.copy(), self.device)
        except FAILURES as error:
            raise ModelError(f"whisperX could not align: {error}.", hint="Try --engine wortlaut.") from error
        return timed_words(passage, result["word_segments"])


def timed_words(passage: Passage, found: Sequence[dict[str, Any]]) -> list[Word]:
    """Give the words of a passage the times that whisperX found, in seconds from the start of the passage.

    The two cut texts differently (Chinese, for one), so times are matched by letters. All words come out
    `interpolated` if whisperX's letters are not the passage's.
    """
    texts = split_words(passage.text)
    window = SpeechRegion(passage.start, passage.end)
    letters = _letters(found) if _spelled(found) == "".join(passage.text.split()) else []
    aligned = _matched(texts, letters, passage.start)
    if not any(aligned):
        return in_order(spread(texts, passage.regions or (window,)), passage.start, passage.end)
    return in_order(fill(texts, aligned, window), passage.start, passage.end)


def _spelled(found: Sequence[dict[str, Any]]) -> str:
    return "".join("".join(str(word["word"]).split()) for word in found)


def _letters(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return whisperX's word for each letter of its text."""
    return [word for word in found for _ in "".join(str(word["word"]).split())]


def _matched(texts: Sequence[str], letters: Sequence[dict[str, Any]], shift: float) -> list[Word | None]:
    aligned: list[Word | None] = []
    position = 0
    for text in texts:
        length = len("".join(text.split()))
        heard = [word for word in letters[position : position + length] if "start" in word and "end" in word]
        position += length
        aligned.append(_word(text, heard, shift) if heard else None)
    return aligned


def _word(text: str, heard: Sequence[dict[str, Any]], shift: float) -> Word:
    scores = [float(word["score"]) for word in heard if "score" in word]
    confidence = min(max(sum(scores) / len(scores), 0.0), 1.0) if scores else None
    return Word(text, float(heard[0]["start"]) + shift, float(heard[-1]["end"]) + shift, confidence)


def _skipped(language: str, error: ModelError) -> Notice:
    return Notice(
        SKIPPED,
        f"whisperX's aligner for {language} could not be had ({error.message.rstrip('.')}); "
        "the word times are Wortlaut's own.",
    )
