"""The service with its objects in S3."""

from __future__ import annotations

import asyncio
import time

import httpx

from wortlaut.storage import open_storage


def test_a_job_lives_in_s3_and_deleting_it_leaves_nothing(s3_bucket, make_settings, serve):
    where = f"{s3_bucket}/wortlaut"
    with serve(make_settings(storage_url=where)) as url, httpx.Client(base_url=url, timeout=60) as http:
        job = http.post("/v1/jobs", files={"file": ("talk.wav", b"say from the bucket")}).json()
        deadline = time.monotonic() + 60
        while (found := http.get(f"/v1/jobs/{job['id']}").json())["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        assert found["state"] == "done", found
        assert "from the bucket" in http.get(f"/v1/jobs/{job['id']}/result.txt").text
        storage = open_storage(where)
        folders = {each.key.split("/")[0] for each in asyncio.run(storage.listing(""))}
        assert folders == {"media", "results", "stages"}
        again = http.post("/v1/jobs", files={"file": ("again.wav", b"say from the bucket")}).json()
        assert (again["state"], again["is_cached"]) == ("done", True)
        for each in (job, again):
            assert http.delete(f"/v1/jobs/{each['id']}").status_code == 204
        assert asyncio.run(storage.listing("")) == []
