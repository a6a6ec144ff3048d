"""The working process: what it answers, and every way in which it can end."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from wortlaut.errors import MediaInvalid, OutOfMemory
from wortlaut.formats.read import read_json
from wortlaut.jobs.errors import WorkerCrashed, WorkerHung
from wortlaut.jobs.process import CALM, Child, Kept
from wortlaut.options import Options

pytestmark = pytest.mark.anyio
OBEDIENT = "wortlaut.jobs.testing:open_obedient"


@pytest.fixture
async def child(anyio_backend):
    child = Child(OBEDIENT, silence=20.0)
    yield child
    await child.kill()


@pytest.fixture
def work(child, tmp_path):
    async def work(script, report=lambda _: None):
        media = tmp_path / "media"
        media.write_text(script)
        await child.work("transcribe", media, Options(), tmp_path / "result.json", report)
        return read_json((tmp_path / "result.json").read_bytes())

    return work


async def test_a_child_works_for_one_recording_after_the_other_and_stays_warm(work, child):
    heard = []
    assert (await work("say good morning", heard.append)).text == "good morning"
    pid = child.pid
    assert (await work("say good night")).text == "good night"
    assert child.pid == pid
    assert [each.stage for each in heard] == ["recognize"]


async def test_a_child_says_what_it_is_without_loading_anything(child):
    assert (await child.describe())["batch_size"] == 8


async def test_lines_that_were_obeyed_are_kept_and_not_obeyed_again(work, child, tmp_path):
    media, result = tmp_path / "media", tmp_path / "result.json"
    media.write_text(f"note {tmp_path / 'notes'} worked\nsay hello")
    kept = Kept(str(tmp_path / "objects"), "abc")
    seen = [(await child.work("transcribe", media, Options(), result, lambda _: None, kept)).reused for _ in range(2)]
    assert seen == [{}, {"recognize": 1.0}]
    assert (tmp_path / "notes").read_text().split() == ["worked"]


async def test_an_error_of_the_work_arrives_as_itself_and_the_child_lives(work, child):
    with pytest.raises(MediaInvalid):
        await work("nonsense")
    pid = child.pid
    assert (await work("say hello")).text == "hello"
    assert child.pid == pid


async def test_a_crash_is_named_and_the_next_work_gets_a_new_child(work):
    with pytest.raises(WorkerCrashed, match="SIGSEGV"):
        await work("crash")
    assert (await work("say hello")).text == "hello"


async def test_an_unexpected_exception_ends_the_child_and_its_last_line_is_the_reason(work):
    with pytest.raises(WorkerCrashed, match="RuntimeError: out of ideas"):
        await work("raise out of ideas")


async def test_a_child_killed_by_the_system_has_run_out_of_memory(work):
    with pytest.raises(OutOfMemory, match="killed"):
        await work("killed")


async def test_a_smaller_batch_is_for_a_while(work, child):
    await child.need_less_memory()
    assert (await child.describe())["batch_size"] == 4
    await child.need_less_memory()
    assert child.batch_size == 2
    for number in range(CALM):
        assert child.batch_size == 2, number
        await work("say hello")
    assert child.batch_size is None
    assert (await child.describe())["batch_size"] == 8


async def test_work_that_fails_does_not_show_that_there_is_memory_again(work, child):
    await child.need_less_memory()
    for _ in range(CALM + 1):
        with pytest.raises(MediaInvalid):
            await work("nonsense")
    assert child.batch_size == 4


async def test_a_silent_child_is_hung_and_is_killed(work, child):
    await work("say hello")
    pid, child.silence = child.pid, 0.5
    with pytest.raises(WorkerHung):
        await work("hang")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(("script", "survives"), [("sleep 60", True), ("hang", False)])
async def test_cancelling_stops_at_once_kindly_where_possible(work, child, script, survives):
    await work("say hello")
    pid = child.pid
    task = asyncio.create_task(work(script))
    await asyncio.sleep(0.5)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 20  # long before the work would have ended
    assert (child.pid == pid) is survives
    assert (await work("say again")).text == "again"


async def test_a_child_ends_when_its_parent_is_gone(work, child):
    await work("say hello")
    process = child._process
    process.stdin.close()
    async with asyncio.timeout(10):
        assert await process.wait() == 1
