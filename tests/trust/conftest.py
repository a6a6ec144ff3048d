"""Recordings in which nobody speaks, made of nothing but numbers, and a pipeline of real models to play them to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wortlaut.assembly import Transcriber
from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.options import Options
from wortlaut.settings import Settings
from wortlaut.testing import ScriptedDecoder
from wortlaut.transcript import Transcript

Samples = NDArray[np.float32]
LENGTH = 20 * SAMPLE_RATE
TIMES = np.arange(LENGTH) / SAMPLE_RATE


def at_level(samples: NDArray[np.float64], level_db: float) -> Samples:
    """Scale to a root mean square in decibels relative to full scale."""
    rms = np.sqrt(np.mean(np.square(samples))) + 1e-12
    return (samples / rms * 10 ** (level_db / 20)).clip(-1, 1).astype(np.float32)


def coloured(rng: np.random.Generator, exponent: float) -> NDArray[np.float64]:
    """Return noise whose power falls with frequency ** exponent: 0 is white, 1 pink, 2 brown."""
    frequencies = np.fft.rfftfreq(LENGTH, 1 / SAMPLE_RATE)
    frequencies[0] = frequencies[1]
    spectrum = rng.normal(size=len(frequencies)) + 1j * rng.normal(size=len(frequencies))
    return np.fft.irfft(spectrum / frequencies ** (exponent / 2), LENGTH)


def note(pitch: float, duration: float, *, partials: int, decay: float, vibrato: float) -> NDArray[np.float64]:
    times = np.arange(int(duration * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * pitch * times + vibrato * np.sin(2 * np.pi * 5.5 * times)
    tone = sum(np.sin(partial * phase) / partial**1.3 for partial in range(1, partials + 1))
    return tone * np.minimum(times / 0.02, 1) * np.exp(-decay * times)


def melody(rng: np.random.Generator, **voice: float) -> NDArray[np.float64]:
    """Return notes of a major scale, one after the other, each with its third below."""
    music, position = np.zeros(LENGTH + 3 * SAMPLE_RATE), 0
    while position < LENGTH:
        duration, step = rng.choice([0.2, 0.25, 0.4, 0.5, 0.8]), rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14])
        for pitch in (220 * 2 ** (step / 12), 110 * 2 ** ((step + 4) / 12)):
            sound = note(pitch, duration + 0.4, **voice)
            music[position : position + len(sound)] += sound
        position += int(duration * SAMPLE_RATE)
    return music[:LENGTH]


def organ(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return chords that swell and fade, one every two seconds."""
    music, times = np.zeros(LENGTH), np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    for position in range(0, LENGTH, 2 * SAMPLE_RATE):
        root = 131 * 2 ** (rng.choice([0, 5, 7, 9]) / 12)
        chord = sum(np.sin(2 * np.pi * root * ratio * k * times) / k for ratio in (1, 1.26, 1.5) for k in (1, 2, 3, 4))
        music[position : position + len(times)] = chord * np.sin(np.pi * times / 2)
    return music


def drums(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a bass drum on each beat, a snare on every other and a cymbal between: 120 beats a minute."""
    kit, times = np.zeros(LENGTH), np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    bass = np.sin(2 * np.pi * 55 * times * np.exp(-4 * times)) * np.exp(-18 * times)
    for step, position in enumerate(range(0, LENGTH, SAMPLE_RATE // 4)):
        hiss = rng.normal(size=len(times))
        cymbal = 0.1 * np.diff(hiss, prepend=0) * np.exp(-60 * times)
        snare = 0.4 * hiss * np.exp(-25 * times) * (step % 4 == 2)
        kit[position : position + len(times)] += cymbal + snare + bass * (step % 2 == 0)
    return kit


def keys(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the tones of telephone keys (ITU-T Q.23), five digits in two seconds."""
    row, column = (rng.choice(pitches, LENGTH // 6400) for pitches in ([697, 770, 852, 941], [1209, 1336, 1477]))
    number = np.minimum(np.arange(LENGTH) // 6400, len(row) - 1)
    tones = np.sin(2 * np.pi * row[number] * TIMES) + np.sin(2 * np.pi * column[number] * TIMES)
    return tones * (TIMES % 0.4 < 0.2)


def applause(rng: np.random.Generator) -> NDArray[np.float64]:
    claps, clap_samples = np.zeros(LENGTH + SAMPLE_RATE), SAMPLE_RATE * 3 // 100
    for position in rng.integers(0, LENGTH, 2400):
        decay = np.exp(-150 * TIMES[:clap_samples])
        claps[position : position + clap_samples] += rng.normal(size=clap_samples) * decay * rng.uniform(0.2, 1)
    return claps[:LENGTH]


def syllables_of_noise(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise that comes and goes four times a second, as speech does."""
    return coloured(rng, 1) * (1 + 0.9 * np.sin(2 * np.pi * 4 * TIMES))


NOBODY: dict[str, Callable[[np.random.Generator], Samples]] = {
    "digital silence": lambda _: np.zeros(LENGTH, np.float32),
    "last bit": lambda rng: (rng.integers(-1, 2, LENGTH) / 32768).astype(np.float32),
    "soft white noise": lambda rng: at_level(rng.normal(size=LENGTH), -60),
    "loud white noise": lambda rng: at_level(rng.normal(size=LENGTH), -20),
    "soft pink noise": lambda rng: at_level(coloured(rng, 1), -55),
    "loud pink noise": lambda rng: at_level(coloured(rng, 1), -18),
    "brown noise": lambda rng: at_level(coloured(rng, 2), -30),
    "syllables of noise": lambda rng: at_level(syllables_of_noise(rng), -25),
    "room tone": lambda rng: at_level(coloured(rng, 1.5) / 2e-3 + np.sin(2 * np.pi * 50 * TIMES), -50),
    "mains hum": lambda _: at_level(sum(np.sin(2 * np.pi * 50 * k * TIMES) / k for k in range(1, 8)), -35),
    "dialling": lambda _: at_level((np.sin(4838 * TIMES) + np.sin(8394 * TIMES)) * (TIMES % 0.4 < 0.2), -20),
    "siren": lambda _: at_level(np.sin(2 * np.pi * 600 * TIMES + 300 * np.sin(np.pi * TIMES)), -20),
    "piano": lambda rng: at_level(melody(rng, partials=6, decay=4, vibrato=0), -20),
    "strings": lambda rng: at_level(melody(rng, partials=14, decay=0.3, vibrato=0.3), -20),
    "organ": lambda rng: at_level(organ(rng), -20),
    "drums": lambda rng: at_level(drums(rng), -18),
    "keys": lambda rng: at_level(keys(rng), -20),
    "applause": lambda rng: at_level(applause(rng), -22),
}


@pytest.fixture(scope="session")
def transcribe(models_dir):
    """Return a function from samples to a transcript by the whole pipeline, in one language unless told otherwise."""
    options = Options(speakers=None, language="en")
    with Transcriber(Settings(models_dir=models_dir, threads=1)) as transcriber, transcriber.stages(options) as stages:

        def run(audio: Audio | Samples, **changes: object) -> Transcript:
            sound = audio if isinstance(audio, Audio) else Audio.from_array(audio)
            heard = replace(stages, decoder=ScriptedDecoder(sound))
            return heard.transcribe(Path("any.wav"), replace(options, **changes))

        yield run


@pytest.fixture(scope="session")
def conversation(models_dir, sample_conversation) -> Samples:
    """Half a minute of two people on the telephone; nobody speaks before 6.7 s."""
    with Transcriber(Settings(models_dir=models_dir)) as transcriber:
        audio = transcriber.decode(sample_conversation)
    return audio.clip(0.0, audio.duration)
