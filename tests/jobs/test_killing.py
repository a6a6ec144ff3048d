"""A real service, killed again and again: `wortlaut serve`, `wortlaut worker`, their child and their database.

WORTLAUT_TEST_KILLS says how often (12), WORTLAUT_TEST_SEED when: what fails can be had again. With real speech,
WORTLAUT_TEST_SECONDS says how much (600), WORTLAUT_TEST_REAL_KILLS how often (8).
"""

from __future__ import annotations

import os
import random
import time
from difflib import SequenceMatcher
from itertools import cycle, islice

import numpy as np
import pytest

from wortlaut.formats.read import read_json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(5400)]

KILLS = int(os.environ.get("WORTLAUT_TEST_KILLS", "12"))
SEED = int(os.environ.get("WORTLAUT_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
OBEDIENT = "wortlaut.jobs.testing:open_obedient"
VICTIMS = ("child", "worker", "service", "database")


def script(notes, steps):
    lines = [f"note {notes} {step}\nsleep 0.3" for step in range(steps)]
    return "\n".join([*lines, f"say this is {notes.stem}"]).encode()


def test_every_accepted_job_ends_once_and_no_finished_stage_is_repeated(install, tmp_path, tell):
    """One kill after the other, each while there is a job to lose."""
    moments = random.Random(SEED)
    installation = install(WORTLAUT_ENGINE=OBEDIENT)
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


def recognized(installation):
    """How many pieces of text are kept."""
    return sum("/recognize/" in key for key in installation.objects("stages"))


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
    job_id = installation.submit(content, speakers="2", cache="false")
    made, hits = 0, []
    for victim in islice(cycle(VICTIMS), kills):
        deadline = time.monotonic() + 900
        while recognized(installation) <= made:  # until there is something new to lose
            found = installation.state(job_id)
            if found["stage"] == "diarize":
                break
            assert found["state"] in ("queued", "running"), found
            assert time.monotonic() < deadline, found
            time.sleep(0.3)
        time.sleep(moments.uniform(0.0, 4.0))
        made = recognized(installation)
        if installation.kill(victim):
            hits.append(victim)
    done = installation.finished(job_id, within=2400)
    assert done["state"] == "done", (SEED, done)
    assert len(installation.objects(f"results/{job_id}")) == 1
    assert done["reused"]["detect"] == 1.0
    assert done["reused"]["recognize"] > 0
    disturbed = read_json(installation.ask("GET", f"/v1/jobs/{job_id}/result").content)
    calm_id = installation.submit(content, speakers="2", cache="false")
    assert installation.finished(calm_id, within=2400)["reused"] == {}
    calm = read_json(installation.ask("GET", f"/v1/jobs/{calm_id}/result").content)
    assert (disturbed.turns, disturbed.duration) == (calm.turns, calm.duration)
    alike = SequenceMatcher(None, disturbed.text.split(), calm.text.split(), autojunk=False).ratio()
    assert alike > 0.95, "doubtful windows are decoded at random; all others are the same"
    tell(f"seed {SEED}: {seconds} s of speech, killed {hits}; attempt {done['attempt']} reused {done['reused']}")
