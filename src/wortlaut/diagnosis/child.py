"""Self-tests in a process of their own, which may crash or hang without taking us along."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field

CHILD_SECONDS = 11.0


@dataclass(frozen=True, slots=True)
class ChildResult:
    """What a child found out: arithmetic -> error or None. `crash` says how it ended if not by itself.

    `is_late`: it had not ended when its time was over; that may be a library that hangs, or a busy machine.
    """

    outcomes: dict[str, str | None] = field(default_factory=dict)
    crash: str | None = None
    is_late: bool = False


def run_self_test(engine: str, device: str, *, seconds: float = CHILD_SECONDS) -> ChildResult:
    """Run `wortlaut.diagnosis.self_test` and read what it wrote, also if it crashed on the way."""
    command = [sys.executable, "-m", "wortlaut.diagnosis.self_test", engine, device]
    try:
        done = subprocess.run(  # noqa: S603 our own module, fixed words
            command, check=False, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired as late:
        written = late.stdout or b""
        text = written.decode() if isinstance(written, bytes) else written
        return ChildResult(read_outcomes(text), is_late=True)
    except OSError as error:
        return ChildResult({}, f"could not be started: {error}")
    return ChildResult(read_outcomes(done.stdout), describe_end(done.returncode, done.stderr))


def read_outcomes(text: str) -> dict[str, str | None]:
    """Read the child's lines; one that a crash cut off is left out."""
    outcomes: dict[str, str | None] = {}
    for line in text.splitlines():
        try:
            outcome = json.loads(line)
        except json.JSONDecodeError:
            continue
        outcomes[str(outcome["arithmetic"])] = outcome["error"]
    return outcomes


def describe_end(code: int, stderr: str) -> str | None:
    """Say how the child ended: None if it was well, else its last words or the signal."""
    if code == 0:
        return None
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    how = signal.strsignal(-code) if code < 0 else f"exit code {code}"
    return f"{how}: {said[-1]}" if said else str(how)
