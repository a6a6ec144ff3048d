# ruff: noqa: INP001, T201 - a script that prints
"""Word times in noise, and what the rule of silences does to them: as it is, switched off, and without its guard.

    python bench/word_times_in_noise.py SET [--every 2 --first 0]

The true text of each recording with true words is aligned with noise added to it. The rule moves the edges of words to
the edges of silences, unless noise fills the pauses. Needs the `eval` extra.
"""

from __future__ import annotations

import argparse
import tempfile
import wave
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from wortlaut.assembly import Transcriber
from wortlaut.audio import SAMPLE_RATE
from wortlaut.evaluation.boundaries import boundary_errors
from wortlaut.evaluation.ratio import Ratio, total
from wortlaut.evaluation.sets import Item, load_set

Noise = Callable[[int, np.random.Generator], NDArray[np.float64]]

TOLERANCES_MS = (50, 100)

RULES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "as it is": nullcontext,
    "switched off": lambda: patch("wortlaut.alignment.timing.find_silences", return_value=[]),
    "without its guard": lambda: patch("wortlaut.alignment.silences._SMALLEST_RANGE_DB", 0.0),
}


def white(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(size=count)


def pink(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise with as much power in each octave."""
    frequencies = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    frequencies[0] = frequencies[1]
    return np.fft.irfft(np.fft.rfft(rng.normal(size=count)) / np.sqrt(frequencies), count)


CONDITIONS: dict[str, tuple[Noise, float] | None] = {
    "clean": None,
    **{f"{noise.__name__} noise, {ratio} dB": (noise, ratio) for noise in (white, pink) for ratio in (20, 10, 5)},
}


def with_noise(samples: NDArray[np.float32], condition: tuple[Noise, float] | None) -> NDArray[np.float32]:
    """Add noise so many decibels below the recording; the same noise every time."""
    if condition is None:
        return samples
    kind, ratio_db = condition
    noise = kind(len(samples), np.random.default_rng(0))
    level = np.sqrt(np.mean(np.square(samples)) / np.mean(np.square(noise))) * 10 ** (-ratio_db / 20)
    mixture = samples + noise * level
    return np.asarray(mixture / max(1.0, np.abs(mixture).max()), np.float32)


def written(samples: NDArray[np.float32], file: Path) -> Path:
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(SAMPLE_RATE)
        target.writeframes((samples * 32767).astype("<i2").tobytes())
    return file


def near(item: Item, file: Path, transcriber: Transcriber) -> list[Ratio]:
    """Return how many edges of the words of the true text are near the truth, for each tolerance."""
    ratios = boundary_errors(item.words, transcriber.align(file, item.text or "", item.language or "en")).ratios()
    return [ratios[f"within_{tolerance}"] for tolerance in TOLERANCES_MS]


def row(items: Sequence[Item], condition: tuple[Noise, float] | None, transcriber: Transcriber) -> dict[str, str]:
    """Return the figures of a condition under each form of the rule."""
    found: dict[str, list[list[Ratio]]] = {name: [] for name in RULES}
    with tempfile.TemporaryDirectory() as folder:
        for item in items:
            audio = transcriber.decode(item.media)
            file = written(with_noise(audio.clip(0.0, audio.duration), condition), Path(folder) / "noisy.wav")
            for name, rule in RULES.items():
                with rule():
                    found[name].append(near(item, file, transcriber))
    return {
        name: " / ".join(f"{total(ratios).percent:.1f}" for ratios in zip(*rows, strict=True))
        for name, rows in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="an evaluation set with true words")
    parser.add_argument("--every", type=int, default=1, help="take only every so many recordings")
    parser.add_argument("--first", type=int, default=0, help="the first one taken")
    chosen = parser.parse_args()
    items = [item for item in load_set(chosen.set).items if item.words][chosen.first :: chosen.every]
    print(f"{len(items)} recordings; percent of edges within {TOLERANCES_MS} ms; the rule of silences:")
    with Transcriber() as transcriber:
        for name, condition in CONDITIONS.items():
            cells = " | ".join(f"{rule} {cell}" for rule, cell in row(items, condition, transcriber).items())
            print(f"{name:20} | {cells}", flush=True)


if __name__ == "__main__":
    main()
