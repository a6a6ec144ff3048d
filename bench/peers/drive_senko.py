# ruff: noqa: INP001 - a script, no package
"""Run senko: who speaks when, nothing else. It reads 16 kHz, 16-bit WAV alone, so files are converted beforehand."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from watch import Result, Watch, arguments, run, turns

chosen = arguments()
SAMPLE_RATE = 16_000
"""The only one that senko reads."""


def converted(file: str, folder: Path) -> str:
    import soundfile  # noqa: PLC0415 comes with senko

    samples, rate = soundfile.read(file, dtype="int16", always_2d=True)
    if rate != SAMPLE_RATE:
        raise SystemExit(f"{file} has {rate} samples a second; senko reads {SAMPLE_RATE}.")
    target = folder / f"{Path(file).stem}.wav"
    soundfile.write(target, samples[:, 0], rate, subtype="PCM_16")
    return str(target)


def load(_: Watch) -> Callable[[str, Watch], Result]:
    import senko  # noqa: PLC0415 loading is measured
    import torch  # noqa: PLC0415

    torch.set_num_threads(chosen.threads)
    diarizer = senko.Diarizer(device="cpu", warmup=False, quiet=True)

    def work(file: str, watch: Watch) -> Result:
        with watch.measure("diarize"):
            found = diarizer.diarize(file, generate_colors=False)
        segments = found["merged_segments"] if found else []
        rows = [(segment["start"], segment["end"], str(segment["speaker"])) for segment in segments]
        return {"turns": turns(rows)}

    return work


with tempfile.TemporaryDirectory() as folder:
    chosen.files = [converted(file, Path(folder)) for file in chosen.files]
    run(load, chosen)
