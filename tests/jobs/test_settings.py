"""Where the settings of the service come from: the same order as everybody's."""

from __future__ import annotations

import pytest

from wortlaut.jobs.settings import WITHOUT_EFFECT, JobSettings, translate_old_names, without_effect
from wortlaut.settings import Settings


@pytest.mark.parametrize(("kind", "name"), [(Settings, "idle"), (JobSettings, "child_idle")])
def test_what_is_given_beats_the_environment_beats_the_file(kind, name, tmp_path, monkeypatch):
    file = tmp_path / "config.toml"
    file.write_text(f"{name} = 1.0\n")
    monkeypatch.setenv("WORTLAUT_CONFIG", str(file))
    assert getattr(kind(), name) == 1.0
    monkeypatch.setenv(f"WORTLAUT_{name.upper()}", "2.0")
    assert getattr(kind(), name) == 2.0
    assert getattr(kind(**{name: 3.0}), name) == 3.0


def test_the_cache_has_one_name_in_file_and_environment(tmp_path, monkeypatch):
    file = tmp_path / "config.toml"
    file.write_text("cache = false\n")
    assert JobSettings().caches
    monkeypatch.setenv("WORTLAUT_CONFIG", str(file))
    assert not JobSettings().caches
    monkeypatch.setenv("WORTLAUT_CACHE", "true")
    assert JobSettings().caches


def test_old_names_mean_todays_and_a_new_one_wins():
    translated = translate_old_names({"WHISPER_DEVICE": "cuda", "WORTLAUT_DEVICE": "cpu", "WHISPER_BATCH_SIZE": "4"})
    assert (translated["WORTLAUT_DEVICE"], translated["WORTLAUT_BATCH_SIZE"]) == ("cpu", "4")


@pytest.mark.parametrize(("given", "meant", "process"), [("0", "1000000000", 0.0), ("300", "300", 300.0)])
def test_the_old_time_out_of_models_holds_for_models_and_processes_and_0_is_never(given, meant, process, monkeypatch):
    assert translate_old_names({"MODEL_IDLE_TIMEOUT": given})["WORTLAUT_IDLE"] == meant
    monkeypatch.setenv("MODEL_IDLE_TIMEOUT", given)
    assert JobSettings().child_idle == process


def test_old_variables_that_change_nothing_are_named_and_no_others():
    told = without_effect({"ASR_ENGINE": "whisperx", "SAMPLE_RATE": "", "ASR_MODEL": "base"})
    assert told == {"ASR_ENGINE": WITHOUT_EFFECT["ASR_ENGINE"]}
