"""Voice activity detectors that `load_model(vad_model=...)` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wortlaut.compat.whisperx.audio import open_sound
from wortlaut.compat.whisperx.log_utils import get_logger
from wortlaut.errors import InvalidOption

logger = get_logger("whisperx.vads")


class Stretch(Protocol):
    """What a detector finds: seconds."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


@dataclass(slots=True)
class Segment:
    """A stretch with speech."""

    start: float
    end: float
    speaker: str | None = "UNKNOWN"


class Vad:
    """The base of all detectors: call it with `{"waveform", "sample_rate"}`, get a list with start and end.

    Derive from it to give `load_model` a detector of your own; the waveform is an array of shape (n,).
    """

    def __init__(self, vad_onset: float) -> None:
        if not 0 < vad_onset < 1:
            raise InvalidOption("vad_onset is a decimal value between 0 and 1.")

    def __call__(self, audio: Mapping[str, Any], **_: object) -> Sequence[Stretch]:
        raise NotImplementedError(f"{type(self).__name__} does not say where people speak")

    @staticmethod
    def preprocess_audio(audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the samples as the detector wants them."""
        return audio

    @staticmethod
    def merge_chunks(
        segments: Sequence[Stretch],
        chunk_size: float,
        onset: float = 0.5,  # noqa: ARG004 whisperX's
        offset: float | None = None,  # noqa: ARG004 whisperX's
    ) -> list[dict[str, Any]]:
        """Join stretches to chunks of at most `chunk_size` seconds: `{"start", "end", "segments": [(start, end)]}`.

        Wortlaut itself packs windows in a better way (`wortlaut.speech.packing`).
        """
        chunks: list[dict[str, Any]] = []
        for each in segments:
            if chunks and each.end - chunks[-1]["start"] <= chunk_size:
                chunks[-1]["end"] = each.end
                chunks[-1]["segments"].append((each.start, each.end))
            else:
                chunks.append({"start": each.start, "end": each.end, "segments": [(each.start, each.end)]})
        return chunks


class Silero(Vad):
    """The built-in detector. `vad_onset` None: its own thresholds."""

    def __init__(
        self, *, vad_onset: float | None = None, vad_offset: float | None = None, chunk_size: float = 30
    ) -> None:
        from wortlaut.compat.request import read_listening  # noqa: PLC0415 the command line is loaded when wanted

        self.chunk_size = chunk_size
        self._listening = read_listening(chunk_size, vad_onset, vad_offset)

    def __call__(self, audio: Mapping[str, Any], **_: object) -> list[Segment]:
        from wortlaut.assembly import Transcriber  # noqa: PLC0415 the engine is loaded when wanted
        from wortlaut.compat.detection import detector_for  # noqa: PLC0415

        if audio["sample_rate"] != 16000:  # noqa: PLR2004 what the network was trained on
            raise InvalidOption("Only 16000Hz sample rate is allowed")
        with Transcriber() as transcriber:
            detector = detector_for(transcriber.fetch("silero-vad"), self._listening)
        return [Segment(each.start, each.end) for each in detector.detect(open_sound(audio["waveform"]))]


class Pyannote(Silero):
    """pyannote's detector is not part of Wortlaut: this is Silero under its name, and it says so."""

    def __init__(self, device: object = None, token: object = None, model_fp: object = None, **options: Any) -> None:  # noqa: ANN401, ARG002 whisperX's
        logger.warning("pyannote's voice activity detector is not part of Wortlaut; Silero VAD is used.")
        super().__init__(**options)
