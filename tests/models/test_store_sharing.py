"""The store shared with others: the cache of the hub's own client, and several processes at once."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from wortlaut.errors import Cancelled, DownloadFailed, ModelCorrupt
from wortlaut.models.store import ModelStore
from wortlaut.models.transfer import Patience

REPO = "org/model"
WEIGHTS = bytes(range(256)) * 400
FILES = {"model__bin": WEIGHTS, "config__json": b"{}", "tokenizer__json": b"{}" * 80, "vocabulary__txt": b"a\nb"}


def with_(store: ModelStore, **changes) -> ModelStore:
    return ModelStore(**{"root": store.root, "patience": store.patience, "hub": store.hub, **changes})


def leftovers(store: ModelStore) -> list[str]:
    incoming = store.root / ".incoming"
    return sorted(path.name for path in incoming.rglob("*") if path.is_file())


# --- the cache of the hub's own client


def fill_cache(store: ModelStore, files: dict[str, bytes]) -> Path:
    repo = store.hub.cache / "models--org--model"
    (repo / "blobs").mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("c0ffee")
    snapshot = repo / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    for name, content in files.items():
        is_large = len(content) > 100
        blob = hashlib.sha256(content) if is_large else hashlib.sha1(b"blob %d\0" % len(content) + content)
        (repo / "blobs" / blob.hexdigest()).write_bytes(content)
        (snapshot / name.replace("__", ".")).symlink_to(repo / "blobs" / blob.hexdigest())
    return repo


def test_what_others_fetched_is_used_and_not_copied(store, hub):
    fill_cache(store, FILES)
    folder = with_(store, is_offline=True).find(REPO)
    assert folder == store.root / "org--model"
    assert (folder / "model.bin").is_symlink()
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    assert store.verify(REPO)
    assert not hub.asked


def test_a_cache_that_was_emptied_meanwhile_is_noticed(store):
    repo = fill_cache(store, FILES)
    store.find(REPO)
    shutil.rmtree(repo)
    with pytest.raises(ModelCorrupt):
        store.find(REPO)


@pytest.mark.parametrize("damage", ["bytes", "missing"])
def test_a_bad_cache_is_not_used(store, damage):
    repo = fill_cache(store, FILES)
    weights = repo / "snapshots" / "c0ffee" / "model.bin"
    if damage == "bytes":
        weights.resolve().write_bytes(b"x")
    else:
        weights.unlink()
    assert store.find(REPO) is None
    assert (store.fetch(REPO) / "model.bin").read_bytes() == WEIGHTS


def test_a_store_that_cannot_be_written_uses_the_cache_where_it_is(store, tmp_path):
    repo = fill_cache(store, FILES)
    (tmp_path / "file").write_bytes(b"")
    found = with_(store, root=tmp_path / "file" / "models").find(REPO)
    assert found == repo / "snapshots" / "c0ffee"


# --- several at once

PULL = """
import sys
from pathlib import Path
from wortlaut.models.transfer import Patience
from wortlaut.models.hub import HubAccess
from wortlaut.models.store import ModelStore
root, url = sys.argv[1:]
hub = HubAccess(url, None, Path(root) / "none", is_offline=False)
print(ModelStore(Path(root), hub=hub, patience=Patience(answer=20, stall=20)).fetch("org/model"), flush=True)
"""


def pull(store: ModelStore, hub) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", PULL, str(store.root), hub.url], stdout=subprocess.PIPE, text=True)


def test_two_processes_fetch_once(store, hub):
    hub.delay = 0.3
    hub.redirects = False
    both = [pull(store, hub) for _ in range(2)]
    results = [process.communicate(timeout=60)[0].strip() for process in both]
    assert results == [str(store.root / "org--model")] * 2
    assert len(hub.gets("model.bin")) == 1


def test_whoever_is_killed_leaves_nothing_that_blocks(store, hub):
    hub.stalls_after = 20_000
    process = pull(store, hub)
    deadline = time.monotonic() + 30
    while not [name for name in leftovers(store) if name.startswith("model.bin.")]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert store.find(REPO) is None
    hub.stalls_after = None
    assert (store.fetch(REPO) / "model.bin").read_bytes() == WEIGHTS


def test_whoever_waits_is_told_and_can_stop(store, hub):
    hub.stalls_after = 1
    patient = with_(store, patience=Patience(answer=10, stall=10))

    def fail():
        with pytest.raises(DownloadFailed):
            patient.fetch(REPO)

    thread = threading.Thread(target=fail)
    thread.start()
    while not hub.asked:
        time.sleep(0.01)

    def stop(progress):
        assert progress.stage == "wait for another download"
        raise Cancelled

    with pytest.raises(Cancelled):
        store.fetch(REPO, listener=stop)
    hub.released.set()
    hub.status = 404
    thread.join()
