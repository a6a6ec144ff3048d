"""The scripts of bench/: what they compute, without running any peer."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import wave
from pathlib import Path
from types import ModuleType

import pytest

from wortlaut.evaluation.baseline import compare

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def comparing(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH / "peers"))
    spec = importlib.util.spec_from_file_location("compare", BENCH / "peers" / "compare.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "compare", module)
    spec.loader.exec_module(module)
    return module


def answer(cpu: float) -> dict[str, object]:
    whole = {"cpu": cpu, "wall": cpu * 2}
    return {
        "peak_mb": 100 * cpu,
        "load": {"cpu": 1.0, "wall": 2.0},
        "files": [
            {"file": "a", "stages": {"whole": whole, "align": {"wall": 1.0}}},
            {"file": "b", "stages": {"whole": whole}},
        ],
    }


def test_stages_are_summed_over_files_and_their_median_taken_over_runs(comparing: ModuleType) -> None:
    found = comparing.summary(comparing.Runs(runs=[answer(1), answer(9), answer(2)], cold=[{"cpu": 3, "wall": 4}]))
    assert found["stages"] == {"whole": {"cpu": 4, "wall": 8}, "align": {"wall": 1}}
    assert found["peak_mb"] == 200
    assert (found["cold_cpu"], found["cold_wall"]) == (3, 4)


def test_the_table_has_ratios_to_wortlaut_and_the_failures(comparing: ModuleType) -> None:
    programs = {
        "wortlaut": comparing.summary(comparing.Runs(runs=[answer(1)])),
        "senko": comparing.summary(comparing.Runs(runs=[answer(3)])),
        "whisperX": comparing.summary(comparing.Runs(errors=["no disk"])),
    }
    about = {"date": "2026-11-22", "audio_seconds": 24.0, "model": "base", "threads": 1, "machine": "m", "runs": 1}
    rows = comparing.table({"about": {**about, "notes": {"senko": "speakers alone"}}, "programs": programs})
    assert "| senko | 6 | 3.0 | 12 | 0.5 |" in rows
    assert "| senko | align |  | 1.0 |" in rows  # processor seconds are not known of every stage
    assert "- senko: speakers alone" in rows
    assert "- whisperX failed: 'no disk'" in rows


def test_the_length_is_told_by_the_first_program_that_knows_it(comparing: ModuleType) -> None:
    told = {"files": [{"duration": 2.5}, {"duration": 4.0}]}
    found = {"whisperX": comparing.Runs(runs=[answer(1)]), "wortlaut": comparing.Runs(runs=[told])}
    assert comparing._audio_seconds(found) == 6.5
    assert comparing._audio_seconds({"whisperX": comparing.Runs(runs=[answer(1)])}) is None


def test_without_files_the_sample_is_taken_and_its_beginning_for_the_cold_start(
    comparing: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = tmp_path / "sample-conversation" / "sample.wav"
    sample.parent.mkdir()
    with wave.open(str(sample), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 16_000 * 12))
    monkeypatch.setenv("WORTLAUT_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr(comparing, "CACHE", tmp_path / "cache")
    chosen = comparing.with_defaults(argparse.Namespace(model=None, files=[], cold=None))
    assert (chosen.model, chosen.files) == (tmp_path / "whisper-base", [sample])
    with wave.open(str(chosen.cold)) as cut:
        assert cut.getnframes() == 10 * 16_000


def test_a_driver_that_dies_is_told_with_what_it_said(comparing: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"exit code 1: .*no model"):
        comparing._watched([sys.executable, "-c", "raise SystemExit('no model')"])


def test_a_driver_is_watched_with_its_children(comparing: ModuleType) -> None:
    grandchild = "x = bytearray(120_000_000); import time; time.sleep(0.5)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}]); print('RESULT {{}}')"
    found, spent = comparing._watched([sys.executable, "-c", code])
    assert 120 < found["peak_mb"] < 300
    assert spent["wall"] > 0.5


def test_every_program_has_its_driver(comparing: ModuleType) -> None:
    assert all((BENCH / "peers" / program.driver).is_file() for program in comparing.PROGRAMS)
    assert comparing.REFERENCE in {program.name for program in comparing.PROGRAMS}


def test_the_baseline_can_be_compared_with() -> None:
    baseline = json.loads((BENCH / "baseline.json").read_text(encoding="utf-8"))
    entries = compare({}, baseline)
    assert entries
    assert all(entry.tolerance >= 0 for entry in entries)
    assert all(entry["limit"] > 0 for entry in baseline.values())


def test_without_sets_the_quick_bench_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH / "quick.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "WORTLAUT_EVAL_DIR" in done.stderr
