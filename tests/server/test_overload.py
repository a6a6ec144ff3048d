"""Two hundred uploads at once, good and broken: whatever is not done says why, and when to come back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import httpx
import pytest

UPLOADS = 200
PATHS = ("/v1/jobs", "/transcribe", "/v1/audio/transcriptions", "/asr")
MADE_UP = (b"say hello", b"", b"gibberish", b"RIFF\x00\x00\x00\x00WAVE", bytes(100_000), b"say a\nsay b")


def flood(url, files, uploads=UPLOADS):
    """Send everything at once; return how often there was which status, and every 503 without Retry-After."""

    def send(number, name, content, path):
        with httpx.Client(base_url=url, timeout=240) as client:
            return client.post(path, files={"file": (f"{number}-{name}", content)})

    given = [
        (number, *file, path) for number, file, path in zip(range(uploads), cycle(files), cycle(PATHS), strict=False)
    ]
    with ThreadPoolExecutor(uploads) as threads:
        answers = list(threads.map(lambda each: send(*each), given))
    codes = Counter(_code(each) for each in answers)
    unstated = [each for each in answers if each.status_code >= 500 and not is_stated_overload(each)]
    return codes, unstated


def _code(answer):
    """Return the status, and what a 503 is about."""
    said = answer.json() if answer.status_code == 503 else {}
    return answer.status_code, said.get("code") or said.get("error", {}).get("code")


def is_stated_overload(answer):
    return answer.status_code == 503 and answer.headers.get("Retry-After")


@pytest.fixture(scope="module")
def busy(make_settings, serve):
    with serve(make_settings(max_queued=20)) as url:
        yield url


def test_a_queue_that_is_full_is_a_stated_overload(busy):
    codes, unstated = flood(busy, [("a.wav", content) for content in MADE_UP], uploads=60)
    assert not unstated
    assert sum(codes.values()) == 60
    assert set(codes) <= {(200, None), (202, None), (415, None), (503, "queue-full")}


def test_too_many_recordings_at_once_are_a_stated_overload(make_settings, serve):
    with serve(make_settings(max_uploads=1)) as url, httpx.Client(base_url=url, timeout=60) as client:
        is_over, is_read = threading.Event(), threading.Event()

        def slowly():
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nsay '
            is_read.set()
            is_over.wait(60)
            yield b"hello\r\n--x--\r\n"

        with ThreadPoolExecutor(1) as threads:
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            slow = threads.submit(lambda: httpx.post(f"{url}/v1/jobs", content=slowly(), headers=headers, timeout=60))
            is_read.wait(60)
            answer = refused(client)
            assert (answer.json()["code"], bool(answer.headers["Retry-After"])) == ("too-many-uploads", True)
            assert client.get("/health").status_code == 200
            is_over.set()
            assert slow.result().status_code == 202
        assert client.post("/v1/jobs", files={"file": ("a.wav", b"say again")}).status_code == 202


def refused(client):
    """Send recordings until one is refused: the one before may still be on its way."""
    for _ in range(100):
        answer = client.post("/v1/jobs", files={"file": ("a.wav", b"say me too")})
        if answer.status_code == 503:
            return answer
        time.sleep(0.1)
    pytest.fail("no recording was refused")


@pytest.mark.slow
def test_two_hundred_hard_files_at_once_are_no_fault_of_the_service(busy, eval_dir):
    files = sorted(each for each in (eval_dir / "hard-media").iterdir() if each.stat().st_size < 3_000_000)
    contents = [(each.name, each.read_bytes()) for each in islice(files, 40)]
    codes, unstated = flood(busy, contents)
    assert not unstated, [(each.status_code, each.text) for each in unstated]
    assert sum(codes.values()) == UPLOADS
    assert {status for status, _ in codes} <= {200, 202, 415, 422, 503}
    assert httpx.get(f"{busy}/health").status_code == 200
