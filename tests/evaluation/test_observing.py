from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from wortlaut.errors import JobError, MediaInvalid, ModelMissing, WortlautError
from wortlaut.evaluation.cost import PeakMemory, cpu_seconds
from wortlaut.evaluation.observing import CRASHED, SetObservation, Task, observe
from wortlaut.evaluation.scripted import ScriptedSubject, _said
from wortlaut.options import Options
from wortlaut.transcript import Transcript, Word

NOTHING = Transcript((), (), "en", 1.0)
WORD = Word("hello", 0.0, 1.0)


@dataclass
class Seen:
    steps: list[None] = field(default_factory=list)

    def __call__(self) -> None:
        self.steps.append(None)


def run(
    subject: ScriptedSubject, *names: str, aligned: tuple[str, ...] = (), seen: Seen | None = None
) -> SetObservation:
    tasks = [Task(Path(name), Options(), "hello" if name in aligned else None, "en") for name in names]
    return observe(tasks, subject, warm_up=0, advance=seen or Seen())


def test_results_come_in_order_with_what_they_cost() -> None:
    seen = Seen()
    subject = ScriptedSubject({"a": NOTHING, "b": MediaInvalid("cut")}, {"a": (WORD,)})
    observed = run(subject, "a", "b", aligned=("a",), seen=seen)
    first, second = observed.observations
    assert (first.transcript, first.forced, first.error) == (NOTHING, (WORD,), "")
    assert (second.transcript, second.forced, second.error, second.message) == (None, None, "media-invalid", "cut")
    assert first.cost.wall > 0
    assert observed.peak_megabytes > 5
    assert len(seen.steps) == 1 + 2 + 1  # warming up, transcribing, aligning


def test_a_crash_costs_one_recording_and_the_rest_goes_on() -> None:
    subject = ScriptedSubject({"a": NOTHING, "c": NOTHING}, crashes_on=frozenset({"b"}))
    observed = run(subject, "a", "b", "c")
    assert [observation.error for observation in observed.observations] == ["", CRASHED, ""]


def test_a_crash_at_the_very_start_is_a_result_too() -> None:
    observed = run(ScriptedSubject({"b": NOTHING}, crashes_on=frozenset({"a"})), "a", "b")
    assert [observation.error for observation in observed.observations] == [CRASHED, ""]
    assert observed.load.wall > 0


def test_a_subject_that_cannot_be_made_ends_the_evaluation() -> None:
    with pytest.raises(JobError, match="before it could start"):
        observe([Task(Path("a"), Options())], partial(os._exit, 3), warm_up=0)


def test_a_factory_that_lacks_a_model_ends_the_evaluation() -> None:
    with pytest.raises(ModelMissing):
        observe([Task(Path("a"), Options())], partial(_said, ModelMissing()), warm_up=0)


def test_loading_is_told_apart_from_transcribing() -> None:
    assert run(ScriptedSubject({"a": NOTHING}, seconds_to_load=0.5), "a", "a").load.wall >= 0.5


def test_text_that_cannot_be_aligned_has_no_words_and_a_reason() -> None:
    aligned, unasked = run(ScriptedSubject({"a": NOTHING, "b": NOTHING}), "a", "b", aligned=("a",)).observations
    assert (aligned.transcript, aligned.forced) == (NOTHING, ())
    assert aligned.forced_error.startswith("media-invalid: ")
    assert (unasked.forced, unasked.forced_error) == (None, "")


def test_a_missing_model_ends_the_evaluation_with_its_hint() -> None:
    with pytest.raises(ModelMissing) as caught:
        run(ScriptedSubject({"a": ModelMissing(hint="pull it")}), "a")
    assert caught.value.hint.startswith("pull it")


def test_what_is_measured_does_not_carry_the_weight_of_scoring() -> None:
    code = "import sys, wortlaut.evaluation.observing; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "scipy", "jiwer", "pyannote", "rich"} & set(loaded)


def test_processor_time_of_children_counts_while_they_run_and_after() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass\nprint('done', flush=True)\ninput()"
    before = cpu_seconds()
    with subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        running = cpu_seconds() - before
        child.communicate(b"\n")
    ended = cpu_seconds() - before
    assert 0.35 < running < 5
    assert running - 0.05 < ended < 5


def test_the_peak_outlasts_the_memory_that_made_it() -> None:
    grab = "x = bytearray(150_000_000)\ndel x\nprint('freed', flush=True)\ninput()"
    with (
        subprocess.Popen([sys.executable, "-c", grab], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child,
        PeakMemory(child.pid) as memory,
    ):
        assert child.stdout
        child.stdout.readline()
        time.sleep(0.25)
        peak = memory.megabytes
        child.communicate(b"\n")
    assert 150 < peak < 300


def test_errors_survive_the_way_between_processes() -> None:
    (observation,) = run(ScriptedSubject({"a": WortlautError("all is lost")}), "a").observations
    assert observation.message == "all is lost"
