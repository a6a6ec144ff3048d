from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest

from wortlaut.cli import output
from wortlaut.cli.output import find_media, prepare_folder, stems, write_whole
from wortlaut.errors import MediaNotFound, OutputUnwritable


def test_named_files_are_taken_as_they_are_and_folders_are_searched(tmp_path):
    for name in ("b.mp3", "a.WAV", "notes.txt", "deep/c.mkv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    odd = tmp_path / "notes.txt"
    assert find_media([odd, tmp_path]) == [odd, tmp_path / "a.WAV", tmp_path / "b.mp3", tmp_path / "deep" / "c.mkv"]


def test_a_folder_without_recordings_is_an_error(tmp_path):
    with pytest.raises(MediaNotFound, match="no recording"):
        find_media([tmp_path])


def test_results_never_overwrite_each_other():
    media = [Path("x/a.mp3"), Path("x/a.wav"), Path("y/a.wav"), Path("b.mp3")]
    assert list(stems(media).values()) == ["a.mp3", "a.wav", "a.wav.2", "b"]


def test_a_file_is_written_whole_with_ordinary_permissions(tmp_path):
    target = tmp_path / "a.txt"
    write_whole(target, b"one")
    write_whole(target, b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~output._umask()


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_cannot_be_finished_leaves_nothing_behind(tmp_path, monkeypatch, fault):
    (tmp_path / "a.txt").write_bytes(b"before")

    def fail(self, target):
        raise fault

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((OutputUnwritable, KeyboardInterrupt)) as caught:
        write_whole(tmp_path / "a.txt", b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"before"
    assert isinstance(caught.value, KeyboardInterrupt) or "No space left" in caught.value.message


def test_an_output_folder_is_made_or_refused_before_the_work(tmp_path):
    prepare_folder(tmp_path / "new" / "deep")
    assert (tmp_path / "new" / "deep").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputUnwritable):
        prepare_folder(tmp_path / "file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, b"Guten Tag")
        assert os.read(reader, 100) == b"Guten Tag"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_what_a_link_leads_to_is_replaced_and_not_the_link(tmp_path):
    (tmp_path / "here.srt").write_text("old")
    (tmp_path / "link.srt").symlink_to("here.srt")
    write_whole(tmp_path / "link.srt", b"new")
    assert (tmp_path / "link.srt").is_symlink()
    assert (tmp_path / "here.srt").read_text() == "new"


def test_a_disk_that_is_full_is_said_with_the_way_to_the_doctor(tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    with pytest.raises(OutputUnwritable, match="No space left on device") as caught:
        write_whole(tmp_path / "out.srt", b"text")
    assert "`wortlaut doctor`" in caught.value.hint
