"""Figures for Prometheus. Each service has its own registry: nothing is global."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from wortlaut.jobs.errors import Failure
from wortlaut.jobs.job import Job
from wortlaut.jobs.process import Finished

_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_FACTORS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


@dataclass(frozen=True, slots=True)
class Metrics:
    """What is counted in this process: jobs that its worker ended, and the state of all at the moment of asking."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    jobs: Gauge = field(init=False)
    workers: Gauge = field(init=False)
    attempts: Counter = field(init=False)
    memory: Gauge = field(init=False)
    waiting: Histogram = field(init=False)
    running: Histogram = field(init=False)
    factor: Histogram = field(init=False)

    def __post_init__(self) -> None:
        own = {
            "jobs": Gauge("wortlaut_jobs", "Jobs by state.", ["state"], registry=self.registry),
            "workers": Gauge("wortlaut_workers", "Workers that show signs of life.", registry=self.registry),
            "attempts": Counter("wortlaut_attempts", "Attempts by how they ended.", ["code"], registry=self.registry),
            "waiting": Histogram(
                "wortlaut_waiting_seconds", "From upload to last start.", registry=self.registry, buckets=_SECONDS
            ),
            "memory": Gauge(
                "wortlaut_model_memory_bytes",
                "Resident memory of the working processes here, which hold the models.",
                ["process"],
                registry=self.registry,
            ),
            "running": Histogram(
                "wortlaut_running_seconds", "From last start to the end.", registry=self.registry, buckets=_SECONDS
            ),
            "factor": Histogram(
                "wortlaut_real_time_factor",
                "Seconds of work for a second of the recording, by stage.",
                ["stage"],
                registry=self.registry,
                buckets=_FACTORS,
            ),
        }
        for name, metric in own.items():
            object.__setattr__(self, name, metric)

    def observe(self, job: Job, end: Finished | Failure) -> None:
        """Count how an attempt ended."""
        if isinstance(end, Failure):
            self.attempts.labels(end.code).inc()
            return
        self.attempts.labels("done").inc()
        if job.started is not None:
            self.waiting.observe((job.started - job.created).total_seconds())
            self.running.observe((datetime.now(UTC) - job.started).total_seconds())
        for stage, seconds in end.seconds.items():
            if end.duration:
                self.factor.labels(stage).observe(seconds / end.duration)

    def render(self, counts: Mapping[str, int], live_workers: int, memory_bytes: Mapping[int, int]) -> bytes:
        """Return everything in Prometheus's text format."""
        for state in ("queued", "running", "done", "failed", "cancelled"):
            self.jobs.labels(state).set(counts.get(state, 0))
        self.workers.set(live_workers)
        self.memory.clear()
        for number, size_bytes in memory_bytes.items():
            self.memory.labels(str(number)).set(size_bytes)
        return generate_latest(self.registry)
