"""Requests a minute, minutes of sound a day, and the length of a recording."""

from __future__ import annotations

import asyncio
import io
import time
import wave

import httpx
import openai
import psycopg
import pytest

from wortlaut.jobs.database import open_pool
from wortlaut.media.stated_duration import stated_duration
from wortlaut.server.access import Keys
from wortlaut.server.limits import Limits


def sound(seconds):
    """A WAV file of silence; the performer that obeys makes one second of it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(16_000 * seconds))
    return file.getvalue()


def new_key(settings, **limits):
    async def create():
        async with open_pool(settings.database_url.get_secret_value()) as pool:
            return (await Keys(pool).create("key", ["submit"], **limits))[1]

    return asyncio.run(create())


def client(url, secret):
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, timeout=30)


@pytest.fixture(scope="module")
def limited(make_settings, serve):
    settings = make_settings(max_duration=20, minutes_per_day=2)
    with serve(settings) as url:
        new_key(settings)
        yield settings, url


def transcribe(http, content):
    return http.post("/transcribe", files={"file": ("a.wav", content)})


def test_a_key_with_its_own_limit_of_requests_is_told_when_to_come_back(limited):
    settings, url = limited
    with client(url, new_key(settings, requests_per_minute=3)) as http:
        answers = [http.get("/v1/jobs") for _ in range(8)]  # more than two minutes' worth, should the clock turn
    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert answers[0].status_code == 200
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert refused[0].json()["code"] == "limit-reached"
    with client(url, new_key(settings)) as http:
        assert {http.get("/v1/jobs").status_code for _ in range(8)} == {200}


def test_openais_client_understands_the_limit(limited):
    settings, url = limited
    secret = new_key(settings, requests_per_minute=1)
    with openai.OpenAI(base_url=f"{url}/v1", api_key=secret, max_retries=0) as http:
        refused = [caught for _ in range(3) for caught in [_error(http.models.list)] if caught]
    assert {type(each) for each in refused} == {openai.RateLimitError}
    assert refused[0].code == "limit-reached"


def _error(call):
    try:
        call()
    except openai.APIError as error:
        return error
    return None


def test_minutes_are_put_down_before_and_corrected_after_the_work(limited):
    settings, url = limited
    with client(url, new_key(settings, minutes_per_day=1)) as http:
        # What the cache answers costs nothing
        jobs = [http.post("/v1/jobs", files={"file": ("a.wav", sound(19))}, data={"cache": "false"}) for _ in range(6)]
        accepted = [each.json() for each in jobs if each.status_code == 202]
        assert accepted
        deadline = time.monotonic() + 20
        while any(http.get(each["links"]["self"]).json()["state"] in ("queued", "running") for each in accepted):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        for each in accepted:
            row = connection.execute("SELECT seconds FROM wortlaut_usage WHERE job_id = %s", [each["id"]]).fetchone()
            assert row == (1.0,)


def test_who_has_used_the_day_up_waits_for_the_next(limited):
    settings, url = limited
    with client(url, new_key(settings)) as http:
        owner = http.post("/v1/jobs", files={"file": ("a.wav", sound(1))}).json()["id"]
        with psycopg.connect(settings.database_url.get_secret_value()) as connection:
            connection.execute("UPDATE wortlaut_usage SET seconds = 110 WHERE job_id = %s", [owner])
            connection.execute("DELETE FROM wortlaut_jobs WHERE id = %s", [owner])
        assert transcribe(http, sound(5)).status_code == 200
        refused = transcribe(http, sound(15))
        assert (refused.status_code, refused.json()["code"]) == (429, "limit-reached")
        assert 1 <= int(refused.headers["Retry-After"]) <= 86_400
        assert http.get("/v1/jobs").status_code == 200


def test_a_job_that_failed_costs_nothing(limited):
    settings, url = limited
    with client(url, new_key(settings)) as http:
        assert transcribe(http, b"gibberish").status_code == 415
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        assert connection.execute("SELECT max(seconds) FROM wortlaut_usage WHERE seconds > 100").fetchall()


def test_what_says_that_it_is_too_long_is_refused_at_once(limited):
    settings, url = limited
    with client(url, new_key(settings)) as http:
        for path in ("/v1/jobs", "/transcribe"):
            answer = http.post(path, files={"file": ("a.wav", sound(21))})
            assert (answer.status_code, answer.json()["code"]) == (413, "media-too-long")
        assert not http.get("/v1/jobs").json()["jobs"]


def test_what_turns_out_to_be_too_long_is_stopped(limited):
    settings, url = limited
    with client(url, new_key(settings)) as http:
        assert transcribe(http, b"sleep 25").status_code == 413  # says at the first step that it has 25 seconds
        assert transcribe(http, b"\n".join([b"say x"] * 21)).status_code == 413
        assert transcribe(http, b"\n".join([b"say x"] * 20)).status_code == 200


def test_a_file_says_how_long_it_is(tmp_path):
    whole, broken, silent = (tmp_path / name for name in ("whole.wav", "broken.wav", "silent.wav"))
    whole.write_bytes(sound(3))
    broken.write_bytes(b"not a recording")
    silent.write_bytes(b"")
    assert stated_duration(whole) == 3.0
    assert stated_duration(broken) is None
    assert stated_duration(silent) is None


def test_old_counts_are_forgotten(limited):
    settings, _ = limited
    url = settings.database_url.get_secret_value()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO wortlaut_requests VALUES ('old', now() - interval '3 hours', 7)")
        connection.execute("INSERT INTO wortlaut_usage VALUES ('old', 'old', now() - interval '3 days', 7)")

    async def tidy():
        async with open_pool(url) as pool:
            await Limits(pool, settings).tidy()

    asyncio.run(tidy())
    with psycopg.connect(url) as connection:
        for table in ("wortlaut_requests", "wortlaut_usage"):
            assert not connection.execute(f"SELECT 1 FROM {table} WHERE owner = 'old'").fetchall()
