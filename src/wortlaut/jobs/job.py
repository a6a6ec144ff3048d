"""A job: one recording, what is asked of it, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from wortlaut.jobs.errors import Failure
from wortlaut.options import Options, Progress

State = Literal["queued", "running", "done", "failed", "cancelled"]
Work = Literal["transcribe", "detect"]
FINISHED: frozenset[State] = frozenset({"done", "failed", "cancelled"})

WAITED_FOR, BATCH = 10, 0
"""Priorities: somebody holds the line, or nobody does."""

_SHARES = {"decode": 0.05, "detect": 0.05, "recognize": 0.70, "diarize": 0.20}
"""About how much of the time each stage takes, in their order. Fetching a model counts as nothing."""
_ESTIMABLE = 0.05
"""Below this share of the work an estimate of the time left would be a guess."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A recording that somebody has handed in, and what is asked of it. The media lies in the storage."""

    id: str
    owner: str
    name: str
    media_key: str
    media_bytes: int
    options: Options


@dataclass(frozen=True, slots=True)
class Job(HandedIn):
    """One row. `attempt` counts starts, `reasons` why earlier attempts came to nothing; `error` is the final reason.

    `failures` and `starts_in_vain` count attempts since the job last got further.

    `lease` names the attempt that may write: an attempt that lost it cannot harm the job any more. `scope` says with
    whom results of stages are shared: all jobs on the recording with this SHA-256, or this job alone. `reused` is how
    much of each stage the result took from there; `is_cached`, that nothing had to be computed.
    """

    work: Work
    priority: int
    state: State
    attempt: int
    failures: int
    starts_in_vain: int
    created: datetime
    scope: str
    started: datetime | None = None
    finished: datetime | None = None
    lease: str | None = None
    progress: Progress | None = None
    error: Failure | None = None
    reasons: tuple[Failure, ...] = ()
    result_key: str | None = None
    duration: float | None = None
    webhook: str | None = None
    reused: Mapping[str, float] = field(default_factory=dict)
    is_cached: bool = False
    rerun_of: str | None = None

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    @property
    def share(self) -> float:
        """How much of the work is done, [0, 1]; about, but never falling within an attempt."""
        if self.state == "done":
            return 1.0
        if self.progress is None or self.progress.stage not in _SHARES:
            return 0.0
        shares = _SHARES if self.options.speakers else {**_SHARES, "diarize": 0.0}
        names = list(shares)
        before = sum(shares[name] for name in names[: names.index(self.progress.stage)])
        within = self.progress.done / self.progress.total if self.progress.total > 0 else 0.0
        return min(before + shares[self.progress.stage] * min(within, 1.0), 1.0) / sum(shares.values())

    def seconds_left(self, now: datetime | None = None) -> float | None:
        """Return the estimated time to the end, None where nothing can be said."""
        if self.state != "running" or self.started is None or self.share < _ESTIMABLE:
            return None
        elapsed = ((now or datetime.now(UTC)) - self.started).total_seconds()
        return max(elapsed, 0.0) * (1 - self.share) / self.share
