# ruff: noqa: INP001, T201 - a script that prints
"""Speech in noise, in music and in long silence: what is missed, what is misheard, what is invented.

    python bench/noise.py FOLDER_WITH_SETS [--seconds 60] [--peer PYTHON --model FOLDER]

Sentences of the sets are brought to one level, joined, a recording a language, and mixed with noise and music that are
computed. The level of the noise is relative to the speech between the pauses. `--peer` is the Python of an environment
with faster-whisper, `--model` the weights for it. Needs the `eval` extra.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wortlaut.assembly import Transcriber
from wortlaut.audio import SAMPLE_RATE
from wortlaut.evaluation.coverage import REACH, uncovered_speech
from wortlaut.evaluation.normalization import tokens
from wortlaut.evaluation.ratio import Ratio, total
from wortlaut.evaluation.sets import EvaluationSet, load_set
from wortlaut.evaluation.text_errors import text_errors
from wortlaut.options import Options
from wortlaut.settings import Settings
from wortlaut.transcript import Turn, Word

Samples = NDArray[np.float32]
Sound = Callable[[int, np.random.Generator], NDArray[np.float64]]

SETS = {"en": "librispeech-test-other", "de": "de-kerstin"}
PAUSE, LONG_PAUSE = 1.0, 45.0
"""Seconds between sentences."""
SPEECH_LEVEL = 10 ** (-26 / 20)
"""Root mean square of each sentence, relative to full scale: speakers at one level have one distance to the noise."""
ROOM_LEVEL = 10 ** (-70 / 20)
"""Of the noise in long silence, relative to full scale: what a good microphone hears of a quiet room."""
LIMIT = 0.95
"""The loudest sample of a mixture, so that nothing clips."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is added to the sentences, how many decibels below them, and how far apart they are."""

    name: str
    sound: Sound | None = None
    ratio_db: float = 0.0
    pause: float = PAUSE


@dataclass(frozen=True, slots=True)
class Recording:
    """Samples at 16 kHz and the truth about them."""

    language: str
    samples: Samples
    text: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Word errors and missed seconds of true speech, as ratios; words where nobody speaks."""

    errors: Ratio
    missed: Ratio
    outside: int


def pink(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise with as much power in each octave."""
    frequencies = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    frequencies[0] = frequencies[1]
    spectrum = rng.normal(size=len(frequencies)) + 1j * rng.normal(size=len(frequencies))
    return np.fft.irfft(spectrum / np.sqrt(frequencies), count)


def music(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
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


CONDITIONS = (
    Condition("clean"),
    *(Condition(f"pink noise, {ratio} dB", pink, ratio) for ratio in (10, 5, 0)),
    *(Condition(f"music, {ratio} dB", music, ratio) for ratio in (10, 5)),
    Condition("long silence", pause=LONG_PAUSE),
)


def mixed(sentences: Sequence[tuple[Samples, str]], language: str, condition: Condition) -> Recording:
    """Join sentences and add what the condition asks for."""
    pause = np.zeros(round(condition.pause * SAMPLE_RATE), np.float32)
    pieces, turns, position = [pause], [], len(pause)
    for samples, _ in sentences:
        turns.append(Turn(position / SAMPLE_RATE, (position + len(samples)) / SAMPLE_RATE, "speaker"))
        pieces += [samples, pause]
        position += len(samples) + len(pause)
    speech = np.concatenate(pieces)
    rng = np.random.default_rng(0)
    whole = speech + rng.normal(size=len(speech)) * ROOM_LEVEL
    if condition.sound:
        noise = condition.sound(len(speech), rng)
        level = _rms(np.concatenate([samples for samples, _ in sentences])) * 10 ** (-condition.ratio_db / 20)
        whole = speech + noise * level / _rms(noise)
    whole *= min(1.0, LIMIT / np.abs(whole).max())
    return Recording(language, whole.astype(np.float32), " ".join(text for _, text in sentences), tuple(turns))


def _rms(samples: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def sentences_of(chosen: EvaluationSet, seconds: float, transcriber: Transcriber) -> list[tuple[Samples, str]]:
    """Return sentences spread over a set, with the sound of each, until there are enough."""
    found: list[tuple[Samples, str]] = []
    for item in chosen.limited(max(1, round(seconds / 5))).items:
        if sum(len(samples) for samples, _ in found) >= seconds * SAMPLE_RATE:
            break
        audio = transcriber.decode(item.media)
        samples = audio.clip(0.0, audio.duration)
        found.append((samples * np.float32(SPEECH_LEVEL / _rms(samples)), item.text or ""))
    return found


def written(recording: Recording, file: Path) -> Path:
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(SAMPLE_RATE)
        target.writeframes((recording.samples * 32767).astype("<i2").tobytes())
    return file


def figures(recording: Recording, text: str, words: Sequence[Word]) -> Figures:
    truth, heard = (tokens(each, recording.language) for each in (recording.text, text))
    middles = ((word.start + word.end) / 2 for word in words)
    outside = sum(
        all(not turn.start - REACH <= middle <= turn.end + REACH for turn in recording.turns) for middle in middles
    )
    return Figures(text_errors(truth, heard).rate, uncovered_speech(recording.turns, words), outside)


def by_peer(chosen: argparse.Namespace, file: Path, language: str) -> tuple[str, list[Word]]:
    """Let faster-whisper hear a file, with speech detection and a beam of 5."""
    driver = Path(__file__).parent / "peers" / "drive_faster_whisper.py"
    command = [chosen.peer, driver, "--model", chosen.model, "--variant", "words", "--language", language, file]
    output = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout  # noqa: S603 what the caller named
    answer = json.loads(next(line for line in output.splitlines() if line.startswith("RESULT "))[len("RESULT ") :])
    [heard] = answer["files"]
    return heard["text"], [Word(each["text"], each["start"], each["end"]) for each in heard["words"]]


def measured(chosen: argparse.Namespace, transcriber: Transcriber) -> Iterator[tuple[str, str, list[Figures]]]:
    """Yield condition, program and its figures for every recording."""
    sets = {language: load_set(chosen.folder / name) for language, name in SETS.items()}
    share = chosen.seconds / len(sets)
    sentences = {language: sentences_of(one, share, transcriber) for language, one in sets.items()}
    with tempfile.TemporaryDirectory() as folder:
        for condition in CONDITIONS:
            recordings = [mixed(some, language, condition) for language, some in sentences.items()]
            files = [written(one, Path(folder) / f"{one.language}.wav") for one in recordings]
            ours = []
            for recording, file in zip(recordings, files, strict=True):
                transcript = transcriber.transcribe(file, Options(speakers=None, language=recording.language))
                ours.append(figures(recording, transcript.text, transcript.words))
            yield condition.name, "wortlaut", ours
            if chosen.peer:
                answers = [by_peer(chosen, file, one.language) for one, file in zip(recordings, files, strict=True)]
                theirs = [figures(one, *answer) for one, answer in zip(recordings, answers, strict=True)]
                yield condition.name, "faster-whisper", theirs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder that holds the evaluation sets")
    parser.add_argument("--seconds", type=float, default=60.0, help="of speech in each condition")
    parser.add_argument("--peer", type=Path, help="the Python that has faster-whisper")
    parser.add_argument("--model", type=Path, help="folder with whisper-base for CTranslate2")
    chosen = parser.parse_args()
    if bool(chosen.peer) != bool(chosen.model):
        parser.error("--peer needs --model, and the other way round.")
    with Transcriber(Settings(threads=1)) as transcriber:
        for condition, program, found in measured(chosen, transcriber):
            errors, missed = total([one.errors for one in found]), total([one.missed for one in found])
            print(
                f"{condition:20}{program:16}word errors {errors.percent:5.1f} %   missed {missed.part:5.1f} of "
                f"{missed.whole:.0f} s   words outside {sum(one.outside for one in found)}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
