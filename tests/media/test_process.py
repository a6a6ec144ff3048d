"""The decoding process may do its worst: it dies alone, and it never outlives the decoder."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from wortlaut.errors import Cancelled, DecodingFailed
from wortlaut.media import process
from wortlaut.media.decoder import PyavDecoder
from wortlaut.media.spool import SpooledSamples

HANG = "import os, sys, time; open(sys.argv[1] + '.pid', 'w').write(str(os.getpid())); time.sleep(600)"
CHATTER = (
    "import json, sys, time\nwhile True: print(json.dumps({'done': 0.0}), file=sys.stderr, flush=True); time.sleep(.05)"
)


@pytest.fixture
def behave(monkeypatch):
    """Let the child run other code; its argument is still the file."""

    def replace(code: str) -> None:
        monkeypatch.setattr(process, "CHILD", ("-c", code))

    return replace


@pytest.fixture
def recording(encode):
    return encode("a.wav", np.zeros((1, 160_000), np.float32))


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_crash_is_an_error_that_names_the_signal(behave, recording):
    behave("import os; os.abort()")
    with pytest.raises(DecodingFailed, match="SIGABRT"):
        PyavDecoder().decode(recording)


def test_an_end_without_a_result_says_the_last_words(behave, recording):
    behave("raise RuntimeError('out of cheese')")
    with pytest.raises(DecodingFailed, match="out of cheese"):
        PyavDecoder().decode(recording)


def test_silence_has_an_end(behave, recording):
    behave(HANG)
    with pytest.raises(DecodingFailed, match="said nothing"):
        PyavDecoder(deadline=1.5).decode(recording)

    assert not is_alive(int(Path(f"{recording}.pid").read_text()))


def test_chatter_without_progress_has_an_end(behave, recording):
    behave(CHATTER)
    with pytest.raises(DecodingFailed, match="too slow"):
        PyavDecoder(deadline=1.0).decode(recording)


def test_cancelling_leaves_no_process(behave, recording):
    behave("import json, sys; print(json.dumps({'done': 0.5}), file=sys.stderr, flush=True)\n" + HANG)

    def cancel(_: float) -> None:
        while not Path(f"{recording}.pid").exists():
            time.sleep(0.01)
        raise Cancelled

    with pytest.raises(Cancelled):
        PyavDecoder().decode(recording, advance=cancel)

    assert not is_alive(int(Path(f"{recording}.pid").read_text()))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a Unix thing")
def test_the_child_ends_with_its_parent(tmp_path):
    """A pipe that nobody writes to keeps it busy; closing its stdin is what the death of the parent does."""
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(
        [sys.executable, "-P", *process.CHILD, str(tmp_path / "pipe")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=process.child_environment(),
    ) as child:
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1.0)
        child.stdin.close()

        assert child.wait(10) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk to offer")
def test_a_full_disk_is_said(recording):
    with Path("/dev/full").open("wb") as full:
        messages = list(process.run_child(recording, full, 60.0))

    assert messages[-1]["error"]["code"] == "output-unwritable"


@pytest.mark.skipif(sys.platform != "linux", reason="not every system limits address space")
def test_memory_is_limited(recording):
    """The limit holds in the child: what asks for more fails there, and only there."""
    code = "from wortlaut.media.child import limit_memory; limit_memory(); bytearray(4 * 2**30)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=process.child_environment(), capture_output=True, text=True, check=False
    )

    assert "MemoryError" in done.stderr


def test_progress_ends_with_the_length(recording):
    heard: list[float] = []
    PyavDecoder().decode(recording, advance=heard.append)

    assert heard == sorted(heard)
    assert heard[-1] == 10.0


def test_spooled_samples_read_like_an_array(tmp_path):
    values = np.random.default_rng(1).integers(-32768, 32768, 5000).astype("<i2")
    with (tmp_path / "spool").open("w+b") as file:
        file.write(values.tobytes())
        file.flush()
        samples = SpooledSamples(file.fileno())

    assert len(samples) == 5000
    for start, stop in ((0, 5000), (17, 17), (4999, 5000), (1234, 4321)):
        read = samples.read(start, stop)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read * 32768, values[start:stop])
    samples.close()
    samples.close()
    with pytest.raises(ValueError, match="closed"):
        samples.read(0, 1)


def test_spooled_samples_are_read_by_many_threads(tmp_path):
    values = np.arange(20_000, dtype="<i2")
    with (tmp_path / "spool").open("w+b") as file:
        file.write(values.tobytes())
        file.flush()
        samples = SpooledSamples(file.fileno())
    wrong: list[int] = []

    def read(start: int) -> None:
        for _ in range(300):
            read = samples.read(start, start + 1000) * 32768
            wrong.extend(np.flatnonzero(read != values[start : start + 1000]).tolist())

    threads = [threading.Thread(target=read, args=(start,)) for start in range(0, 16_000, 4000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_nothing_stays_open_or_on_disk(recording, tmp_path):
    spool_dir = tmp_path / "spool"
    spool_dir.mkdir()
    gc.collect()
    before = open_files()
    audio = PyavDecoder(spool_dir=spool_dir).decode(recording)

    assert list(spool_dir.iterdir()) == []
    assert open_files() == before + 1
    del audio
    gc.collect()
    assert open_files() == before


def test_ten_hours_take_no_memory_and_silence_no_disk(tmp_path):
    hours_samples = 10 * 3600 * 16_000
    with (tmp_path / "spool").open("w+b") as file:
        file.truncate(hours_samples * 2)
        samples = SpooledSamples(file.fileno())

    assert len(samples) == hours_samples
    assert not samples.read(hours_samples - 480_000, hours_samples).any()
