"""Workers with a real queue and real child processes: whatever happens, every job ends exactly once."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import pytest

from wortlaut.formats.read import read_json
from wortlaut.jobs.database import fetch_all, transaction
from wortlaut.jobs.errors import JobNotFound
from wortlaut.jobs.ledger import Ledger, Submission
from wortlaut.jobs.queue import recover
from wortlaut.jobs.worker import Worker, forget, tidy
from wortlaut.options import Options

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def working(settings, url):
    worker = Worker(settings, Options(), url)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def worker(settings, url, pool):
    async with working(settings, url) as worker:
        yield worker


@pytest.fixture
def ended(ledger):
    """Wait until a job has ended."""

    async def ended(job, within=30.0):
        return await until(ledger, job, lambda found: found.is_finished, within)

    return ended


async def until(ledger, job, is_so, within=30.0):
    async with asyncio.timeout(within):
        while not is_so(found := await ledger.get(job.id)):  # noqa: ASYNC110 there is no event to wait for
            await asyncio.sleep(0.05)
    return found


async def test_jobs_are_done_and_their_results_kept(worker, submit, ended, storage):
    jobs = [await submit(f"say number {number}") for number in range(3)]
    for number, job in enumerate(jobs):
        done = await ended(job)
        assert (done.state, done.attempt, done.duration) == ("done", 1, 1.0)
        assert read_json(await storage.get(done.result_key)).text == f"number {number}"


async def test_an_error_of_the_recording_is_final(worker, submit, ended):
    job = await ended(await submit("nonsense"))
    assert (job.state, job.error.code, job.attempt, job.reasons) == ("failed", "media-invalid", 1, ())


async def test_a_crash_is_tried_again_and_the_reason_is_kept(worker, submit, ended, tmp_path):
    job = await ended(await submit(f"once {tmp_path / 'flag'}\nsay second time lucky"))
    assert (job.state, job.attempt) == ("done", 2)
    assert [reason.code for reason in job.reasons] == ["worker-crashed"]


async def test_a_recording_that_always_crashes_is_given_up_and_the_next_is_done(worker, submit, ended):
    doomed = await submit("crash")
    fine = await submit("say hello")
    assert (await ended(fine)).state == "done"
    job = await ended(doomed)
    assert (job.state, job.error.code, job.attempt, len(job.reasons)) == ("failed", "worker-crashed", 3, 2)


async def test_memory_that_runs_out_halves_the_batch(worker, submit, ended):
    job = await ended(await submit("exhaust"))
    assert [reason.message for reason in job.reasons] == ["batch None", "batch 4"]
    assert job.error.code == "out-of-memory"


async def test_a_running_job_is_cancelled_at_once(worker, submit, ended, ledger):
    for script in ("sleep 60", "hang"):
        job = await submit(script)
        await until(ledger, job, lambda found: found.progress is not None)
        assert (await ledger.cancel(job.id)).state == "cancelled"
        assert (await ended(await submit("say next"))).state == "done"  # by the one worker, which is free again


@pytest.mark.parametrize("end", ["cancel", "delete"])
async def test_a_worker_hears_at_once_that_a_job_is_not_wanted(
    worker, submit, ended, ledger, storage, end, monkeypatch
):
    """However seldom it looks: the database tells it."""
    monkeypatch.setattr("wortlaut.jobs.attempt.BEAT", 600.0)
    job = await submit("sleep 60")
    await until(ledger, job, lambda found: found.state == "running")
    await asyncio.sleep(0.5)
    await (ledger.cancel(job.id) if end == "cancel" else forget(ledger, storage, job.id))
    assert (await ended(await submit("say next"))).state == "done"


@dataclass(frozen=True)
class FarAway:
    """A storage from which a recording takes long to arrive."""

    inner: object
    seconds: float

    def __getattr__(self, name):
        return getattr(self.inner, name)

    @asynccontextmanager
    async def as_file(self, key):
        await asyncio.sleep(self.seconds)
        async with self.inner.as_file(key) as file:
            yield file


async def test_fetching_a_recording_that_takes_long_is_no_reason_to_begin_anew(
    submit, ended, ledger, storage, settings, url, monkeypatch
):
    """Signs of life are given from the start: two workers would else take the job from each other for ever."""
    monkeypatch.setattr("wortlaut.jobs.worker.open_storage", lambda _where: FarAway(storage, 6.0))
    monkeypatch.setattr("wortlaut.jobs.worker.Ledger", lambda pool, queue, _life: Ledger(pool, queue, 3.0))
    async with working(settings.model_copy(update={"workers": 2}), url):
        job = await ended(await submit("say hello"))
    assert (job.state, job.attempt) == ("done", 1)


async def test_a_deleted_job_stops_and_leaves_nothing_behind(worker, submit, ledger, storage, ended):
    job = await submit("sleep 60")
    await until(ledger, job, lambda found: found.state == "running")
    await forget(ledger, storage, job.id)
    assert (await ended(await submit("say next"))).state == "done"
    assert job.id not in str([each.key for each in await storage.listing("media")])
    with pytest.raises(JobNotFound):
        await ledger.get(job.id)


async def test_who_waits_is_served_before_what_can_wait(submit, ended, settings, url):
    slow = [await submit("say later", priority=0) for _ in range(3)]
    urgent = await submit("say now", priority=10)
    async with working(settings, url):
        finished = [(await ended(job)).finished for job in (urgent, *slow)]
    assert min(finished) == finished[0]


async def test_a_worker_that_stops_gives_its_job_back(submit, ledger, ended, settings, url, tmp_path):
    job = await submit("sleep 60")
    async with working(settings, url):
        await until(ledger, job, lambda found: found.progress is not None)
    assert (await ledger.get(job.id)).state == "queued"


async def test_models_are_warm_before_the_first_job_and_trouble_is_told(settings, url, pool):
    settings = settings.model_copy(update={"warms_up": True})
    async with working(settings, url) as worker, asyncio.timeout(20):
        while worker.warmth in ("cold", "warming"):  # noqa: ASYNC110 there is no event to wait for
            await asyncio.sleep(0.05)
        assert worker.warmth == "warm"
    worker = Worker(settings, Options(model="tiny"), url)
    await worker._warm_up()
    await worker.children[0].kill()
    assert (worker.warmth, worker.trouble.message) == ("failed", "warm-up failed as asked")


async def test_an_idle_child_is_let_go_of_and_comes_back(submit, ended, settings, url):
    async with working(settings.model_copy(update={"child_idle": 0.5}), url) as worker:
        await ended(await submit("say one"))
        async with asyncio.timeout(10):
            while worker.children[0].is_running:  # noqa: ASYNC110 there is no event to wait for
                await asyncio.sleep(0.1)
        assert (await ended(await submit("say two"))).state == "done"


async def test_tidying_deletes_what_is_too_old_and_what_belongs_to_nobody(worker, submit, ended, ledger, storage):
    job = await ended(await submit("say hello"))
    await storage.put("media/orphan", b"forgotten upload")
    await tidy(ledger, storage, retention_hours=1, orphan_age=3600)
    assert (await ledger.get(job.id)).state == "done"
    await tidy(ledger, storage, retention_hours=1e-9, orphan_age=0)
    assert [each.key for each in await storage.listing("media")] == []
    assert [each.key for each in await storage.listing("results")] == []


async def test_an_attempt_whose_row_somebody_else_has_ended_is_no_error(worker, submit, ended, ledger, pool, storage):
    """It happens when a worker only seemed dead: recovery takes its row while its attempt goes on."""
    trouble = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: trouble.append(context))
    job = await submit("sleep 1\nsay hello")
    await until(ledger, job, lambda found: found.progress is not None)
    async with transaction(pool) as connection:
        await connection.execute("DELETE FROM procrastinate_jobs")
    done = await ended(job)
    assert (await ended(await submit("say next"))).state == "done"
    gc.collect()  # asyncio tells of an error that nobody has asked for when its task is collected
    assert trouble == []
    assert (done.state, done.attempt) == ("done", 1)
    assert [each.key for each in await storage.listing(f"results/{job.id}")] == [done.result_key]


async def test_recovery_ends_also_where_the_dead_worker_is_still_registered(submit, ledger, pool):
    job = await submit("say hello")
    async with transaction(pool) as connection:
        await connection.execute(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
            " RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead"
        )
    async with asyncio.timeout(20):
        assert await recover(pool, ledger.queue, ledger, stalled_after=60) == 1
    async with transaction(pool) as connection:
        rows = await fetch_all(connection, "SELECT status::text, args FROM procrastinate_jobs")
        workers = await fetch_all(connection, "SELECT id FROM procrastinate_workers")
    assert [(row["status"], row["args"]) for row in rows] == [("todo", {"job_id": job.id})]
    assert workers == []


async def test_recovery_leaves_a_live_attempt_alone_and_calls_again_for_a_dead_one(submit, ledger, pool):
    patient = replace(ledger, lease_life=60.0)
    job = await submit("say hello")
    async with transaction(pool) as connection:  # as if a worker had fetched it and died
        await connection.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
    claimed = await patient.claim(job.id)
    await patient.beat(claimed, None)
    assert await recover(pool, ledger.queue, patient, stalled_after=60) == 0
    async with transaction(pool) as connection:
        assert await fetch_all(connection, "SELECT id FROM procrastinate_jobs") == []
        await connection.execute("UPDATE wortlaut_jobs SET beaten = beaten - interval '1 hour'")
    assert await recover(pool, ledger.queue, patient, stalled_after=60) == 1
    async with transaction(pool) as connection:
        rows = await fetch_all(connection, "SELECT status::text FROM procrastinate_jobs")
    assert [row["status"] for row in rows] == ["todo"]


async def test_a_retry_goes_on_where_the_crash_was(worker, submit, ended, storage, tmp_path):
    notes = tmp_path / "notes"
    job = await ended(await submit(f"note {notes} first\nonce {tmp_path / 'flag'}\nnote {notes} second\nsay hello"))
    assert (job.state, job.attempt, job.reused) == ("done", 2, {"recognize": 0.25})
    assert notes.read_text().split() == ["first", "second"]
    assert read_json(await storage.get(job.result_key)).provenance.reused == {"recognize": 0.25}


async def test_what_was_shared_goes_with_the_last_job(worker, submit, ended, ledger, storage):
    job = await ended(await submit("say hello", scope="abc"))
    sharing = Submission("b" * 32, "you", "n", job.media_key, 9, Options(language="de"), scope="abc", shares=job.id)
    other = await ended((await ledger.submit(sharing))[0])
    assert other.reused == {"recognize": 1.0}
    await forget(ledger, storage, job.id)
    left = sorted(PurePosixPath(each.key).parts[0] for each in await storage.listing(""))
    assert set(left) == {"media", "results", "stages"}
    await forget(ledger, storage, other.id)
    assert await storage.listing("") == []


async def test_what_a_running_attempt_keeps_of_a_deleted_job_is_deleted_too(worker, submit, ended, ledger, storage):
    job = await submit("say hello\nsleep 60")
    await until(ledger, job, lambda found: found.progress is not None)
    await forget(ledger, storage, job.id)
    assert (await ended(await submit("say next", scope="next"))).state == "done"
    assert {PurePosixPath(each.key).parts[1] for each in await storage.listing("stages")} == {"next"}
