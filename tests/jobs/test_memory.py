"""Memory stays flat: the service, its worker and its child after hundreds of jobs.

WORTLAUT_TEST_JOBS says how many (500), WORTLAUT_TEST_REAL_JOBS how many with real models (20).
"""

from __future__ import annotations

import os

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

OBEDIENT = "wortlaut.jobs.testing:open_obedient"
SAMPLES = 25
ALLOWED_BYTES = 8 * 2**20
"""What allocators and caches may still add from the second to the last fifth of the jobs, besides ALLOWED_SHARE."""
ALLOWED_SHARE = 0.05


def measured(installation, jobs, make, **fields):
    """Do jobs one after the other; return the resident bytes of each process, SAMPLES times."""
    resident = {name: [] for name in ("service", "worker", "child")}
    for number in range(jobs):
        done = installation.finished(installation.submit(make(number), **fields))
        assert done["state"] == "done", done
        if number % max(jobs // SAMPLES, 1) == 0:
            for name, samples in resident.items():
                samples.append(psutil.Process(installation.pid_of(name)).memory_info().rss)
    return resident


def is_flat(samples):
    fifth = len(samples) // 5
    early, late = min(samples[fifth : 2 * fifth]), min(samples[-fifth:])  # what comes and goes is no leak
    return late - early <= ALLOWED_BYTES + ALLOWED_SHARE * early


def in_mib(samples):
    fifth = len(samples) // 5
    return [round(samples[index] / 2**20, 1) for index in range(0, len(samples), fifth)]


def test_what_is_flat_and_what_is_not():
    assert is_flat([50 * 2**20, *[100 * 2**20] * 24])
    assert not is_flat([(100 + number) * 2**20 for number in range(25)])


def test_hundreds_of_jobs_leave_memory_as_it_was(install, tell):
    jobs = int(os.environ.get("WORTLAUT_TEST_JOBS", "500"))
    installation = install(WORTLAUT_PERFORMER=OBEDIENT)
    resident = measured(installation, jobs, lambda number: f"say number {number}\n".encode() * 50)
    for name, samples in resident.items():
        tell(f"{jobs} jobs, {name}: {in_mib(samples)} MiB")
        assert is_flat(samples), (name, in_mib(samples))


@pytest.mark.models
def test_real_models_leave_memory_as_it_was(install, models_dir, sample_conversation, tell):
    jobs = int(os.environ.get("WORTLAUT_TEST_REAL_JOBS", "20"))
    content = sample_conversation.read_bytes()
    installation = install(WORTLAUT_MODELS_DIR=str(models_dir), WORTLAUT_OFFLINE="true", WORTLAUT_MODEL="tiny.en")
    resident = measured(installation, jobs, lambda _: content, cache="false")
    for name, samples in resident.items():
        tell(f"{jobs} jobs of 30 s of speech, {name}: {in_mib(samples)} MiB")
        assert is_flat(samples), (name, in_mib(samples))
