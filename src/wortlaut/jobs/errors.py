"""What can go wrong around jobs, and errors as JSON, in which they survive in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wortlaut.errors import InputError, JobError, ResourceError, WortlautError


class JobNotFound(JobError):
    """There is no such job."""

    code = "job-not-found"
    default_hint = "It was deleted, its time was over, or it belongs to another key."


class JobUnfinished(JobError):
    """The job has no result yet."""

    code = "job-unfinished"
    default_hint = "Ask for its status, or follow its events, until it is done."


class MediaTooLong(InputError):
    """The recording is longer than this service accepts."""

    code = "media-too-long"
    default_hint = "Cut it into parts; WORTLAUT_MAX_DURATION is the limit, in seconds."

    @classmethod
    def over(cls, seconds: float) -> MediaTooLong:
        """Return the error for a limit of that many seconds."""
        return cls(f"The recording is longer than {seconds / 60:.3g} minutes.")


class IdempotencyConflict(InputError):
    """This Idempotency-Key was used for another request."""

    code = "idempotency-conflict"
    default_hint = "Use a new key for each request; the same key only to repeat the same one."


class WorkerCrashed(JobError):
    """The process that worked on the job crashed."""

    code = "worker-crashed"
    is_for_doctor = True
    retryable = True
    default_hint = (
        "The service's log has the last lines of the process; the recording may trigger a fault in a library."
    )


class WorkerHung(JobError):
    """The process that worked on the job said nothing for too long."""

    code = "worker-hung"
    retryable = True
    default_hint = "WORTLAUT_SILENCE sets how long it may say nothing."


class WorkerLost(JobError):
    """The machine or process that worked on the job went away again and again."""

    code = "worker-lost"
    default_hint = "Look for what stops the worker; the job can be submitted again."


class QueueFull(ResourceError):
    """Too many jobs are waiting."""

    code = "queue-full"
    retryable = True
    default_hint = "Try again later, add a worker, or raise WORTLAUT_MAX_QUEUED."


class DatabaseUnavailable(ResourceError):
    """The database does not answer."""

    code = "database-unavailable"
    retryable = True
    default_hint = "It may be starting; otherwise check DATABASE_URL and the database's log."


class DatabaseTooNew(ResourceError):
    """The database belongs to a newer version of Wortlaut."""

    code = "database-too-new"
    default_hint = "Start the newer version again, or restore the backup made before the upgrade."


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a value: what a job keeps of why it failed."""

    code: str
    message: str
    hint: str
    is_retryable: bool

    @classmethod
    def of(cls, error: WortlautError) -> Failure:
        return cls(error.code, error.message, error.hint, error.retryable)

    @classmethod
    def from_json(cls, plain: Mapping[str, object]) -> Failure:
        return cls(str(plain["code"]), str(plain["message"]), str(plain["hint"]), bool(plain["retryable"]))

    def to_json(self) -> dict[str, object]:
        return {"code": self.code, "message": self.message, "hint": self.hint, "retryable": self.is_retryable}

    def error(self) -> WortlautError:
        """Return the error of this code again; of a code nobody knows, a `JobError`."""
        kind = next((kind for kind in all_errors() if kind.code == self.code), JobError)
        return kind(self.message, hint=self.hint)


def all_errors(kind: type[WortlautError] = WortlautError) -> Iterator[type[WortlautError]]:
    """Yield every error class, each before its subclasses."""
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)
