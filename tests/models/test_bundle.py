"""A bundle brings models over, and nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from wortlaut.cli import models as cli
from wortlaut.errors import MediaNotFound, ModelCorrupt, ModelError, ModelMissing, OutputUnwritable
from wortlaut.models.bundle import INDEX, BundleInvalid, import_bundle, write_bundle

NAME = "org/model"
FOLDER = "org--model"


@pytest.fixture
def filled(store):
    """A store with one model in it."""
    store.fetch(NAME)
    return store


@pytest.fixture
def away(store, tmp_path):
    """An empty store without a network."""
    return replace(store, root=tmp_path / "away", is_offline=True)


@pytest.fixture
def bundle(filled, tmp_path):
    target = tmp_path / "models.tar"
    write_bundle(filled, [NAME], target)
    return target


def forge(path, *members, files=None, index=None):
    """Write a bundle by hand; `files` are said by the index and are in it, `members` come on top."""
    files = files or {}
    listed = {name: {"sha256": sha256(data), "size_bytes": len(data)} for name, data in files.items()}
    index = json.dumps({"format": 1, "models": {FOLDER: listed}}).encode() if index is None else index
    with tarfile.open(path, "w") as tar:
        for name, data in [(INDEX, index), *((f"{FOLDER}/{name}", data) for name, data in files.items())]:
            tar.addfile(plain(name, len(data)), io.BytesIO(data))
        for member, data in members:
            tar.addfile(member, io.BytesIO(data))
    return path


def plain(name, size=0, kind=tarfile.REGTYPE, link=""):
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname = size, kind, link
    return member


def sha256(data):
    return hashlib.sha256(data).hexdigest()


GOOD = {"model.bin": b"w" * 9, "config.json": b"{}", "tokenizer.json": b"[]"}


def test_a_model_goes_there_and_back(bundle, filled, away):
    (imported,) = import_bundle(away, bundle)
    assert imported.is_new
    assert away.verify(NAME) == imported.folder
    for path in filled.path(NAME).iterdir():
        if not path.name.startswith("."):
            assert (imported.folder / path.name).read_bytes() == path.read_bytes()
    assert not list((away.root / ".incoming").iterdir())


def test_the_same_models_make_the_same_bytes(bundle, filled, tmp_path):
    write_bundle(filled, [NAME, NAME], tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == bundle.read_bytes()


def test_what_is_missing_or_damaged_is_not_bundled(store, filled, tmp_path):
    with pytest.raises(ModelMissing, match="silero-vad"):
        write_bundle(store, [NAME, "silero-vad"], tmp_path / "models.tar")
    (filled.path(NAME) / "model.bin").write_bytes(b"x")
    with pytest.raises(ModelCorrupt):
        write_bundle(filled, [NAME], tmp_path / "models.tar")
    assert not list(tmp_path.glob("models.tar*"))


def test_a_target_that_cannot_be_written_is_told(filled, tmp_path):
    with pytest.raises(OutputUnwritable):
        write_bundle(filled, [NAME], tmp_path / "no" / "folder" / "models.tar")


def test_a_sound_model_is_kept_and_a_damaged_one_replaced(bundle, away):
    import_bundle(away, bundle)
    weights = away.path(NAME) / "model.bin"
    before = weights.stat().st_ino
    assert [model.is_new for model in import_bundle(away, bundle)] == [False]
    assert weights.stat().st_ino == before
    good = weights.read_bytes()
    weights.write_bytes(b"x" * len(good))
    assert [model.is_new for model in import_bundle(away, bundle)] == [True]
    assert weights.read_bytes() == good


def test_a_bad_bundle_leaves_a_good_model_alone(bundle, away, tmp_path):
    import_bundle(away, bundle)
    before = {path.name: path.read_bytes() for path in away.path(NAME).iterdir()}
    import_bundle(away, forge(tmp_path / "other.tar", files=GOOD))
    assert {path.name: path.read_bytes() for path in away.path(NAME).iterdir()} == before


def test_one_flipped_bit_is_refused(bundle, away):
    with tarfile.open(bundle) as tar:
        weights = tar.getmember(f"{FOLDER}/model.bin")
    raw = bytearray(bundle.read_bytes())
    raw[weights.offset_data] ^= 1
    bundle.write_bytes(raw)
    with pytest.raises(BundleInvalid, match="damaged"):
        import_bundle(away, bundle)
    assert away.find(NAME) is None
    assert not list((away.root / ".incoming").iterdir())


def test_the_catalog_is_believed_and_not_the_index(away, tmp_path):
    """Other weights under the name of a known model, with an index that agrees with them."""
    files = {"silero_vad.onnx": b"evil", "silero_vad_16k_sequence.onnx": b"evil"}
    listed = {name: {"sha256": sha256(data), "size_bytes": len(data)} for name, data in files.items()}
    index = json.dumps({"format": 1, "models": {"silero-vad": listed}}).encode()
    members = [(plain(f"silero-vad/{name}", len(data)), data) for name, data in files.items()]
    with pytest.raises(ModelCorrupt):
        import_bundle(away, forge(tmp_path / "evil.tar", *members, index=index))
    assert away.find("silero-vad") is None


@pytest.mark.parametrize(
    "member",
    [
        plain("../escape"),
        plain("/tmp/escape"),
        plain(f"{FOLDER}/../../escape"),
        plain(f"{FOLDER}/model.bin"),
        plain(f"{FOLDER}/run.py"),
        plain("other"),
        plain(FOLDER, kind=tarfile.DIRTYPE),
        plain(f"{FOLDER}/vocabulary.txt", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        plain(f"{FOLDER}/vocabulary.txt", kind=tarfile.LNKTYPE, link=f"{FOLDER}/model.bin"),
        plain(f"{FOLDER}/vocabulary.txt", kind=tarfile.CHRTYPE),
        plain(f"{FOLDER}/vocabulary.txt", kind=tarfile.FIFOTYPE),
    ],
    ids=lambda member: f"{member.name} {member.type!r}",
)
def test_hostile_members_are_refused(away, tmp_path, member):
    with pytest.raises(BundleInvalid):
        import_bundle(away, forge(tmp_path / "evil.tar", (member, b""), files=GOOD))
    assert away.find(NAME) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar"]


@pytest.mark.parametrize("name", ["run.py", "../../escape", "/tmp/escape", ".wortlaut.json"])
def test_names_that_the_index_agrees_with_are_refused_too(away, tmp_path, name):
    with pytest.raises(BundleInvalid, match="no file of a model"):
        import_bundle(away, forge(tmp_path / "evil.tar", files={**GOOD, name: b"x"}))


@pytest.mark.parametrize("folder", ["..", "../..", "no-such-model", "a--b/../c", "whisper-base/..", "", "/etc--x"])
def test_folders_that_are_no_models_are_refused(away, tmp_path, folder):
    index = json.dumps({"format": 1, "models": {folder: {"model.bin": {"sha256": sha256(b""), "size_bytes": 0}}}})
    path = forge(tmp_path / "evil.tar", (plain(f"{folder}/model.bin"), b""), index=index.encode())
    with pytest.raises(BundleInvalid):
        import_bundle(away, path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar"]


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 2, "models": {}}',
        b'{"format": 1, "models": []}',
        b'{"format": 1, "models": {"org--model": {"model.bin": {}}}}',
        b'{"format": 1, "models": {"org--model": {"model.bin": {"sha256": "", "size_bytes": 1}}}}',
        b" " * (2 << 20),
    ],
    ids=lambda index: repr(index[:40]),
)
def test_an_index_that_makes_no_sense_is_refused(away, tmp_path, index):
    with pytest.raises(BundleInvalid):
        import_bundle(away, forge(tmp_path / "bad.tar", index=index))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_whatever_happens_on_the_way_is_noticed(bundle, away, tmp_path, data):
    """A bundle that is cut off or has other bytes is refused, or is still the same model."""
    raw = bytearray(bundle.read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        del raw[place:]
    else:
        raw[place] ^= data.draw(st.integers(1, 255))
    broken = tmp_path / "broken.tar"
    broken.write_bytes(raw)
    try:
        import_bundle(away, broken)
    except ModelError:
        return
    if away.find(NAME):
        assert (away.find(NAME) / "model.bin").read_bytes() == away_weights(bundle)
        away.remove(NAME)


def away_weights(bundle):
    with tarfile.open(bundle) as tar:
        return tar.extractfile(f"{FOLDER}/model.bin").read()


def test_no_file_is_told(away, tmp_path):
    with pytest.raises(MediaNotFound):
        import_bundle(away, tmp_path / "nothing.tar")


def test_the_commands_say_what_they_did(filled, away, tmp_path, monkeypatch):
    target = tmp_path / "out.tar"
    monkeypatch.setattr(cli, "store_from_settings", lambda: filled)
    written = CliRunner().invoke(cli.app, ["bundle", "-o", str(target), NAME])
    assert hashlib.sha256(target.read_bytes()).hexdigest() in written.stdout
    monkeypatch.setattr(cli, "store_from_settings", lambda: away)
    assert str(away.path(NAME)) in CliRunner().invoke(cli.app, ["import", str(target)]).stdout
    assert "was here already" in CliRunner().invoke(cli.app, ["import", str(target)]).stdout
