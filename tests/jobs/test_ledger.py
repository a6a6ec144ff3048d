"""The ledger's rules: one result, one lease, one transaction."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.jobs import database
from wortlaut.jobs.database import migrate, transaction
from wortlaut.jobs.errors import DatabaseTooNew, Failure, IdempotencyConflict, JobNotFound, QueueFull, all_errors
from wortlaut.jobs.job import Job
from wortlaut.jobs.ledger import Ledger, Submission
from wortlaut.jobs.options_json import options_from_json, options_to_json
from wortlaut.jobs.queue import open_queue
from wortlaut.options import Decoding, Options, Progress, Speakers

pytestmark = pytest.mark.anyio
LOST = Failure("worker-crashed", "gone", "look", is_retryable=True)


async def test_a_submitted_job_waits_and_knows_what_was_asked(submit, ledger):
    options = Options(language="de", speakers=Speakers(2, 3), decoding=Decoding(beam_size=2, temperatures=(0.0, 0.5)))
    job = await submit("say hello", options)
    found = await ledger.get(job.id, "me")
    assert found == job
    assert (found.state, found.options, found.attempt) == ("queued", options, 0)


async def test_a_job_is_invisible_to_others(submit, ledger):
    job = await submit("say hello")
    for action in (ledger.get, ledger.cancel, ledger.delete):
        with pytest.raises(JobNotFound):
            await action(job.id, "somebody else")
    assert await ledger.list("somebody else") == []
    assert (await ledger.get(job.id)).state == "queued"


async def test_only_the_holder_of_the_lease_may_write(submit, ledger):
    job = await submit("say hello")
    first = await ledger.claim(job.id)
    assert await replace(ledger, lease_life=60.0).claim(job.id) is None, "the first attempt is alive"
    await asyncio.sleep(0.3)
    second = await ledger.claim(job.id)
    assert (second.attempt, second.lease) != (first.attempt, first.lease)
    assert not await ledger.beat(first, None)
    assert not await ledger.finish(first, "results/first", 1.0)
    assert not await ledger.fail(first, LOST)
    assert not await ledger.retry(first, LOST, 0, 3)
    assert await ledger.finish(second, "results/second", 1.0)
    assert not await ledger.finish(second, "results/again", 1.0)
    assert (await ledger.get(job.id)).result_key == "results/second"
    assert await ledger.claim(job.id) is None


async def test_a_beat_tells_of_progress_and_learns_of_a_cancel(submit, ledger):
    claimed = await ledger.claim((await submit("say hello")).id)
    assert await ledger.beat(claimed, Progress("recognize", 3.0, 10.0))
    assert await ledger.beat(claimed, None)
    assert (await ledger.get(claimed.id)).progress == Progress("recognize", 3.0, 10.0)
    assert (await ledger.cancel(claimed.id)).state == "cancelled"
    assert not await ledger.beat(claimed, None)
    assert not await ledger.finish(claimed, "results/late", 1.0)
    assert (await ledger.get(claimed.id)).state == "cancelled"


async def test_a_waiting_job_is_cancelled_at_once_and_a_finished_one_never(submit, ledger):
    waiting = await submit("say hello")
    assert (await ledger.cancel(waiting.id)).state == "cancelled"
    claimed = await ledger.claim((await submit("say hello")).id)
    await ledger.finish(claimed, "results/x", 1.0)
    assert (await ledger.cancel(claimed.id)).state == "done"


async def test_the_same_idempotency_key_gives_the_same_job(submit, ledger):
    first = await submit("say hello", idempotency_key="k")
    again = await submit("say hello", idempotency_key="k")
    other = await submit("say hello", idempotency_key="k", owner="you")
    assert first.id == again.id != other.id
    with pytest.raises(IdempotencyConflict):
        await submit("say hello", Options(language="de"), idempotency_key="k")


async def test_a_hundred_at_once_with_one_idempotency_key_are_one_job(submit, ledger):
    jobs = await asyncio.gather(*(submit("say hello", idempotency_key="k") for _ in range(30)))
    assert len({job.id for job in jobs}) == 1
    assert await ledger.forgotten() == 0


async def test_too_many_waiting_jobs_are_refused(submit, ledger):
    job = await submit("say hello")
    submission = Submission("x", "me", "n", "media/x", 1, Options())
    with pytest.raises(QueueFull):
        await ledger.submit(submission, max_queued=1)
    await ledger.cancel(job.id)
    await ledger.submit(submission, max_queued=1)


async def test_a_retry_keeps_the_reason_and_goes_back_to_the_queue(submit, ledger):
    claimed = await ledger.claim((await submit("say hello")).id)
    assert await ledger.retry(claimed, LOST, 0, 3)
    job = await ledger.get(claimed.id)
    assert (job.state, job.failures, job.reasons) == ("queued", 1, (LOST,))
    assert await ledger.forgotten() == 0


async def test_only_attempts_that_get_no_further_count(submit, ledger):
    job = await submit("say hello")
    for done, failures in ((2.0, 1), (4.0, 1), (4.01, 2)):
        claimed = await ledger.claim(job.id)
        await ledger.beat(claimed, Progress("recognize", done, 10.0))
        assert await ledger.retry(claimed, LOST, 0, 3)
        found = await ledger.get(job.id)
        assert (found.failures, found.starts_in_vain) == (failures, failures - 1)
    claimed = await ledger.claim(job.id)
    assert not await ledger.retry(claimed, LOST, 0, 3)
    assert await ledger.fail(claimed, LOST)
    assert len((await ledger.get(job.id)).reasons) == 3


async def test_media_and_scope_are_free_when_the_last_job_goes(submit, ledger):
    first = await submit("say hello", scope="abc")
    sharing = Submission("b" * 32, "you", "n", first.media_key, 9, Options(), scope="abc", shares=first.id)
    second, is_new = await ledger.submit(sharing)
    assert is_new
    gone = await ledger.delete(first.id)
    assert (gone.job.id, gone.frees_media, gone.frees_scope) == (first.id, False, False)
    with pytest.raises(JobNotFound):
        await ledger.submit(replace(sharing, id="c" * 32))
    gone = await ledger.delete(second.id)
    assert (gone.frees_media, gone.frees_scope) == (True, True)


async def test_of_all_that_are_deleted_at_once_exactly_one_takes_the_recording_along(submit, ledger):
    first = await submit("say hello", scope="abc")
    jobs = [first.id]
    for number in range(5):
        sharing = Submission(f"{number}" * 32, "me", "n", first.media_key, 9, Options(), scope="abc", shares=first.id)
        jobs.append((await ledger.submit(sharing))[0].id)
    gone = await asyncio.gather(*(ledger.delete(each) for each in jobs))
    assert [each.frees_media for each in gone].count(True) == 1
    assert [each.frees_scope for each in gone].count(True) == 1


async def test_the_same_work_is_found_only_when_it_is_done_and_by_this_version(submit, ledger, pool):
    job = await submit("say hello", scope="abc")
    assert await ledger.same_work("abc", Options(), "transcribe") is None
    await ledger.finish(await ledger.claim(job.id), "results/x", 1.0, {"recognize": 0.5})
    found = await ledger.same_work("abc", Options(), "transcribe")
    assert (found.id, found.reused) == (job.id, {"recognize": 0.5})
    assert await ledger.same_work("abc", Options(language="de"), "transcribe") is None
    assert await ledger.same_work("abc", Options(), "detect") is None
    assert await ledger.same_work("abd", Options(), "transcribe") is None
    async with transaction(pool) as connection:
        await connection.execute("UPDATE wortlaut_jobs SET made_by = '0.0.1'")
    assert await ledger.same_work("abc", Options(), "transcribe") is None


async def test_a_job_that_the_queue_has_lost_is_put_back_once(submit, ledger, pool):
    await submit("say hello")
    async with transaction(pool) as connection:
        await connection.execute("DELETE FROM procrastinate_jobs")
    assert await ledger.forgotten() == 1
    assert await ledger.forgotten() == 0


async def test_an_attempt_without_a_beat_is_put_back_while_its_worker_still_counts_as_alive(submit, ledger, pool):
    job = await submit("say hello")
    async with transaction(pool) as connection:
        await connection.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    claimed = await ledger.claim(job.id)
    assert await ledger.forgotten() == 0, "it is alive"
    await asyncio.sleep(0.3)
    assert await ledger.forgotten() == 1
    assert await ledger.forgotten() == 0
    assert (await ledger.claim(job.id)).attempt == claimed.attempt + 1


async def test_lists_are_newest_first_and_searchable(submit, ledger):
    names = ["Interview 100%.wav", "Interview 100x.wav", "talk.mp3"]
    for name in names:
        await submit("say hello", name=name)
    assert [job.name for job in await ledger.list("me")] == names[::-1]
    assert [job.name for job in await ledger.list("me", text="100%")] == names[:1]
    assert [job.name for job in await ledger.list("me", limit=1, offset=1)] == names[1:2]
    assert await ledger.list("me", state="done") == []


async def test_a_database_from_a_newer_version_is_refused(pool):
    async with transaction(pool) as connection:
        await connection.execute("INSERT INTO wortlaut_migrations (name) VALUES ('9999_future')")
    with pytest.raises(DatabaseTooNew, match="9999_future"):
        await migrate(pool)


async def test_jobs_of_an_older_version_are_still_there_after_the_upgrade(url, anyio_backend, monkeypatch):
    first, *later = database.our_migrations()
    assert later
    async with database.open_pool(url) as pool:
        with monkeypatch.context() as older:
            older.setattr(database, "our_migrations", lambda: [first])
            await migrate(pool)
        async with transaction(pool) as connection:
            await connection.execute(
                "INSERT INTO wortlaut_jobs (id, owner, name, media_key, media_bytes, options, work, priority)"
                " VALUES ('a', 'me', 'talk.wav', 'media/a', 1, '{}', 'transcribe', 0)"
            )
        await migrate(pool)
        job = await Ledger(pool, await open_queue(pool)).get("a")
    assert (job.scope, job.options, job.is_cached) == ("a", Options(), False)


async def test_migrating_twice_and_at_once_changes_nothing(pool):
    await asyncio.gather(*(migrate(pool) for _ in range(5)))


@given(
    st.builds(
        Options,
        language=st.none() | st.just("de"),
        task=st.sampled_from(["transcribe", "translate"]),
        words=st.booleans(),
        speakers=st.none() | st.builds(Speakers, st.integers(1, 3), st.none() | st.integers(3, 9)),
        decoding=st.builds(
            Decoding,
            initial_prompt=st.none() | st.text(),
            temperatures=st.lists(st.floats(0, 1), min_size=1).map(tuple),
            suppress_tokens=st.lists(st.integers()).map(tuple),
        ),
    )
)
def test_options_survive_json(options):
    assert options_from_json(options_to_json(options)) == options


def test_errors_survive_json_and_every_code_is_unique():
    codes = [kind.code for kind in all_errors() if kind.__module__.startswith("wortlaut.jobs")]
    assert len(codes) == len(set(codes))
    for kind in all_errors():
        error = kind("why", hint="so")
        back = Failure.from_json(Failure.of(error).to_json()).error()
        assert (back.code, back.message, back.hint) == (kind.code, "why", error.hint)
        assert error.hint.startswith("so")


def _running(progress, **fields) -> Job:
    from datetime import UTC, datetime

    moment = datetime(2026, 1, 1, tzinfo=UTC)
    job = Job("i", "o", "n", "k", 1, Options(), "transcribe", 0, "running", 1, 0, 0, moment, "i", started=moment)
    return replace(job, progress=progress, **fields)


def test_the_share_of_the_work_grows_from_stage_to_stage():
    steps = [
        ("decode", 5.0, 0.0),
        ("detect", 5.0, 10.0),
        ("recognize", 0.0, 10.0),
        ("recognize", 9.0, 10.0),
        ("diarize", 5.0, 10.0),
    ]
    shares = [_running(Progress(*step)).share for step in steps]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert 0.85 < shares[-1] < 1.0
    without = _running(Progress("recognize", 10.0, 10.0), options=Options(speakers=None))
    assert without.share == pytest.approx(1.0)


def test_the_time_left_follows_from_the_time_taken():
    from datetime import timedelta

    job = _running(Progress("recognize", 5.0, 10.0), options=Options(speakers=None))
    left = job.seconds_left(job.started + timedelta(seconds=45))
    assert left == pytest.approx(45 * (1 - job.share) / job.share)
    assert _running(Progress("decode", 1.0, 10.0)).seconds_left() is None
