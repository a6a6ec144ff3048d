"""The other end of `wortlaut.jobs.child`: start it, give it work, notice when it dies, and never leave it behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import wortlaut
from wortlaut.errors import OutOfMemory, WortlautError
from wortlaut.jobs.errors import Failure, WorkerCrashed, WorkerHung
from wortlaut.jobs.options_json import options_to_json
from wortlaut.jobs.settings import translate_old_names
from wortlaut.options import Options, Progress

log = logging.getLogger(__name__)

GRACE = 0.5
"""Seconds a child gets to stop by itself, and stay warm, before it is killed."""
CALM = 10
"""Pieces of work done with less memory after which a child may have its configured batch again: what took the memory
may have gone."""
_KEPT_LINES = 20
_LONGEST_LINE = 2**20

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Finished:
    """What the child says at the end.

    `duration`: seconds of the recording, None if nothing was decoded. `seconds`: wall time of each stage. `reused`: how
    much of a stage, (0, 1], an earlier attempt or job had done.
    """

    duration: float | None
    seconds: Mapping[str, float]
    reused: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where results of stages are kept: in which storage, and who shares them."""

    storage: str
    scope: str


@dataclass(slots=True)
class Child:
    """One working process. It is started on demand, and again after its death.

    `batch_size` is the one to work with instead of the configured one, after a lack of memory.
    """

    performer: str
    silence: float
    batch_size: int | None = None
    _calm: int = 0
    _process: asyncio.subprocess.Process | None = None
    _noise: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    _listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self.is_running and self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def warm_up(self, options: Options, report: Report) -> Mapping[str, object]:
        """Start the process if need be, load what these options need, and return what the performer says of itself."""
        return await self._ask({"work": "warm_up", "options": options_to_json(options)}, report)

    async def describe(self) -> Mapping[str, object]:
        """Return what the performer says of itself, without loading anything."""
        return await self._ask({"work": "describe"}, lambda _: None)

    async def work(
        self, work: str, media: Path, options: Options, result: Path, report: Report, kept: Kept | None = None
    ) -> Finished:
        """Do a piece of work; its result is in the file `result` afterwards.

        Raises what the work raised, `WorkerCrashed`, `WorkerHung`, or `OutOfMemory` if the system has killed it.
        If this call is cancelled, the child is stopped: kindly at first.
        """
        request: dict[str, Any] = {"work": work, "media": str(media), "result": str(result)}
        request |= {"options": options_to_json(options), "kept": kept and asdict(kept)}
        end = await self._ask(request, report)
        self._calm += 1
        if self.batch_size is not None and self._calm >= CALM:
            await self.rest()
        return Finished(end["duration"], end["seconds"], end["reused"])

    async def need_less_memory(self) -> None:
        """Go on with half the batch, in a new process."""
        used = (await self.describe())["batch_size"]
        self.batch_size, self._calm = max(int(str(used)) // 2, 1), 0
        await self.kill()

    async def rest(self) -> None:
        """End the process; the next one has the configured batch."""
        self.batch_size = None
        await self.kill()

    async def kill(self) -> None:
        """End the process at once and wait until it is gone."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
        if self._listening is not None:
            await self._listening

    async def _ask(self, request: dict[str, Any], report: Report) -> dict[str, Any]:
        process = await self._running()
        try:
            await self._send(process, request)
            return await self._answer(process, report)
        except asyncio.CancelledError:
            await self._stop(process)
            raise
        except (WorkerCrashed, WorkerHung, OutOfMemory):
            await self.kill()
            raise

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        """Ask the child to stop; kill it if it does not."""
        await self._send(process, {"cancel": True})
        try:
            async with asyncio.timeout(GRACE):
                await self._answer(process, lambda _: None)
        except TimeoutError:
            await self.kill()
        except WortlautError as error:  # `Cancelled`, as a rule; whatever it is, nobody wants to know any more
            log.debug("%s", error.message, extra={"action": "child_stopped"})

    async def _send(self, process: asyncio.subprocess.Process, message: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            log.debug("the child has gone", extra={"action": "child_gone"})  # its end is read, and reported, next

    async def _answer(self, process: asyncio.subprocess.Process, report: Report) -> dict[str, Any]:
        while True:
            message = await self._next(process)
            if "stage" in message:
                report(Progress(message["stage"], message["done"], message["total"]))
            elif "error" in message:
                raise Failure.from_json(message["error"]).error()
            else:
                end: dict[str, Any] = message["end"]
                return end

    async def _next(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self.silence):
                line = await process.stdout.readline()
        except TimeoutError:
            raise WorkerHung(f"The process that worked on this said nothing for {self.silence:g} s.") from None
        if line.endswith(b"\n"):
            message: dict[str, Any] = json.loads(line)
            return message
        raise await self._epitaph(process)

    async def _epitaph(self, process: asyncio.subprocess.Process) -> WorkerCrashed | OutOfMemory:
        status = await process.wait()
        if self._listening is not None:
            await self._listening
        if status == -signal.SIGKILL:
            return OutOfMemory("The process that worked on this was killed by the system: out of memory, most likely.")
        names = {-number.value: number.name for number in signal.Signals}
        last = f": {self._noise[-1].rstrip('.')}." if self._noise else "."
        return WorkerCrashed(
            f"The process that worked on this ended with {names.get(status, f'status {status}')}{last}"
        )

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self.is_running:
            return self._process
        self._noise.clear()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the current folder is no place for modules
            "-m",
            "wortlaut.jobs.child",
            self.performer,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(self.batch_size),
            limit=_LONGEST_LINE,
        )
        self._listening = asyncio.create_task(self._listen(self._process))
        return self._process

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Pass on what the child and its libraries print, and keep the last lines for the reason of a crash."""
        assert process.stderr is not None
        async for line in process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            self._noise.append(text)
            log.info("%s", text, extra={"action": "child_output", "pid": process.pid})


def _environment(batch_size: int | None) -> dict[str, str]:
    """Return ours, under today's names, with the folder of this very package in front: it need not be installed."""
    ours = translate_old_names()
    folder = str(Path(wortlaut.__file__).parents[1])
    paths = [folder, *filter(None, [os.environ.get("PYTHONPATH")])]
    batch = {} if batch_size is None else {"WORTLAUT_BATCH_SIZE": str(batch_size)}
    return {**ours, **batch, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
