"""Objects in a folder, in memory and in S3: the same contract."""

from __future__ import annotations

import io

import pytest
from obstore.store import MemoryStore

from wortlaut.errors import InvalidOption
from wortlaut.storage import ObjectMissing, Objects, Storage, StorageUnavailable, open_storage

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["folder", "memory", "s3"])
def any_storage(request, tmp_path):
    if request.param == "folder":
        return open_storage(tmp_path / "objects")
    if request.param == "s3":
        return open_storage(f"{request.getfixturevalue('s3_bucket')}/some/prefix")
    return Storage(Objects(MemoryStore()))


async def test_what_is_put_can_be_got(any_storage):
    await any_storage.put("media/a", b"one")
    await any_storage.put("media/b", io.BytesIO(b"x" * 12_000_000))
    assert await any_storage.get("media/a") == b"one"
    async with any_storage.as_file("media/b") as file:
        assert file.stat().st_size == 12_000_000


async def test_listing_shows_what_lies_under_a_folder(any_storage):
    await any_storage.put("media/a", b"one")
    await any_storage.put("results/a/1.json", b"{}")
    (found,) = await any_storage.listing("results")
    assert (found.key, found.size_bytes) == ("results/a/1.json", 2)


async def test_deleting_twice_is_no_error_and_the_object_is_gone(any_storage):
    await any_storage.put("media/a", b"one")
    await any_storage.delete("media/a", "media/a")
    with pytest.raises(ObjectMissing):
        await any_storage.get("media/a")


async def test_deleting_a_folder_leaves_its_neighbours(any_storage):
    for key in ("stages/a/1", "stages/a/b/2", "stages/ab/3"):
        await any_storage.put(key, b"x")
    await any_storage.delete_all("stages/a")
    assert [each.key for each in await any_storage.listing("stages")] == ["stages/ab/3"]


async def test_a_storage_that_works_passes_its_own_check(any_storage):
    await any_storage.check()
    assert await any_storage.listing("check") == []


async def test_a_file_in_the_place_of_a_folder_is_said(tmp_path):
    storage = open_storage(tmp_path / "objects")
    (tmp_path / "objects" / "media").write_text("in the way")
    with pytest.raises(StorageUnavailable, match="media/a"):
        await storage.put("media/a", b"one")


def test_what_is_no_storage_is_refused():
    with pytest.raises(InvalidOption, match="nowhere"):
        open_storage("nowhere://bucket")
