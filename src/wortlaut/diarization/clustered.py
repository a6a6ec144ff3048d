"""The built-in diarizer: segmentation, embeddings, clustering, and a path of speakers through the recording."""

from __future__ import annotations

from copy import copy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import Audio
from wortlaut.diarization.clustering import find_voices
from wortlaut.diarization.embedding import EmbeddingNetwork, Embeddings, embed
from wortlaut.diarization.labelling import label_frames
from wortlaut.diarization.overlap import second_speakers
from wortlaut.diarization.resuming import Resume, afresh
from wortlaut.diarization.segmentation import Segmentation, SegmentationNetwork, segment
from wortlaut.diarization.turns import close_pauses, hysteresis, order_of_appearance, to_turns
from wortlaut.notice import Notice
from wortlaut.options import Speakers
from wortlaut.stages import Advance, ignore
from wortlaut.transcript import Diarization

SPEECH_BEGINS = 0.7  # probability that a stretch of speech reaches somewhere
SPEECH_ENDS = 0.5  # probability that it keeps throughout
OVERLAP = 0.5  # probability
_SEGMENTATION_SHARE = 0.35  # of the time that everything takes


class ClusteringDiarizer:
    """A `Diarizer` on ONNX Runtime that needs neither PyTorch nor a token.

    `segmentation` is pyannote/segmentation-3.0, `embedding` CAM++ of 3D-Speaker, both as ONNX. Memory stays
    within some hundred megabytes for recordings of many hours. Raises `ModelMissing` or `ModelCorrupt`.
    """

    def __init__(self, segmentation: Path, embedding: Path, *, threads: int = 1) -> None:
        self._segmentation = SegmentationNetwork(segmentation)
        self._embedding = EmbeddingNetwork(embedding)
        self._threads = threads
        self._resume: Resume = afresh

    def resumed(self, resume: Resume, /) -> ClusteringDiarizer:
        """Return one with the same networks, which goes on with what `resume` knows of both."""
        other = copy(self)
        other._resume = resume  # noqa: SLF001 one of us
        return other

    def diarize(self, audio: Audio, /, *, speakers: Speakers, advance: Advance = ignore) -> Diarization:
        """Return who speaks when; a number of speakers that could not be met is said in a notice."""
        if not len(audio.samples):
            return Diarization()
        share = _SEGMENTATION_SHARE
        segmentation = segment(
            audio,
            self._segmentation,
            threads=self._threads,
            advance=lambda done: advance(share * done),
            resume=self._resume,
        )
        embeddings = embed(
            audio,
            segmentation,
            self._embedding,
            threads=self._threads,
            advance=lambda done: advance(share * audio.duration + (1 - share) * done),
            resume=self._resume,
        )
        return label(segmentation, embeddings, speakers, audio.duration)


def label(segmentation: Segmentation, embeddings: Embeddings, speakers: Speakers, duration: float) -> Diarization:
    """Return who speaks when, from what both networks found."""
    speaking = hysteresis(segmentation.speech, SPEECH_BEGINS, SPEECH_ENDS)
    overlapped = speaking & (segmentation.overlap >= OVERLAP)
    voices = find_voices(embeddings, speakers)
    path = label_frames(speaking, segmentation, embeddings, voices, demanded=speakers.minimum)
    count = max(len(voices), 1)
    first = one_hot(path, count)
    both = first | one_hot(second_speakers(path, overlapped, segmentation, count), count)
    order = order_of_appearance(both)
    return Diarization(
        turns=to_turns(close_pauses(both[:, order]), duration),
        exclusive=to_turns(close_pauses(first[:, order]), duration),
        notices=count_notices(len(order), speakers),
    )


def one_hot(speaker: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    """Turn one speaker a frame into activity, shape (frames, count)."""
    activity: NDArray[np.bool_] = speaker[:, None] == np.arange(count)
    return activity


def count_notices(found: int, speakers: Speakers) -> tuple[Notice, ...]:
    """Say so where the number of speakers that was asked for is not met. That nobody speaks contradicts no `auto`."""
    most = found if speakers.maximum is None else speakers.maximum
    if speakers.minimum <= found <= most or speakers == Speakers():
        return ()
    return (Notice("speaker-count-not-met", f"Asked for {speakers} speakers, found {found}."),)
