"""Silero VAD (https://github.com/snakers4/silero-vad, MIT), version 6, with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.errors import ModelMissing
from wortlaut.onnx_session import open_session
from wortlaut.speech.level import blocks_without_rumble, gain_to_hear
from wortlaut.speech.regions import Thresholds, find_regions
from wortlaut.stages import Advance, ignore

FRAME_SAMPLES = 512
"""One probability every 32 ms."""
CONTEXT_SAMPLES = 64
"""Each frame is seen together with the last 4 ms of the one before."""
BLOCK_FRAMES = 256
"""Frames in one run of the network, 8 s: enough to make the calls cheap, little enough to stay in the cache."""
STATE_SHAPE = (1, 1, 128)
"""The LSTM's hidden and cell state: layers, recordings, units."""
AFRESH = np.zeros(STATE_SHAPE, np.float32)
"""Either state at the beginning of a recording."""


class SileroDetector:
    """Where people speak, by Silero VAD.

    `model` is the `silero_vad_16k_sequence.onnx` of the silero-vad distribution: the same network as
    `silero_vad.onnx` with bit-equal output, but many frames in one call, which takes less than half the time.

    After a block without speech the network begins afresh. The longer it has heard silence, the later it believes that
    somebody speaks: after 45 s the first word is gone.
    """

    def __init__(self, model: Path, *, threads: int = 1, thresholds: Thresholds | None = None) -> None:
        self._session = _open(model, threads)
        self._thresholds = thresholds or Thresholds()

    def detect(self, audio: Audio, /, *, advance: Advance = ignore) -> list[SpeechRegion]:
        probabilities = self.probabilities(audio, advance=advance)
        return find_regions(probabilities, FRAME_SAMPLES / SAMPLE_RATE, audio.duration, self._thresholds)

    def probabilities(self, audio: Audio, /, *, advance: Advance = ignore) -> NDArray[np.float32]:
        """Return the probability of speech in each frame of 32 ms, shape (n_frames,)."""
        hidden = cell = AFRESH
        gain = np.float32(gain_to_hear(audio, FRAME_SAMPLES))
        context = np.zeros(CONTEXT_SAMPLES, np.float32)
        found = [np.zeros(0, np.float32)]
        done_samples = 0
        for block in blocks_without_rumble(audio, BLOCK_FRAMES * FRAME_SAMPLES):
            frames = _frames(context, np.clip(block * gain, -1.0, 1.0))
            some, hidden, cell = self._session.run(None, {"input": frames, "h": hidden, "c": cell})
            found.append(cast("NDArray[np.float32]", some))
            if some.max() < self._thresholds.offset:
                hidden = cell = AFRESH
            context = frames[-1, -CONTEXT_SAMPLES:]
            done_samples += len(block)
            advance(done_samples / SAMPLE_RATE)
        return np.concatenate(found)


def _frames(context: NDArray[np.float32], block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the frames of a block, each behind its context: (n, CONTEXT_SAMPLES + FRAME_SAMPLES).

    The last frame of a recording is filled up with zeros.
    """
    missing_samples = -len(block) % FRAME_SAMPLES
    samples = np.concatenate((context, block, np.zeros(missing_samples, np.float32)))
    windows = np.lib.stride_tricks.sliding_window_view(samples, CONTEXT_SAMPLES + FRAME_SAMPLES)
    return np.ascontiguousarray(windows[::FRAME_SAMPLES])


def _open(model: Path, threads: int) -> onnxruntime.InferenceSession:
    if not model.is_file():
        raise ModelMissing(f"The speech detector's model is not at {model}.")
    return open_session(model, threads=threads)
