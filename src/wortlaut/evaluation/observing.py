"""Run the subject over a set and watch it from outside.

Each set runs in a fresh process: memory is a high-water mark, and neither the sets before nor what scoring needs
may raise it. That process sends each result as it comes, so that a crash costs one recording and not the set.
Nothing here imports what scoring needs.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from wortlaut.errors import DeviceUnavailable, ExtraMissing, JobError, ModelError, UnknownModel, WortlautError
from wortlaut.evaluation.cost import PeakMemory, cpu_seconds
from wortlaut.options import Options
from wortlaut.transcript import Transcript, Word

INSTALLATION_ERRORS = (DeviceUnavailable, ExtraMissing, ModelError, UnknownModel)
"""Not the recording's fault: they end the evaluation, everything else is a result."""

CRASHED = "crashed"
GRACE = 10.0
"""Seconds for the measured process to end its own children before it is killed."""


class Subject(Protocol):
    """What is measured."""

    def transcribe(self, media: Path, options: Options, /) -> Transcript:
        """Return the transcript of a recording, all stages included."""
        ...

    def align(self, media: Path, text: str, language: str, /) -> list[Word]:
        """Return the words of the true `text` with times (teacher forcing)."""
        ...


SubjectFactory = Callable[[], Subject]
"""Makes a subject inside the measured process: it must be picklable, so a class or a frozen dataclass, no lambda."""


@dataclass(frozen=True, slots=True)
class Task:
    """One recording to observe; `text` is given where the true words are to be aligned as well."""

    media: Path
    options: Options
    text: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor (user and system, child processes included) and of the clock."""

    cpu: float = 0.0
    wall: float = 0.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What one recording gave. `error` is the code of a `WortlautError` or `CRASHED`; `message` tells more.

    `forced` are the words of the true text with times: None where nobody asked, empty where it failed, for the reason
    in `forced_error`.
    """

    transcript: Transcript | None = None
    error: str = ""
    message: str = ""
    cost: Cost = Cost()
    forced: tuple[Word, ...] | None = None
    forced_error: str = ""


@dataclass(frozen=True, slots=True)
class SetObservation:
    """A whole set. `peak_megabytes` is of transcribing alone: aligning the true text runs in another process.

    `load` is making the subject, and what its first transcription cost beyond a second one of the same recording.
    """

    observations: tuple[Observation, ...]
    load: Cost
    peak_megabytes: float


def observe(
    tasks: Sequence[Task], factory: SubjectFactory, *, warm_up: int, advance: Callable[[], None] = lambda: None
) -> SetObservation:
    """Run `factory`'s subject over all tasks, and once beforehand over the task number `warm_up` to load the models.

    `advance` is called after each recording. Raises `INSTALLATION_ERRORS`, and `JobError` if the process dies while
    it makes the subject; other errors are results. After a crash, the next recording pays for loading again.
    """
    transcribing, aligning = _Witness(), _Witness()
    cold, *warm = _answers(_transcribe, [tasks[warm_up], *tasks], factory, transcribing, advance)
    aligned = iter(list(_answers(_align, [task for task in tasks if task.text], factory, aligning, advance)))
    observations = tuple(
        _with_forced(observation, next(aligned)) if task.text else observation
        for task, observation in zip(tasks, warm, strict=True)
    )
    load = _load(transcribing.starts[0], cold, observations[warm_up])
    return SetObservation(observations, load, max(transcribing.peaks))


def _with_forced(observation: Observation, aligned: Observation) -> Observation:
    reason = f"{aligned.error}: {aligned.message}" if aligned.error else ""
    return replace(observation, forced=aligned.forced or (), forced_error=reason)


def _load(start: Cost, cold: Observation, warm: Observation) -> Cost:
    if CRASHED in (cold.error, warm.error):
        return start
    cpu, wall = cold.cost.cpu - warm.cost.cpu, cold.cost.wall - warm.cost.wall
    return Cost(start.cpu + max(0.0, cpu), start.wall + max(0.0, wall))


Work = Callable[[Subject, Task], Observation]


def _transcribe(subject: Subject, task: Task) -> Observation:
    return Observation(transcript=subject.transcribe(task.media, task.options))


def _align(subject: Subject, task: Task) -> Observation:
    return Observation(forced=tuple(subject.align(task.media, task.text or "", task.language or "")))


@dataclass(frozen=True, slots=True)
class _Witness:
    """What is seen of each process: its peak in megabytes, and what making the subject cost."""

    peaks: list[float] = field(default_factory=list)
    starts: list[Cost] = field(default_factory=list)


def _answers(
    work: Work, tasks: Sequence[Task], factory: SubjectFactory, witness: _Witness, advance: Callable[[], None]
) -> Iterator[Observation]:
    """Yield one observation a task, in order; where a process dies, another one takes over after the lost task."""
    position = 0
    while position < len(tasks):
        with _process(work, tasks[position:], factory, witness) as tube:
            witness.starts.append(_start(tube))
            for answer in _received(tube):
                position += 1
                advance()
                yield answer
        if position < len(tasks):
            position += 1
            advance()
            yield Observation(error=CRASHED, message="the process died")


@contextmanager
def _process(work: Work, tasks: Sequence[Task], factory: SubjectFactory, witness: _Witness) -> Iterator[Connection]:
    """Start a process that works on the tasks; spawned, because forking would hand it this process' memory."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(work, tasks, factory, there), name="evaluation")
    process.start()
    there.close()  # the child's copy is the last one: when it dies, nothing more can be received
    try:
        with PeakMemory(process.pid or 0) as memory:
            yield here
            witness.peaks.append(memory.megabytes)
    finally:
        here.close()
        process.join(GRACE)
        process.kill()
        process.join()


def _start(tube: Connection) -> Cost:
    try:
        started: Cost | WortlautError = tube.recv()
    except EOFError as error:
        raise JobError("What was to be measured died before it could start; it says why above.") from error
    if isinstance(started, WortlautError):
        raise started
    return started


def _received(tube: Connection) -> Iterator[Observation]:
    while True:
        try:
            answer: Observation | WortlautError | None = tube.recv()
        except EOFError:  # the process died
            return
        if answer is None:  # all is done
            return
        if isinstance(answer, WortlautError):
            raise answer
        yield answer


def _serve(work: Work, tasks: Sequence[Task], factory: SubjectFactory, tube: Connection) -> None:
    """Make the subject and work on the tasks, in the measured process."""
    clock = _Clock()
    try:
        subject = factory()
    except WortlautError as error:
        tube.send(error)
        return
    tube.send(clock.read())
    for task in tasks:
        tube.send(_measured(work, subject, task))
    tube.send(None)
    with suppress(EOFError, ConnectionResetError):
        tube.recv()  # stay until the parent has read the peak and hung up


def _measured(work: Work, subject: Subject, task: Task) -> Observation | WortlautError:
    clock = _Clock()
    try:
        answer = work(subject, task)
    except INSTALLATION_ERRORS as error:
        return error
    except WortlautError as error:
        answer = Observation(error=error.code, message=error.message)
    return replace(answer, cost=clock.read())


class _Clock:
    """Runs from when it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = cpu_seconds(), time.perf_counter()

    def read(self) -> Cost:
        return Cost(cpu_seconds() - self._cpu, time.perf_counter() - self._wall)
