"""`wortlaut models` as a user types it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wortlaut.cli import models as cli
from wortlaut.errors import MediaNotFound, ModelCorrupt, ModelMissing, UnknownModel
from wortlaut.models import whisper_int8
from wortlaut.models.hub import HubAccess
from wortlaut.models.keeping import INT8_PARTS
from wortlaut.models.store import ModelStore
from wortlaut.models.transfer import Patience

REPO = "org/model"


@pytest.fixture
def run(tmp_path, hub, monkeypatch):
    """Run a command against a store of its own; errors of ours come out as they are."""
    hub.fill(REPO, model__bin=b"w" * 500, config__json=b"{}", tokenizer__json=b"[]")
    access = HubAccess(hub.url, None, tmp_path / "cache", is_offline=False)
    store = ModelStore(tmp_path / "models", hub=access, patience=Patience(1, 1))
    monkeypatch.setattr(cli, "store_from_settings", lambda: store)

    def invoke(*arguments: str):
        result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def test_a_model_from_pull_to_remove(run, tmp_path):
    with pytest.raises(ModelMissing, match=REPO):
        run("path", REPO)
    pulled = run("pull", REPO)
    folder = str(tmp_path / "models" / "org--model")
    assert pulled.stdout == f"{REPO}: {folder}\n"
    assert f"download {REPO}: 0 of 2 MB" in pulled.stderr
    assert run("path", REPO).stdout.strip() == folder
    assert run("verify").stdout == f"{REPO}: sound\n"
    assert run("remove", REPO).stdout == f"{REPO}: removed\n"
    assert run("remove", REPO).stdout == f"{REPO}: was not there\n"


def test_pull_replaces_what_is_damaged(run, tmp_path):
    run("pull", REPO)
    weights = tmp_path / "models" / "org--model" / "model.bin"
    weights.write_bytes(b"x")
    with pytest.raises(ModelCorrupt):
        run("verify")
    assert "fetched again" in run("pull", REPO).stderr
    assert weights.read_bytes() == b"w" * 500


def test_a_whisper_is_taken_apart_when_it_is_pulled(run, hub, stored, small_encoder, monkeypatch, tmp_path):
    monkeypatch.setattr(whisper_int8, "multiplies_exactly", lambda: True)
    hub.fill(REPO, model__bin=stored(small_encoder), config__json=b"{}", tokenizer__json=b"[]")
    run("pull", REPO)
    kept = tmp_path / "models" / "org--model" / INT8_PARTS / "encoder.onnx"
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + b"x")
    damaged = run("verify")
    assert (damaged.stdout, "made again" in damaged.stderr) == (f"{REPO}: sound\n", True)
    run("pull", REPO)
    assert kept.read_bytes() == whole
    assert run("verify").stderr == ""


def test_list_shows_what_is_known_and_what_is_here(run):
    run("pull", REPO)
    lines = run("list").stdout.splitlines()
    (base,) = [line for line in lines if line.startswith("base ")]
    assert base.split() == ["base", "recognition", "MIT", "148", "MB"]
    (own,) = [line for line in lines if line.startswith(REPO)]
    assert own.split() == [REPO, "yes"]


def test_an_unknown_name_is_an_error(run):
    with pytest.raises(UnknownModel):
        run("pull", "bas")


class Planted:
    def __reduce__(self):
        return eval, ("1",)


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (pickle.dumps({"a": 1}), 0, "harmless"),
        (b"\x80\x02cmy.package\nModel\n.", 3, "my.package.Model"),
        (pickle.dumps(Planted()), 4, "builtins.eval"),
        (b"RIFF", 3, "not known"),
    ],
)
def test_inspect_tells_by_words_and_by_its_exit_code(run, tmp_path, content, code, says):
    path = tmp_path / "file"
    path.write_bytes(content)
    shown = run("inspect", path)
    assert shown.exit_code == code
    assert says in shown.stdout
    as_json = run("inspect", "--json", path)
    assert as_json.exit_code == code
    report = json.loads(as_json.stdout)
    assert cli.INSPECT_EXIT_CODES[report["verdict"]] == code
    assert report["size_bytes"] == len(content)


def test_inspect_lists_tensors(run, forge, forged_of, tmp_path):
    import numpy as np

    path = tmp_path / "model.pt"
    path.write_bytes(forge.archive({f"t{index}": forged_of.of(np.zeros((2, 3), np.float32)) for index in range(25)}))
    shown = run("inspect", path)
    assert shown.exit_code == 0
    assert "t0  float32  [2, 3]" in shown.stdout
    assert "25 tensors" in shown.stdout


def test_inspecting_nothing_is_an_error(run):
    with pytest.raises(MediaNotFound):
        run("inspect", Path("no-such-file"))
