from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.media.decoder import PyavDecoder
from wortlaut.speech.silero import SileroDetector


@pytest.fixture(scope="session")
def silero(models_dir: Path) -> SileroDetector:
    return SileroDetector(models_dir / "silero-vad" / "silero_vad_16k_sequence.onnx")


@pytest.fixture(scope="session")
def speech_in_silence(eval_dir: Path) -> Audio:
    """11 s of speech from 60 and from 191 s on, silence before, between and after."""
    audio = PyavDecoder().decode(eval_dir / "hard-media" / "jfk_in_long_silence.flac")
    return Audio.from_array(audio.clip(0, audio.duration))


@pytest.fixture
def babble():
    """A voice that sings syllables at the given times: pulses through three resonances, 4 syllables a second.

    Silero VAD takes parts of it for speech; where it has to find all, tests use real speech.
    """

    def make(duration: float, *spans: tuple[float, float], level: float = 0.3) -> Audio:
        clock = np.arange(round(duration * SAMPLE_RATE)) / SAMPLE_RATE
        pitch = 120 + 15 * np.sin(2 * np.pi * 0.7 * clock)
        phase = np.cumsum(pitch) / SAMPLE_RATE
        openness = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * clock)
        voice = np.zeros_like(clock)
        for harmonic in range(1, 30):
            frequency = harmonic * pitch
            formants = sum(
                gain / (1 + ((frequency - centre * (1 + 0.15 * np.sin(2 * np.pi * 2.1 * clock))) / width) ** 2)
                for centre, width, gain in ((600, 90, 1.0), (1300, 120, 0.6), (2500, 180, 0.3))
            )
            voice += formants * np.sin(2 * np.pi * harmonic * phase)
        voice *= openness
        voice *= level / np.abs(voice).max()
        wanted = np.zeros_like(clock)
        for start, end in spans:
            wanted[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] = 1
        noise = np.random.default_rng(0).normal(0, 1e-4, len(clock))
        return Audio.from_array((voice * wanted + noise).astype(np.float32))

    return make
