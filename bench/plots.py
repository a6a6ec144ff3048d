# ruff: noqa: INP001 - a script, no package
"""Draw what was measured: word-boundary errors, parts of the diarization error, cost per stage. Needs matplotlib.

python bench/plots.py boundaries OUT.png SET...           measures the sets
python bench/plots.py peers OUT.png bench/results/peers-....json   word-boundary errors of every program
python bench/plots.py turns OUT.png EVAL.json             from `wortlaut eval --json`
python bench/plots.py stages OUT.png bench/results/peers-....json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wortlaut.evaluation.evaluate import SetResult

FARTHEST_MS = 250
PARTS = ("missed", "false_alarm", "confusion")


def boundaries(axes: Axes, sets: Sequence[Path]) -> None:
    """Draw the share of word starts and ends that are nearer to the truth than so many milliseconds."""
    from wortlaut.cli.evaluate import MakeTranscriber, measure  # noqa: PLC0415 the other drawings do without
    from wortlaut.evaluation.evaluate import load_sets  # noqa: PLC0415
    from wortlaut.evaluation.plan import Plan  # noqa: PLC0415
    from wortlaut.settings import Settings  # noqa: PLC0415

    for result in measure(load_sets(sets), MakeTranscriber(Settings()), Plan(speakers="off")):
        for name, line in (("boundary", "-"), ("boundary_forced", "--")):
            label = f"{result.name}, {'true' if line == '--' else 'recognized'} text"
            _cumulative(axes, result, name, label, line)
    _finish_boundaries(axes)


def peers(axes: Axes, files: Sequence[Path]) -> None:
    """Draw the same for every program of a comparison that gives words times, on the text that each recognized."""
    from peers.score import scored_programs  # noqa: PLC0415 the other drawings do without

    for result in scored_programs(files[0]):
        _cumulative(axes, result, "boundary", result.name, "-")
    _finish_boundaries(axes)


def _cumulative(axes: Axes, result: SetResult, name: str, label: str, line: str) -> None:
    errors = sorted(abs(1000 * error) for score in result.scores for error in score.deviations.get(name, ()))
    if errors:
        shares = [100 * (index + 1) / len(errors) for index in range(len(errors))]
        axes.plot(errors, shares, line, label=label)


def _finish_boundaries(axes: Axes) -> None:
    axes.set(xlim=(0, FARTHEST_MS), ylim=(0, 100), xlabel="distance to the truth, ms", ylabel="word starts and ends, %")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def turns(axes: Axes, files: Sequence[Path]) -> None:
    """Draw the diarization error of each set as a pile of its parts."""
    sets: Mapping[str, Any] = json.loads(files[0].read_text(encoding="utf-8"))["sets"]
    parts = {name: figures["der_0_parts"] for name, figures in sets.items() if figures["der_0_parts"]}
    _piles(axes, parts, PARTS)
    axes.set(ylabel="diarization error rate, % (no collar)")


def stages(axes: Axes, files: Sequence[Path]) -> None:
    """Draw the seconds of each program as a pile of its stages."""
    programs: Mapping[str, Any] = json.loads(files[0].read_text(encoding="utf-8"))["programs"]
    spent = {
        name: {
            stage: seconds.get("cpu", seconds.get("wall"))
            for stage, seconds in entry["stages"].items()
            if stage != "whole"
        }
        for name, entry in programs.items()
        if entry.get("stages")
    }
    names = list(dict.fromkeys(stage for by_stage in spent.values() for stage in by_stage))
    _piles(axes, spent, names)
    axes.set(ylabel="processor seconds, one thread")


def _piles(axes: Axes, bars: Mapping[str, Mapping[str, float]], parts: Sequence[str]) -> None:
    bottoms = dict.fromkeys(bars, 0.0)
    for part in parts:
        heights = {name: bar.get(part, 0.0) for name, bar in bars.items()}
        axes.bar(list(bars), list(heights.values()), bottom=list(bottoms.values()), label=part)
        bottoms = {name: bottoms[name] + heights[name] for name in bars}
    axes.tick_params(axis="x", rotation=30)
    axes.legend()


DRAWINGS: Mapping[str, Callable[[Axes, Sequence[Path]], None]] = {
    "boundaries": boundaries,
    "peers": peers,
    "turns": turns,
    "stages": stages,
}


def main() -> None:
    kind, target, *sources = sys.argv[1:]
    figure = Figure(figsize=(9, 5), layout="constrained")
    DRAWINGS[kind](figure.add_subplot(), [Path(source) for source in sources])
    figure.savefig(target, dpi=150)


if __name__ == "__main__":
    main()
