"""A real service, killed again and again: `wortlaut serve`, `wortlaut worker`, their child and their database.

WORTLAUT_TEST_KILLS says how often (12), WORTLAUT_TEST_SEED when: what fails can be had again. With real speech,
WORTLAUT_TEST_SECONDS says how much (600) and WORTLAUT_TEST_REAL_KILLS how often (8).
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import cycle, islice

import numpy as np
import pytest

from wortlaut.formats.read import read_json
from wortlaut.jobs.stage_results import folder_of, unsealed
from wortlaut.storage import open_storage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(5400)]

KILLS = int(os.environ.get("WORTLAUT_TEST_KILLS", "12"))
SEED = int(os.environ.get("WORTLAUT_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
OBEDIENT = "wortlaut.jobs.testing:open_obedient"
VICTIMS = ("child", "worker", "service", "database")
LONGEST_PEACE = 20.0
"""Seconds after which a child that works on real speech, or what stands around it, is killed at the latest. On a slow
machine it is three times what a child takes from its start to the first words: it has to get at something to lose.
"""


def script(notes, steps):
    lines = [f"note {notes} {step}\nsleep 0.3" for step in range(steps)]
    return "\n".join([*lines, f"say this is {notes.stem}"]).encode()


def test_every_accepted_job_ends_once_and_no_finished_stage_is_repeated(install, tmp_path, tell):
    """One kill after the other, each while there is a job to lose."""
    moments = random.Random(SEED)
    installation = install(WORTLAUT_PERFORMER=OBEDIENT)
    jobs = {}
    hits = dict.fromkeys(VICTIMS, 0)
    for number, victim in enumerate(islice(cycle(VICTIMS), KILLS)):
        notes = tmp_path / f"notes{number}"
        jobs[installation.submit(script(notes, 5))] = notes
        deadline = time.monotonic() + 120
        while True:  # until this victim is there to be killed
            time.sleep(moments.uniform(0.0, 2.5))
            installation.keep_up()
            if installation.kill(victim):
                hits[victim] += 1
                break
            assert time.monotonic() < deadline, victim
    for job_id, notes in jobs.items():
        done = installation.finished(job_id)
        assert done["state"] == "done", (SEED, done)
        assert len(installation.objects(f"results/{job_id}")) == 1, SEED
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


def pieces(installation, job_id):
    """Return when each piece of work that is kept for a job was written."""
    listed = open_storage(installation.folder / "objects").objects.listing(folder_of(job_id))
    return {each.key: each.modified for each in listed}


def made_twice(installation, keys):
    """Return the pieces that begin in the middle of another one: what was kept already was worked on again."""
    objects = open_storage(installation.folder / "objects").objects
    shelves = defaultdict(dict)
    for key in keys:
        folder, _, file = key.rpartition("/")
        shelves[folder][int(file.removesuffix(".json"))] = len(json.loads(unsealed(objects.get(key))))
    return [
        (folder, first)
        for folder, rows in shelves.items()
        for first in rows
        if any(other < first < other + count for other, count in rows.items())
    ]


@dataclass
class Watch:
    """Jobs on the same recording, one after the other, and what has been seen of the work that is kept for them."""

    installation: object
    content: bytes
    jobs: list = field(default_factory=list)
    seen: dict = field(default_factory=dict)

    def submit(self):
        self.jobs.append(self.installation.submit(self.content, speakers="2", cache="false"))

    def until(self, is_so):
        """Look on until something is so."""
        deadline = time.monotonic() + 300
        while not is_so():
            assert time.monotonic() < deadline, SEED
            time.sleep(0.2)
            self.look()

    def look(self):
        """Hold that nothing that was kept has been written again; hand in the next job when one is done."""
        now = pieces(self.installation, self.jobs[-1])
        again = [key for key in now.keys() & self.seen.keys() if now[key] != self.seen[key]]
        assert not again, (SEED, "a finished piece was done again")
        self.seen |= now
        found = self.installation.state(self.jobs[-1])
        assert found["state"] in ("queued", "running", "done"), (SEED, found["error"], found["failed_attempts"])
        if found["state"] == "done":
            self.submit()


@pytest.mark.models
def test_ten_minutes_of_real_speech_come_through_as_if_nothing_had_happened(
    install, models_dir, sample_conversation, tell
):
    """Kills at random moments, whatever goes on just then; the transcripts are those of an undisturbed service."""
    moments = random.Random(SEED)
    seconds = int(os.environ.get("WORTLAUT_TEST_SECONDS", "600"))
    kills = int(os.environ.get("WORTLAUT_TEST_REAL_KILLS", "8"))
    content = long_recording(sample_conversation, seconds)
    installation = install(WORTLAUT_MODELS_DIR=str(models_dir), WORTLAUT_OFFLINE="true", WORTLAUT_MODEL="tiny.en")
    watch = Watch(installation, content)
    watch.submit()
    hits = dict.fromkeys(VICTIMS, 0)
    began = time.monotonic()
    watch.until(lambda: any("/recognize/" in key for key in watch.seen))
    peace = max(LONGEST_PEACE, 3 * (time.monotonic() - began))
    for victim in islice(cycle(VICTIMS), kills):
        watch.until(lambda: installation.pid_of("child"))
        moment = time.monotonic() + moments.uniform(0.0, peace)
        watch.until(lambda: time.monotonic() > moment and installation.kill(victim))  # noqa: B023 called at once
        hits[victim] += 1
    tell(f"seed {SEED}: killed {hits} in {time.monotonic() - began:.0f} s; {len(watch.jobs)} jobs so far")
    calm_id = installation.submit(content, speakers="2", cache="false")
    calm = None
    for job_id in [calm_id, *watch.jobs]:
        done = installation.finished(job_id, within=2400)
        assert done["state"] == "done", (SEED, done)
        assert len(installation.objects(f"results/{job_id}")) == 1
        assert not made_twice(installation, pieces(installation, job_id)), SEED
        transcript = read_json(installation.ask("GET", f"/v1/jobs/{job_id}/result").content)
        calm = calm or transcript
        assert (transcript.turns, transcript.duration) == (calm.turns, calm.duration)
        alike = SequenceMatcher(None, transcript.text.split(), calm.text.split(), autojunk=False).ratio()
        assert alike > 0.95, "doubtful windows are decoded at random; all others are the same"
        failed = len(done["failed_attempts"])
        tell(f"{seconds} s of speech: attempt {done['attempt']}, {failed} of them failed, reused {done['reused']}")
    assert installation.state(calm_id)["reused"] == {}
