# ruff: noqa: INP001, T201 - a script that prints
"""How soon the service answers `/health`: at rest, with every worker busy, and in a flood of uploads.

    python bench/service_load.py FOLDER [--uploads 200] [--performer real]

FOLDER holds recordings, good and broken ones; they are handed in by turns at every route that takes any. The service
runs as it does for users, in processes of its own; so does whoever asks for `/health`, every 50 ms, each time on a new
connection.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles

import httpx

ROUTES = ("/v1/jobs", "/transcribe", "/v1/audio/transcriptions", "/asr")
PERFORMERS = {"obedient": "wortlaut.jobs.testing:open_obedient", "real": "wortlaut.jobs.transcribing:open_performer"}
LARGEST_BYTES = 3_000_000
SERVE = "import sys; from wortlaut.cli import main; sys.argv[0] = 'wortlaut'; main()"
PROBE = """
import http.client, json, sys, time
port, taken = int(sys.argv[1]), []
print("ready", flush=True)
stop = False
import threading
def wait():
    global stop
    sys.stdin.readline()
    stop = True
threading.Thread(target=wait, daemon=True).start()
while not stop:
    began = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("GET", "/health")
    answer = line.getresponse()
    answer.read()
    line.close()
    taken.append(time.perf_counter() - began)
    assert answer.status == 200, answer.status
    time.sleep(0.05)
print(json.dumps(taken))
"""


@contextmanager
def service(performer: str, model: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Run a service; gives its port and its process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    settings = {
        "WORTLAUT_DATA_DIR": str(folder),
        "WORTLAUT_PERFORMER": PERFORMERS[performer],
        "WORTLAUT_PORT": str(port),
        "WORTLAUT_MODEL": model,
        "WORTLAUT_OFFLINE": "true",
        "WORTLAUT_THREADS": "1",
    }
    with (folder / "service.log").open("w") as log:
        command = [sys.executable, "-c", SERVE, "serve"]
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)  # noqa: S603 ours
    try:
        while not _is_up(port):
            if process.poll() is not None:
                sys.exit((folder / "service.log").read_text())
            time.sleep(0.2)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=10).is_success
    except httpx.TransportError:
        return False


@contextmanager
def probing(port: int, taken: list[float]) -> Iterator[None]:
    """Ask for `/health` from another process for the while."""
    command = [sys.executable, "-c", PROBE, str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 ours
    assert process.stdout is not None
    process.stdout.readline()
    yield
    told, _ = process.communicate("stop\n", timeout=120)
    taken += json.loads(told)


def flood(port: int, files: Sequence[Path], uploads: int) -> Counter[str]:
    """Hand in everything at once; return how often there was which answer."""
    contents = {file: file.read_bytes() for file in files}
    together = threading.Barrier(uploads)

    def send(number: int, file: Path, route: str) -> str:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=1200) as client:
            together.wait()
            field = "audio_file" if route == "/asr" else "file"
            answer = client.post(route, files={field: (f"{number}-{file.name}", contents[file])})
        retry = "Retry-After" in answer.headers
        return f"{answer.status_code}{' with Retry-After' if retry else ''}"

    given = zip(range(uploads), islice(cycle(files), uploads), cycle(ROUTES), strict=False)
    with ThreadPoolExecutor(uploads) as threads:
        return Counter(threads.map(lambda each: send(*each), given))


@contextmanager
def busy(port: int, files: Sequence[Path]) -> Iterator[None]:
    """Give every worker more to do than there is time for."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        given = [client.post("/v1/jobs", files={"file": (each.name, each.read_bytes())}) for each in files]
        yield
        for each in given:
            client.delete(each.raise_for_status().headers["Location"])


def ends(port: int) -> Counter[str]:
    """Wait until all jobs have ended; return how."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        while True:
            states = Counter(each["state"] for each in client.get("/v1/jobs?limit=500").json()["jobs"])
            if not states.keys() & {"queued", "running"}:
                return states
            time.sleep(1)


def said(name: str, taken: Sequence[float]) -> str:
    """Return a line with the figures, in milliseconds."""
    hundredths = quantiles(taken, n=100)
    return (
        f"{name}: {len(taken)} answers, median {1000 * median(taken):.0f} ms, 95 % {1000 * hundredths[94]:.0f} ms, "
        f"99 % {1000 * hundredths[98]:.0f} ms, longest {1000 * max(taken):.0f} ms"
    )


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--uploads", type=int, default=200, help="how many at once; 0: no flood")
    asked.add_argument("--performer", choices=PERFORMERS, default="obedient")
    asked.add_argument("--model", default="tiny.en")
    asked.add_argument("--seconds", type=float, default=15.0, help="for how long to ask at rest, and while it works")
    given = asked.parse_args()
    files = [each for each in sorted(given.folder.iterdir()) if each.is_file() and each.stat().st_size < LARGEST_BYTES]
    with (
        tempfile.TemporaryDirectory(prefix="wortlaut-bench-", ignore_cleanup_errors=True) as folder,
        service(given.performer, given.model, Path(folder)) as (port, _),
    ):
        taken: list[float] = []
        with probing(port, taken):
            time.sleep(given.seconds)
        print(said("at rest", taken))
        taken.clear()
        with busy(port, files), probing(port, taken):
            time.sleep(given.seconds)
        print(said("with every worker busy", taken))
        taken.clear()
        if not given.uploads:
            return
        began = time.monotonic()
        with probing(port, taken):
            codes = flood(port, files, given.uploads)
        print(said("in a flood", taken))
        print(f"{given.uploads} uploads in {time.monotonic() - began:.0f} s: {dict(codes)}")
        print(
            f"jobs that nobody waited for: {dict(ends(port))}, {time.monotonic() - began:.0f} s after the first upload"
        )


if __name__ == "__main__":
    main()
