"""What is made once and kept: found again, made again where it is something else or damaged."""

from __future__ import annotations

import os
import threading

import pytest

from wortlaut.models.keeping import discard_damaged, find_kept, keep


def made(text):
    return lambda folder: (folder / "product").write_text(text)


def never(folder):
    raise AssertionError(f"{folder} was there already")


def test_it_is_made_once(tmp_path):
    folder = tmp_path / "made"
    assert find_kept(folder, "original 1") is None
    assert keep(folder, "original 1", made("one")) == folder
    assert keep(folder, "original 1", never) == folder == find_kept(folder, "original 1")
    assert (folder / "product").read_text() == "one"


def test_another_original_makes_another_product(tmp_path):
    folder = tmp_path / "made"
    keep(folder, "original 1", made("one"))
    assert find_kept(folder, "original 2") is None
    keep(folder, "original 2", made("two"))
    assert (folder / "product").read_text() == "two"


@pytest.mark.parametrize("damage", ["other bytes", "gone", "no record"])
def test_what_is_damaged_is_made_again(tmp_path, damage):
    folder = tmp_path / "made"
    keep(folder, "original", made("one"))
    if damage == "other bytes":
        (folder / "product").write_text("eno")
    else:
        (folder / ("product" if damage == "gone" else ".wortlaut.json")).unlink()
    assert find_kept(folder, "original") is None
    assert keep(folder, "original", made("one")) == folder
    assert (folder / "product").read_text() == "one"


def test_what_only_looks_changed_is_kept(tmp_path):
    folder = tmp_path / "made"
    keep(folder, "original", made("one"))
    os.utime(folder / "product", (1, 1))
    assert find_kept(folder, "original") == folder


def test_a_thorough_look_finds_what_a_glance_does_not(tmp_path):
    folder = tmp_path / "made"
    assert not discard_damaged(folder)
    keep(folder, "original", made("one"))
    assert not discard_damaged(folder)
    assert folder.exists()
    before = (folder / "product").stat()
    with (folder / "product").open("r+") as file:
        file.write("eno")
    os.utime(folder / "product", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert find_kept(folder, "original") == folder
    assert discard_damaged(folder)
    assert not folder.exists()


def test_an_error_in_the_making_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / "half").write_text("of it")
        raise KeyError("missing")

    with pytest.raises(KeyError):
        keep(tmp_path / "made", "original", fail)
    assert [file.name for file in tmp_path.iterdir() if file.is_dir()] == []


def test_what_a_killed_process_left_is_no_hindrance(tmp_path):
    (tmp_path / "made.draft").mkdir()
    (tmp_path / "made.draft" / "half").write_text("of it")
    assert keep(tmp_path / "made", "original", made("one"))
    assert sorted(file.name for file in (tmp_path / "made").iterdir()) == [".wortlaut.json", "product"]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert keep(tmp_path / "file" / "made", "original", never) is None


def test_of_several_at_once_one_makes_it(tmp_path):
    makings, found = [], []

    def make(folder):
        makings.append(folder)
        made("one")(folder)

    threads = [threading.Thread(target=lambda: found.append(keep(tmp_path / "m", "it", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(makings), found) == (1, [tmp_path / "m"] * 4)
