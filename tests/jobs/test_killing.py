"""A real service, killed again and again: `wortlaut serve`, `wortlaut worker`, their child and their database.

WORTLAUT_TEST_KILLS says how often (12), WORTLAUT_TEST_SEED when: what fails can be had again.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from wortlaut.formats.read import read_json
from wortlaut.storage import open_storage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(5400)]

KILLS = int(os.environ.get("WORTLAUT_TEST_KILLS", "12"))
SEED = int(os.environ.get("WORTLAUT_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
OBEDIENT = "wortlaut.jobs.testing:open_obedient"
VICTIMS = ("child", "worker", "service", "database")
COMMAND = "import sys; from wortlaut.cli import main; sys.argv[0] = 'wortlaut'; main()"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@dataclass
class Installation:
    """A service and a worker, started again whenever they are gone, as a supervisor does."""

    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=_free_port)
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def keep_up(self) -> None:
        for name, command in {"service": ["serve", "--workers", "0"], "worker": ["worker"]}.items():
            process = self.running.get(name)
            if process is not None and process.poll() is None:
                continue
            if name == "worker" and not (self.folder / "database" / "PG_VERSION").exists():
                continue
            with (self.folder.parent / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [sys.executable, "-c", COMMAND, *command],
                    stderr=log,
                    stdout=log,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **self.settings, "WORTLAUT_PORT": str(self.port)},
                )

    def pid_of(self, victim: str) -> int | None:
        if victim == "database":
            return _first_line(self.folder / "database" / "postmaster.pid")
        process = self.running["worker" if victim == "child" else victim]
        if victim != "child":
            return process.pid
        return next((each.pid for each in _children(process.pid) if "wortlaut.jobs.child" in _command(each)), None)

    def kill(self, victim: str) -> bool:
        pid = self.pid_of(victim)
        try:
            os.kill(pid or 0, signal.SIGKILL) if pid else None
        except ProcessLookupError:
            return False
        return pid is not None

    def ask(self, method: str, path: str, **given) -> httpx.Response:
        """Ask until there is an answer: the service may be dead just now."""
        deadline = time.monotonic() + 300
        while True:
            self.keep_up()
            try:
                with self.http as http:
                    answer = http.request(method, path, **given)
                if answer.status_code < 500:
                    return answer
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, (self.folder.parent / "service.log").read_text()[-3000:]
            time.sleep(0.2)

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(60)


def _first_line(file: Path) -> int | None:
    try:
        return int(file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def install():
    """Start an installation in a folder of its own (not pytest's, which PostgreSQL's user could not enter)."""
    installations = []
    with tempfile.TemporaryDirectory(prefix="wortlaut-tests-", ignore_cleanup_errors=True) as folder:

        def install(**settings):
            given = {
                "WORTLAUT_DATA_DIR": f"{folder}/data",
                "WORTLAUT_WARMS_UP": "false",
                "WORTLAUT_HEARTBEAT": "1",
                "WORTLAUT_STALLED_AFTER": "4",
                "WORTLAUT_RETRY_WAIT": "0.2",
                "WORTLAUT_THREADS": "1",
                **settings,
            }
            installations.append(Installation(Path(folder) / "data", given))
            (Path(folder) / "data").mkdir()
            installations[-1].keep_up()
            installations[-1].ask("GET", "/health")
            return installations[-1]

        yield install
        for each in installations:
            each.stop()


@pytest.fixture
def tell(capsys):
    """Say something also when the test passes: what was killed is random."""

    def tell(text):
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return tell


def submit(installation, content, **fields):
    """Hand in a recording until it is accepted; the key makes sure that it is accepted once."""
    headers = {"Idempotency-Key": f"key-{random.SystemRandom().random()}"}
    files = {"file": ("talk.wav", content)}
    answer = installation.ask("POST", "/v1/jobs", files=files, headers=headers, data=fields)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def state(installation, job_id):
    return installation.ask("GET", f"/v1/jobs/{job_id}").json()


def finished(installation, job_id, within=600):
    deadline = time.monotonic() + within
    while (found := state(installation, job_id))["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
    return found


def objects(installation, prefix):
    return [each.key for each in open_storage(installation.folder / "objects").objects.listing(prefix)]


def script(notes, steps):
    lines = [f"note {notes} {step}\nsleep 0.3" for step in range(steps)]
    return "\n".join([*lines, f"say this is {notes.stem}"]).encode()


def test_every_accepted_job_ends_once_and_no_finished_stage_is_repeated(install, tmp_path, tell):
    """One kill after the other, each while there is a job to lose."""
    moments = random.Random(SEED)
    installation = install(WORTLAUT_ENGINE=OBEDIENT)
    jobs: dict[str, Path] = {}
    hits = dict.fromkeys(VICTIMS, 0)
    for number, victim in enumerate(islice(cycle(VICTIMS), KILLS)):
        notes = tmp_path / f"notes{number}"
        jobs[submit(installation, script(notes, 5))] = notes
        deadline = time.monotonic() + 120
        while True:  # until this victim is there to be killed
            time.sleep(moments.uniform(0.0, 2.5))
            installation.keep_up()
            if installation.kill(victim):
                hits[victim] += 1
                break
            assert time.monotonic() < deadline, victim
    for job_id, notes in jobs.items():
        done = finished(installation, job_id)
        assert done["state"] == "done", (SEED, done)
        assert len(objects(installation, f"results/{job_id}")) == 1, SEED
        text = installation.ask("GET", f"/v1/jobs/{job_id}/result", params={"format": "txt"}).text
        assert f"this is {notes.stem}" in text
        steps = [int(line) for line in notes.read_text().split()]
        assert steps == sorted(steps), (SEED, "a finished stage was done again")
        assert set(steps) == set(range(5))
    assert sum(hits.values()) == KILLS
    begun_twice = sum(len(notes.read_text().split()) - 5 for notes in jobs.values())
    tell(f"seed {SEED}: killed {hits}; {len(jobs)} jobs with one result each; steps begun twice: {begun_twice}")


def long_recording(sample, seconds):
    """Return the sample again and again, up to `seconds`, as a WAV file."""
    import io
    import wave

    with wave.open(str(sample)) as source:
        frames, rate = source.readframes(source.getnframes()), source.getframerate()
        samples = np.frombuffer(frames, "<i2")
        assert source.getnchannels() == 1
    whole = np.resize(samples, seconds * rate)
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, rate, len(whole), "NONE", ""))
        file.writeframes(whole.tobytes())
    return target.getvalue()


@pytest.mark.models
def test_ten_minutes_of_real_speech_come_through_as_if_nothing_had_happened(
    install, models_dir, sample_conversation, tell
):
    """One long job, killed in turn; the transcript is the one that an undisturbed service gives."""
    moments = random.Random(SEED)
    seconds = int(os.environ.get("WORTLAUT_TEST_SECONDS", "600"))
    kills = int(os.environ.get("WORTLAUT_TEST_REAL_KILLS", "8"))
    content = long_recording(sample_conversation, seconds)
    installation = install(WORTLAUT_MODELS_DIR=str(models_dir), WORTLAUT_OFFLINE="true", WORTLAUT_MODEL="tiny.en")
    job_id = submit(installation, content, speakers="2", cache="false")
    made, hits = 0, []
    for victim in islice(cycle(VICTIMS), kills):
        deadline = time.monotonic() + 600
        while (found := state(installation, job_id))["state"] != "running" or found["stage"] is None:
            assert found["state"] in ("queued", "running"), found
            assert time.monotonic() < deadline, found
            time.sleep(0.3)
        time.sleep(moments.uniform(1.0, 12.0))
        if state(installation, job_id)["state"] == "running" and installation.kill(victim):
            hits.append(victim)
            kept = len(objects(installation, "stages"))
            assert kept >= made, "what was kept is there"
            made = kept
    done = finished(installation, job_id, within=2400)
    assert done["state"] == "done", (SEED, done)
    assert len(objects(installation, f"results/{job_id}")) == 1
    disturbed = read_json(installation.ask("GET", f"/v1/jobs/{job_id}/result").content)
    calm_id = submit(installation, content, speakers="2", cache="false")
    assert finished(installation, calm_id, within=2400)["reused"] == {}
    calm = read_json(installation.ask("GET", f"/v1/jobs/{calm_id}/result").content)
    assert (disturbed.segments, disturbed.turns) == (calm.segments, calm.turns)
    tell(f"seed {SEED}: {seconds} s of speech, killed {hits}; attempt {done['attempt']} reused {done['reused']}")
