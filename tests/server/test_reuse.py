"""The same recording again: from the cache, with other options, by another key, and what deleting leaves."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from wortlaut.cli.keys import open_keys
from wortlaut.storage import open_storage


@pytest.fixture(scope="module")
def service(make_settings, serve):
    """Settings and address of a service whose cache is this module's."""
    settings = make_settings()
    with serve(settings) as url:
        yield settings, url


@pytest.fixture
def http(service):
    with httpx.Client(base_url=service[1], timeout=30) as client:
        yield client


def submit(http, script, *, headers=None, **fields):
    return http.post("/v1/jobs", files={"file": ("talk.wav", script.encode())}, data=fields, headers=headers).json()


def test_the_same_again_is_answered_at_once(http, finished, tmp_path):
    script = f"note {tmp_path / 'notes'} worked\nsay the same"
    first = finished(submit(http, script))
    again = submit(http, script)
    assert (first["state"], first["is_cached"]) == ("done", False)
    assert (again["state"], again["is_cached"], again["percent"]) == ("done", True, 100.0)
    assert again["id"] != first["id"]
    assert again["duration"] == first["duration"]
    assert http.get(f"{again['links']['result']}.txt").text == http.get(f"{first['links']['result']}.txt").text
    assert (tmp_path / "notes").read_text().split() == ["worked"]


@pytest.mark.parametrize(
    ("fields", "works_again"),
    [({"cache": "false"}, True), ({"speakers": "2"}, False), ({"language": "de"}, False), ({"beam_size": "2"}, False)],
)
def test_other_options_are_another_job_that_reuses_what_applies(http, finished, tmp_path, fields, works_again):
    script = f"note {tmp_path / 'notes'} worked\nsay nearly the same"
    finished(submit(http, script))
    again = finished(submit(http, script, **fields))
    assert again["is_cached"] is False
    assert bool(again["reused"]) is not works_again
    assert len((tmp_path / "notes").read_text().split()) == 1 + works_again


def test_what_was_not_to_be_shared_answers_nobody(http, finished, tmp_path):
    script = f"note {tmp_path / 'notes'} worked\nsay a secret"
    finished(submit(http, script, cache="false"))
    assert finished(submit(http, script))["reused"] == {}
    assert len((tmp_path / "notes").read_text().split()) == 2


def test_a_failure_is_no_answer(http, finished):
    first, again = (finished(submit(http, "gibberish again and again")) for _ in range(2))
    assert (first["state"], again["state"], again["is_cached"]) == ("failed", "failed", False)


def test_the_cache_can_be_switched_off(make_settings, serve, tmp_path):
    script = f"note {tmp_path / 'notes'} worked\nsay the same"
    with serve(make_settings(caches=False)) as url, httpx.Client(base_url=url, timeout=30) as http:
        for _ in range(2):
            answer = http.post("/transcribe", files={"file": ("talk.wav", script.encode())})
            assert answer.status_code == 200
    assert len((tmp_path / "notes").read_text().split()) == 2


def test_a_rerun_changes_what_is_given_and_keeps_the_rest(http, finished, tmp_path):
    script = f"note {tmp_path / 'notes'} worked\nsay once\nsay and twice"
    first = finished(submit(http, script, language="de", beam_size="2", speakers="off"))
    answer = http.post(f"/v1/jobs/{first['id']}/rerun", data={"speakers": "2", "hotwords": "Wortlaut"})
    assert answer.status_code == 202
    again = answer.json()
    assert answer.headers["Location"] == again["links"]["self"]
    assert again["rerun_of"] == first["id"] != again["id"]
    wanted = {**first["options"], "speakers": {"minimum": 2, "maximum": 2}}
    wanted["decoding"] = {**first["options"]["decoding"], "hotwords": "Wortlaut"}
    assert again["options"] == wanted
    done = finished(again)
    assert (done["state"], done["reused"]) == ("done", {"recognize": 1.0})
    assert (tmp_path / "notes").read_text().split() == ["worked"]
    assert done["name"] == first["name"]


def test_a_rerun_makes_sense_or_is_refused(http, finished):
    job = finished(submit(http, "say hello once more"))
    path = f"/v1/jobs/{job['id']}/rerun"
    assert http.post(path, data={"speakers": "many"}).json()["code"] == "invalid-option"
    assert http.post(path, data={"colour": "blue"}).json()["warnings"][0]["code"] == "parameter-ignored"
    assert http.post(f"/v1/jobs/{'0' * 32}/rerun").status_code == 404


def test_a_recording_stays_for_its_last_job_and_no_longer(service, http, finished):
    def kept():
        storage = open_storage(service[0].storage)
        return {prefix: len(asyncio.run(storage.listing(prefix))) for prefix in ("media", "results", "stages")}

    before = kept()
    first = finished(submit(http, "say stay a while"))
    cached = submit(http, "say stay a while")
    again = finished(http.post(f"/v1/jobs/{first['id']}/rerun", data={"language": "de"}).json())
    assert kept()["media"] == before["media"] + 1, "one recording for three jobs"
    for job in (first, cached):
        assert http.delete(f"/v1/jobs/{job['id']}").status_code == 204
        assert kept()["media"] == before["media"] + 1
    assert http.get(f"{again['links']['result']}.txt").status_code == 200
    assert finished(http.post(f"/v1/jobs/{again['id']}/rerun", data={"language": "fr"}).json())["state"] == "done"
    for job in http.get("/v1/jobs", params={"limit": 2}).json()["jobs"]:
        http.delete(f"/v1/jobs/{job['id']}")
    assert kept() == before


def test_another_key_gets_the_work_but_not_the_job(make_settings, serve):
    settings = make_settings()

    async def create(name):
        async with open_keys(settings) as keys:
            return (await keys.create(name, ["submit"]))[1]

    mine, yours = ({"X-API-Key": asyncio.run(create(name))} for name in ("mine", "yours"))
    with serve(settings) as url, httpx.Client(base_url=url, timeout=30) as http:
        job = submit(http, "say between us", headers=mine)
        while http.get(job["links"]["self"], headers=mine).json()["state"] != "done":
            pass
        answered = submit(http, "say between us", headers=yours)
        assert (answered["state"], answered["is_cached"]) == ("done", True)
        assert job["id"] not in str(answered)
        assert http.get(job["links"]["self"], headers=yours).status_code == 404
        assert http.post(f"{job['links']['self']}/rerun", headers=yours).status_code == 404
        assert http.delete(job["links"]["self"], headers=mine).status_code == 204
        assert "between us" in http.get(f"{answered['links']['result']}.txt", headers=yours).text
        assert http.get(answered["links"]["self"], headers=mine).status_code == 404
