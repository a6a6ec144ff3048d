"""`/v1/jobs` from outside, over HTTP."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from wortlaut.formats import FORMATS
from wortlaut.formats.read import read_json


def submit(http, script, name="talk.wav", *, headers=None, **fields):
    return http.post("/v1/jobs", files={"file": (name, script.encode())}, data=fields, headers=headers or {})


def test_a_job_is_accepted_followed_and_fetched(http, finished):
    answer = submit(http, "say good morning\nsay and good night", language="German", speakers="2")
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    done = finished(job)
    assert (done["state"], done["percent"], done["duration"], done["name"]) == ("done", 100.0, 2.0, "talk.wav")
    assert done["options"]["language"] == "de"
    assert done["options"]["speakers"] == {"minimum": 2, "maximum": 2}
    transcript = read_json(http.get(done["links"]["result"]).content)
    assert transcript.text == "good morning\nand good night"


def test_how_text_is_written_and_channels_are_used_is_asked_for_like_everything(http, finished):
    fields = {"numerals": "words", "verbatim": "true", "channels": "split", "channel_labels": "Agent, Customer"}
    options = finished(submit(http, "say hello", **fields).json())["options"]
    assert (options["numerals"], options["channels"]) == ("words", "split")
    assert options["channel_labels"] == ["Agent", "Customer"]
    assert options["decoding"]["verbatim"]
    assert not options["decoding"]["suppress_numerals"]


def test_the_result_comes_in_every_format_by_suffix_by_query_and_by_accept(http, finished):
    job = finished(submit(http, "say hello").json())
    path = job["links"]["result"]
    for form in FORMATS.values():
        by_suffix = http.get(f"{path}.{form.extension}")
        assert by_suffix.status_code == 200, form
        assert by_suffix.headers["Content-Disposition"].startswith("attachment")
        assert by_suffix.headers["X-Content-Type-Options"] == "nosniff"
        by_query = http.get(path, params={"format": form.name})
        assert by_query.headers["Content-Type"].startswith(form.media_type)
    assert http.get(path, headers={"Accept": "text/html;q=0.5, text/vtt"}).text.startswith("WEBVTT")
    assert http.get(path, headers={"Accept": "image/png"}).status_code == 406
    assert http.get(f"{path}.pdf").json()["code"] == "unknown-format"


def test_line_rules_reach_the_subtitles(http, finished):
    job = finished(submit(http, "say one two three four five six").json())
    plain, narrow = (
        http.get(f"{job['links']['result']}.srt", params=given).text for given in ({}, {"max_line_width": 9})
    )
    assert len(narrow.splitlines()) > len(plain.splitlines())


def test_events_tell_of_progress_and_of_the_end(http):
    job = submit(http, "sleep 0.6\nsay hello").json()
    events = []
    with http.stream("GET", job["links"]["events"]) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        events = [line for line in stream.iter_lines() if line.startswith(("event", "data"))]
    assert events[-2] == "event: end"
    states = [json.loads(line.removeprefix("data: "))["state"] for line in events[1::2]]
    assert states[-1] == "done"
    percents = [json.loads(line.removeprefix("data: "))["percent"] for line in events[1::2]]
    assert percents == sorted(percents)


def test_a_result_that_is_not_there_yet_is_a_conflict(http, finished):
    job = submit(http, "sleep 30").json()
    assert http.get(job["links"]["result"]).json()["code"] == "job-unfinished"
    began = time.monotonic()
    http.post(f"/v1/jobs/{job['id']}/cancel")
    assert finished(job)["state"] == "cancelled"
    assert time.monotonic() - began < 20  # long before the work would have ended
    assert http.get(job["links"]["result"]).status_code == 409


def test_a_failed_job_says_why(http, finished):
    job = finished(submit(http, "gibberish").json())
    assert (job["state"], job["error"]["code"]) == ("failed", "media-invalid")
    assert job["error"]["message"] == "'talk.wav' is no recording."
    answer = http.get(job["links"]["result"])
    assert (answer.status_code, answer.json()["code"]) == (415, "media-invalid")


def test_deleting_leaves_nothing(http, finished):
    job = finished(submit(http, "say secret").json())
    assert http.delete(job["links"]["self"]).status_code == 204
    for path in job["links"].values():
        assert http.get(path).status_code == 404
    assert http.delete(job["links"]["self"]).status_code == 404


def test_the_same_idempotency_key_is_the_same_job(http):
    headers = {"Idempotency-Key": "once-only"}
    first, again = (submit(http, "say once", headers=headers) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    conflict = submit(http, "say something else", headers=headers)
    assert (conflict.status_code, conflict.json()["code"]) == (409, "idempotency-conflict")


def test_jobs_are_listed_and_searched(http, finished):
    job = finished(submit(http, "say hello", name="Ünique näme.wav").json())
    found = http.get("/v1/jobs", params={"search": "näme", "state": "done"}).json()["jobs"]
    assert [each["id"] for each in found] == [job["id"]]
    assert http.get("/v1/jobs", params={"limit": 0}).status_code == 400
    assert http.get("/v1/jobs", params={"state": "lost"}).json()["code"] == "invalid-option"


@pytest.mark.parametrize("chunked", [False, True])
def test_what_is_too_large_is_refused(http, chunked):
    content = b"x" * 5_000_000

    def body():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield content
        yield b"\r\n--b--\r\n"

    if chunked:
        answer = http.post("/v1/jobs", content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    else:
        answer = http.post("/v1/jobs", files={"file": content})
    assert (answer.status_code, answer.json()["code"]) == (413, "media-too-large")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"language": "klingon"}, "unknown-language"),
        ({"model": "/etc"}, "unknown-model"),
        ({"model": "somebody/else"}, "unknown-model"),
        ({"speakers": "many"}, "invalid-option"),
        ({"min_speakers": "3", "max_speakers": "2"}, "invalid-option"),
        ({"num_speakers": "0"}, "invalid-option"),
        ({"num_speakers": "2", "max_speakers": "0"}, "invalid-option"),
        ({"speakers": "2", "diarize": "perhaps"}, "invalid-option"),
        ({"temperature": "9"}, "invalid-option"),
        ({"beam_size": "0"}, "invalid-option"),
        ({"beam_size": "1000000"}, "invalid-option"),
        ({"task": "dance"}, "invalid-option"),
        ({"words": "perhaps"}, "invalid-option"),
        ({"numerals": "roman"}, "invalid-option"),
        ({"channels": "left"}, "invalid-option"),
        ({"channel_labels": "Agent,Customer"}, "invalid-option"),
        ({"verbatim": "perhaps"}, "invalid-option"),
    ],
)
def test_what_makes_no_sense_is_said_before_any_work(http, fields, code):
    answer = submit(http, "say hello", **fields)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["status"]) == (code, 400)
    assert problem["detail"]
    assert problem["hint"]


def test_a_request_without_a_recording_or_with_a_broken_form_is_refused(http):
    assert http.post("/v1/jobs").json()["code"] == "media-missing"
    assert http.post("/v1/jobs", json={"file": "x"}).json()["code"] == "media-missing"
    broken = http.post("/v1/jobs", content=b"junk", headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert broken.status_code == 400
    nameless = http.post("/v1/jobs", content=b"junk", headers={"Content-Type": "multipart/form-data"})
    assert nameless.json()["code"] == "invalid-option"


def test_names_cannot_inject(http, finished):
    evil = '../../etc/pass"wd\r\nX-Evil: 1.wav'
    job = finished(submit(http, "say hello", name=evil).json())
    assert "/" not in job["name"]
    answer = http.get(f"{job['links']['result']}.txt")
    assert "X-Evil" not in answer.headers
    assert "\n" not in answer.headers["Content-Disposition"]


def test_zero_bytes_in_texts_do_no_harm(http):
    assert submit(http, "say hello", initial_prompt="a\0b").json()["options"]["decoding"]["initial_prompt"] == "ab"
    assert http.get("/v1/jobs/%00").status_code == 400
    assert http.get("/v1/jobs", params={"search": "\0"}).status_code == 200


def test_what_has_no_effect_is_said(http):
    warnings = submit(http, "say hello", colour="blue", vad_filter="true").json()["warnings"]
    assert [each["code"] for each in warnings] == ["parameter-ignored"]
    assert "colour" in warnings[0]["message"]


def test_unknown_routes_and_methods_are_problems_too(http):
    for answer in (http.get("/v2/nothing"), http.put("/v1/jobs")):
        assert answer.status_code in (404, 405)
        assert answer.json()["status"] == answer.status_code
    assert http.put("/v1/jobs").headers["Allow"] == "GET, POST"
    assert http.put("/v1/jobs/1").headers["Allow"] == "DELETE, GET"


def test_the_openapi_document_describes_the_forms(http):
    paths = http.get("/openapi.json").json()["paths"]
    form = paths["/v1/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"file", "language", "speakers", "diarize"} <= set(form["properties"])


def test_many_uploads_at_once_good_and_broken(base_url):
    def one(number):
        script = "say hello" if number % 2 else "broken"
        with httpx.Client(base_url=base_url, timeout=60) as client:
            return submit(client, script, name=f"{number}.wav").status_code

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(one, range(40))) == {202}


@pytest.fixture
def elsewhere(tmp_path):
    """A web server on this machine with one recording."""
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    (tmp_path / "talk.wav").write_bytes(b"say from elsewhere")
    (tmp_path / "long.wav").write_bytes(b"x" * 4_000_000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_recording_of_the_own_network_is_not_fetched(http, elsewhere):
    answer = http.post("/v1/jobs", params={"url": f"{elsewhere}/talk.wav"})
    assert (answer.status_code, answer.json()["code"]) == (400, "address-refused")


def test_a_recording_is_fetched_where_that_is_allowed(make_settings, serve, elsewhere):
    settings = make_settings(allows_private_addresses=True, max_upload_bytes=1_000_000)
    with serve(settings) as url, httpx.Client(base_url=url, timeout=30) as client:
        job = client.post("/v1/jobs", params={"url": f"{elsewhere}/talk.wav"}).json()
        assert job["name"] == "talk.wav"
        while (state := client.get(job["links"]["self"]).json()["state"]) in ("queued", "running"):
            time.sleep(0.1)
        assert state == "done"
        assert "from elsewhere" in client.get(job["links"]["result"] + ".txt").text
        for name, status in (("missing.wav", 400), ("long.wav", 413)):
            assert client.post("/v1/jobs", params={"url": f"{elsewhere}/{name}"}).status_code == status
