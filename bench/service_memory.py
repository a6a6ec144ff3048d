# ruff: noqa: INP001, T201 - a script that prints
"""How much memory service, worker and child hold after every 50 jobs with real models.

    python bench/service_memory.py RECORDING... [--jobs 500] [--model base]

The recordings, of a few seconds each, are handed in by turns, to `/v1/jobs`, one after the other, with speakers and
without the cache. The service runs as it does for users: its worker is in its own process, models are in the child.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import psutil
from service_load import service

EVERY = 50
"""Jobs between two looks."""


def resident(pid: int) -> Mapping[str, float]:
    """Return the resident memory of the service and of its child, in MiB."""
    serving = psutil.Process(pid)
    child = next(each for each in serving.children() if "wortlaut.jobs.child" in each.cmdline())
    return {"service": serving.memory_info().rss / 2**20, "child": child.memory_info().rss / 2**20}


def do(client: httpx.Client, recording: Path) -> str:
    """Have a recording transcribed; return the state of the job at its end."""
    with recording.open("rb") as file:
        answer = client.post("/v1/jobs", files={"file": (recording.name, file)}, data={"cache": "false"})
    address = answer.raise_for_status().headers["Location"]
    while (state := str(client.get(address).json()["state"])) in ("queued", "running"):
        time.sleep(0.1)
    client.delete(address).raise_for_status()
    return state


def measure(client: httpx.Client, pid: int, recordings: Sequence[Path], jobs: int) -> None:
    """Do the jobs, and print a row of a table every now and then."""
    print("| jobs | service MiB | child MiB | seconds |\n|---|---|---|---|")
    began = time.monotonic()
    for number in range(1, jobs + 1):
        recording = recordings[number % len(recordings)]
        state = do(client, recording)
        assert state == "done", (recording, state)
        if number == 1 or number % EVERY == 0:
            found = resident(pid)
            seconds = time.monotonic() - began
            print(f"| {number} | {found['service']:.1f} | {found['child']:.1f} | {seconds:.0f} |", flush=True)


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("recordings", type=Path, nargs="+")
    asked.add_argument("--jobs", type=int, default=500)
    asked.add_argument("--model", default="base")
    given = asked.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="wortlaut-bench-", ignore_cleanup_errors=True) as folder,
        service("real", given.model, Path(folder)) as (port, pid),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        measure(client, pid, given.recordings, given.jobs)


if __name__ == "__main__":
    main()
