# ruff: noqa: INP001 - lies beside the script that imports it
"""Recordings in noise: sentences of evaluation sets, joined, with what is computed or recorded mixed in.

Everything is drawn with fixed seeds: the same sets give the same recordings, sample by sample.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wortlaut.assembly import Transcriber
from wortlaut.audio import SAMPLE_RATE
from wortlaut.evaluation.sets import EvaluationSet, Item, load_set
from wortlaut.transcript import Turn

Sound = NDArray[np.float64]
MakeSound = Callable[[int, np.random.Generator], Sound]

PAUSE, LONG_PAUSE = 1.0, 45.0
"""Seconds between sentences."""
SPEECH_LEVEL = 10 ** (-26 / 20)
"""Root mean square of each sentence, relative to full scale: speakers at one level have one distance to the noise."""
ROOM_LEVEL = 10 ** (-70 / 20)
"""Of the noise where no other is added, relative to full scale: what a good microphone hears of a quiet room."""
LIMIT = 0.95
"""The loudest sample of a mixture, so that nothing clips."""
VOICES = 8
"""At once in babble."""


@dataclass(frozen=True, slots=True)
class Source:
    """Sentences of one language out of a set, for one recording."""

    chosen: str
    language: str
    sentences: int


SOURCES = (
    Source("librispeech-test-other", "en", 6),
    Source("timit-nltk", "en", 8),
    Source("de-kerstin", "de", 8),
    Source("fleurs-5lang", "de", 2),
    Source("fleurs-5lang", "es", 2),
    Source("fleurs-5lang", "fr", 2),
)


@dataclass(frozen=True, slots=True)
class Condition:
    """What is added, how many decibels below the speech, how far apart the sentences are.

    `softer_db`: every other sentence is so much softer; `least_sentences` that a recording has to have for that.
    """

    name: str
    sound: str | None = None
    ratio_db: float = 0.0
    pause: float = PAUSE
    softer_db: float = 0.0
    least_sentences: int = 1


def _soft(sound: str, ratio_db: float) -> Condition:
    name = f"{sound}, {ratio_db:g} dB, every other sentence 15 dB softer"
    return Condition(name, sound, ratio_db, softer_db=15.0, least_sentences=6)


SOUNDS = ("pink noise", "white noise", "computed music", "recorded music", "babble")
"""Added 5 dB below voices at one level."""

CONDITIONS = (
    Condition("clean"),
    Condition("45 s of silence between sentences", pause=LONG_PAUSE),
    *(Condition(f"{sound}, 5 dB", sound, 5) for sound in SOUNDS),
    Condition("pink noise, 0 dB", "pink noise", 0),
    *(_soft(sound, 10) for sound in ("pink noise", "computed music", "recorded music")),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """A mixture on disk, and the truth about it."""

    file: Path
    language: str
    texts: tuple[str, ...]
    turns: tuple[Turn, ...]


def white(count: int, rng: np.random.Generator) -> Sound:
    """Return noise with as much power in each hertz."""
    return rng.normal(size=count)


def pink(count: int, rng: np.random.Generator) -> Sound:
    """Return noise with as much power in each octave."""
    frequencies = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    frequencies[0] = frequencies[1]
    spectrum = rng.normal(size=len(frequencies)) + 1j * rng.normal(size=len(frequencies))
    return np.fft.irfft(spectrum / np.sqrt(frequencies), count)


def music(count: int, rng: np.random.Generator) -> Sound:
    """Return a chord every half second under a melody, each note with its envelope."""
    step = SAMPLE_RATE // 2
    times = np.arange(2 * step) / SAMPLE_RATE
    envelope = np.minimum(times / 0.02, 1) * np.exp(-3 * times)
    played = np.zeros(count + 2 * step)
    for position in range(0, count, step):
        root = rng.choice([0, 5, 7])
        for semitones in (root, root + 4, root + 7, 12 + rng.choice([0, 2, 4, 5, 7, 9])):
            phase = 2 * np.pi * 196 * 2 ** (semitones / 12) * times
            tone = sum(np.sin(partial * phase) / partial**1.3 for partial in range(1, 8))
            played[position : position + 2 * step] += envelope * tone
    return played[:count]


def from_recording(sound: Sound) -> MakeSound:
    """Return what plays a recording again and again, from a random moment on."""

    def play(count: int, rng: np.random.Generator) -> Sound:
        return np.resize(np.roll(sound, -rng.integers(len(sound))), count).astype(np.float64)

    return play


def babble(clips: Sequence[Sound]) -> MakeSound:
    """Return what lets VOICES people speak at once, each through all clips in an order of their own."""

    def talk(count: int, rng: np.random.Generator) -> Sound:
        total = np.zeros(count)
        for _ in range(VOICES):
            said = np.concatenate([clips[index] / rms(clips[index]) for index in rng.permutation(len(clips))])
            total += np.resize(np.roll(said, -rng.integers(len(said))), count)
        return total

    return talk


def rms(samples: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


@dataclass(frozen=True, slots=True)
class Studio:
    """Makes the recordings of one half of the sets (0 or 1), so that one can be worked on and the other confirm it."""

    transcriber: Transcriber
    folder: Path
    half: int
    music_file: Path | None = None

    def recordings(self, condition: Condition, target: Path) -> Iterator[Recording]:
        """Write the recordings of a condition into a folder, unless they are there."""
        target.mkdir(parents=True, exist_ok=True)
        make = cache(lambda: self._sound(condition.sound))  # not needed where all is there
        for number, source in enumerate(SOURCES):
            if source.sentences >= condition.least_sentences:
                file = target / f"{source.chosen}-{source.language}.wav"
                yield self._recording(source, condition, make, np.random.default_rng(number), file)

    def _sound(self, name: str | None) -> MakeSound | None:
        if name == "recorded music":
            if self.music_file is None:
                raise ValueError("no recording of music was given")
            return from_recording(self._samples(self.music_file))
        if name == "babble":
            items = _half(load_set(self.folder / "librispeech-test-other").items, 1 - self.half)
            return babble([self._samples(item.media) for item in items[::2]][:12])
        return {None: None, "pink noise": pink, "white noise": white, "computed music": music}[name]

    def _recording(
        self,
        source: Source,
        condition: Condition,
        make: Callable[[], MakeSound | None],
        rng: np.random.Generator,
        file: Path,
    ) -> Recording:
        truth = file.with_suffix(".json")
        if not truth.is_file():
            spoken = self._sentences(source, condition.softer_db)
            whole, spans = _joined([samples for samples, _ in spoken], condition.pause)
            mixed = _mixed(whole, rms(np.concatenate([samples for samples, _ in spoken])), condition, make(), rng)
            _write(mixed, file)
            truth.write_text(json.dumps({"texts": [text for _, text in spoken], "spans": spans}), "utf-8")
        told = json.loads(truth.read_text("utf-8"))
        turns = tuple(Turn(start, end, "speaker") for start, end in told["spans"])
        return Recording(file, source.language, tuple(told["texts"]), turns)

    def _sentences(self, source: Source, softer_db: float) -> list[tuple[Sound, str]]:
        chosen: EvaluationSet = load_set(self.folder / source.chosen)
        items = [item for item in chosen.items if item.language == source.language and item.counts_for_wer]
        mine = _half(items, self.half)
        count = min(source.sentences, len(mine))
        spread = [mine[index * len(mine) // count] for index in range(count)]
        sounds = [self._samples(item.media) for item in spread]
        gains = [10 ** (-softer_db / 20) if index % 2 else 1.0 for index in range(len(sounds))]
        return [
            (sound * SPEECH_LEVEL / rms(sound) * gain, item.text or "")
            for sound, gain, item in zip(sounds, gains, spread, strict=True)
        ]

    def _samples(self, media: Path) -> Sound:
        audio = self.transcriber.decode(media)
        return audio.clip(0.0, audio.duration).astype(np.float64)


def _half(items: Sequence[Item], half: int) -> Sequence[Item]:
    middle = len(items) // 2
    return items[middle:] if half else items[:middle]


def _joined(sounds: Sequence[Sound], pause: float) -> tuple[Sound, list[tuple[float, float]]]:
    """Return sentences with pauses before, between and after them, and where they lie in seconds."""
    silence = np.zeros(round(pause * SAMPLE_RATE))
    pieces, spans, position = [silence], [], len(silence)
    for sound in sounds:
        spans.append((position / SAMPLE_RATE, (position + len(sound)) / SAMPLE_RATE))
        pieces += [sound, silence]
        position += len(sound) + len(silence)
    return np.concatenate(pieces), spans


def _mixed(
    whole: Sound, speech_level: float, condition: Condition, make: MakeSound | None, rng: np.random.Generator
) -> Sound:
    if make is None:
        mixed = whole + rng.normal(size=len(whole)) * ROOM_LEVEL
    else:
        noise = make(len(whole), rng)
        mixed = whole + noise * (speech_level * 10 ** (-condition.ratio_db / 20)) / rms(noise)
    return mixed * min(1.0, LIMIT / np.abs(mixed).max())


def _write(samples: Sound, file: Path) -> None:
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(SAMPLE_RATE)
        target.writeframes((samples * 32767).astype("<i2").tobytes())
