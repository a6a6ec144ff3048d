# ruff: noqa: INP001, T201 - a script that prints
"""Compare the quality of this checkout with bench/baseline.json, in minutes and without any peer.

    python bench/quick.py [FOLDER_WITH_SETS] [--update]

The folder may be named by WORTLAUT_EVAL_DIR instead. Ends with 1 if a figure is worse by more than its tolerance or
a recording failed, with 2 if there is nothing to measure on. Time is shown and never judged. `--update` writes
today's values down.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from wortlaut.cli.evaluate import MakeTranscriber, measure
from wortlaut.evaluation.baseline import Comparison, compare, renewed
from wortlaut.evaluation.evaluate import as_json
from wortlaut.evaluation.plan import Plan
from wortlaut.evaluation.sets import load_set
from wortlaut.settings import Settings

BASELINE = Path(__file__).parent / "baseline.json"
NOTHING_TO_MEASURE_ON = 2


def main() -> int:
    chosen = _arguments()
    baseline = json.loads(BASELINE.read_text(encoding="utf-8"))
    folder = chosen.folder or os.environ.get("WORTLAUT_EVAL_DIR")
    missing = [name for name in baseline if not folder or not (Path(folder) / name / "manifest.jsonl").is_file()]
    if missing:
        print(
            f"There are no evaluation sets {', '.join(missing)} in {folder or 'any named folder'}: name the folder that"
            " holds them as the argument or in WORTLAUT_EVAL_DIR.",
            file=sys.stderr,
        )
        return NOTHING_TO_MEASURE_ON
    sets = [load_set(Path(folder) / name).limited(entry["limit"]) for name, entry in baseline.items()]
    measured = as_json(measure(sets, MakeTranscriber(Settings()), Plan()))["sets"]
    comparisons = compare(measured, baseline)
    show(comparisons, measured)
    failed = [f"{set_name}/{name}" for set_name, figures in measured.items() for name in figures["failed"]]
    if failed:
        print(f"These recordings failed, and a baseline is not made of failures: {', '.join(failed)}.", file=sys.stderr)
        return 1
    if chosen.update:
        BASELINE.write_text(json.dumps(renewed(measured, baseline), indent=1) + "\n", encoding="utf-8")
        return 0
    return int(any(comparison.is_worse for comparison in comparisons))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="the folder that holds the evaluation sets")
    parser.add_argument("--update", action="store_true", help="write today's values into the baseline")
    return parser.parse_args()


def show(comparisons: list[Comparison], measured: dict[str, Any]) -> None:
    """Print a line a figure."""
    for entry in comparisons:
        mark = "WORSE" if entry.is_worse else "new" if entry.expected is None else "ok"
        name = f"{entry.set_name} {entry.figure}"
        print(f"{mark:6}{name:55}{entry.value!s:>9}  baseline {entry.expected!s:>7} ±{entry.tolerance}")
    for name, figures in measured.items():
        print(f"      {name:55}{figures['cpu_per_second']!s:>9}  CPU-s a second, {figures['peak_mb']} MB")


if __name__ == "__main__":
    sys.exit(main())
