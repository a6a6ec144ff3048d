from __future__ import annotations

from pathlib import Path

import pytest

from wortlaut.diagnosis import stored_models
from wortlaut.diagnosis.finding import Installation
from wortlaut.diagnosis.stored_models import look_at_default_models, look_at_other_models
from wortlaut.errors import ModelCorrupt
from wortlaut.models.catalog import DEFAULT_MODELS
from wortlaut.models.store import InstalledModel


class Store:
    """Plays the model store."""

    there: tuple[str, ...] = DEFAULT_MODELS
    corrupt: tuple[str, ...] = ()

    def __init__(self, root: Path, *, is_offline: bool) -> None:
        self.root = root

    def find(self, name: str) -> Path | None:
        return self.root / name if name in self.there else None

    def verify(self, name: str) -> Path:
        if name in self.corrupt:
            raise ModelCorrupt(f"{name} is damaged.")
        return self.root / name

    def installed(self) -> list[InstalledModel]:
        return [InstalledModel(name, self.root / name, 5_000_000) for name in (*self.there, "large-v3")]


@pytest.fixture
def store(monkeypatch) -> type[Store]:
    class OfThisTest(Store):
        """May be changed."""

    monkeypatch.setattr(stored_models, "ModelStore", OfThisTest)
    return OfThisTest


def states(*, is_offline: bool = False) -> dict[str, str]:
    findings = look_at_default_models(Installation(Path("models"), Path(), is_offline=is_offline))
    return {finding.name: finding.state for finding in findings}


def test_all_there(store):
    assert states() == dict.fromkeys(DEFAULT_MODELS, "ok")


def test_missing_can_be_fetched(store):
    store.there = DEFAULT_MODELS[1:]
    assert states()[DEFAULT_MODELS[0]] == "note"


def test_missing_offline_is_a_problem(store):
    store.there = DEFAULT_MODELS[1:]
    assert states(is_offline=True)[DEFAULT_MODELS[0]] == "problem"


def test_damaged(store):
    store.corrupt = ("campplus",)
    findings = {finding.name: finding for finding in look_at_default_models(Installation(Path("models"), Path()))}
    assert findings["campplus"].state == "problem"
    assert "wortlaut models pull campplus" in findings["campplus"].next_step


def test_hashing_stops_when_time_is_up(store, monkeypatch):
    monkeypatch.setattr(stored_models, "VERIFY_SECONDS", -1.0)
    store.corrupt = DEFAULT_MODELS  # would be noticed
    assert set(states().values()) == {"ok"}


def test_others(store):
    (finding,) = look_at_other_models(Installation(Path("models"), Path()))
    assert finding.detail == "large-v3 (5 MB)"


@pytest.mark.models
def test_real_models_are_verified(models_dir):
    findings = list(look_at_default_models(Installation(models_dir, models_dir)))
    assert [finding.state for finding in findings] == ["ok"] * len(DEFAULT_MODELS)
    assert findings[-1].detail.startswith(str(models_dir))


def test_empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no cache"))
    findings = list(look_at_default_models(Installation(tmp_path / "models", tmp_path, is_offline=True)))
    assert {finding.state for finding in findings} == {"problem"}
    assert not (tmp_path / "models").exists()
