"""Start the decoding process, listen to it, and never leave it behind."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import wortlaut
from wortlaut.errors import DecodingFailed

Message = dict[str, Any]
"""One line of the child's, see `wortlaut.media.child`."""

CHILD = ("-m", "wortlaut.media.child")

SLOWEST = 1.0
"""Wall seconds that a second of sound may take on the whole; usual is a thousandth of that."""
_KEPT_LINES = 5
"""Lines of the child's that are no messages: the end of a traceback, kept for the error message."""
_ENDED = b""


def run_child(media: Path, output: BinaryIO, deadline: float, *ways: str) -> Generator[Message, None, None]:
    """Decode `media` into `output` and yield what the child says, up to its end. `ways` are its further arguments.

    Raises `DecodingFailed` if it crashes, says nothing for `deadline` seconds, or takes more than that on top of the
    length of what it has decoded. However this generator is left, the child is gone afterwards.
    """
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    with _started(media, output, ways) as child, _forwarding(child, lines):
        try:
            yield from _messages(child, lines, deadline)
        finally:
            child.kill()


def _started(media: Path, output: BinaryIO, ways: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", *CHILD, str(media), *ways]  # -P: the current folder is no place for modules
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module; the path is one argument, never a shell's
        command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE, env=child_environment()
    )


@contextmanager
def _forwarding(child: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> Iterator[None]:
    """Move the child's lines into a queue: waiting for a queue can be given an end, on every system."""

    def forward() -> None:
        for line in child.stderr or ():
            lines.put(line)
        lines.put(_ENDED)

    thread = threading.Thread(target=forward, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def child_environment() -> dict[str, str]:
    """Return ours, with the folder of this very package in front: it need not be installed."""
    folder = str(Path(wortlaut.__file__).parents[1])
    paths = [folder, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _messages(child: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes], deadline: float) -> Iterator[Message]:
    noise: deque[str] = deque(maxlen=_KEPT_LINES)
    done, started = 0.0, time.monotonic()
    for line in _arriving(lines, deadline):
        if not line.startswith(b"{"):
            noise.append(line.decode("utf-8", "replace").strip())
            continue
        message: Message = json.loads(line)
        yield message
        if "end" in message or "error" in message:
            return
        done = message.get("done", done)
        if time.monotonic() - started > deadline + done * SLOWEST:
            raise DecodingFailed(f"Decoding is too slow: {done:.0f} s of sound in {time.monotonic() - started:.0f} s.")
    raise DecodingFailed(_epitaph(child.wait(), list(noise)))


def _arriving(lines: queue.SimpleQueue[bytes], deadline: float) -> Iterator[bytes]:
    while True:
        try:
            line = lines.get(timeout=deadline)
        except queue.Empty:
            raise DecodingFailed(f"The decoder has said nothing for {deadline:g} s and was stopped.") from None
        if line == _ENDED:
            return
        yield line


def _epitaph(status: int, noise: list[str]) -> str:
    if status < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"The decoder crashed on this file ({names.get(-status, f'signal {-status}')})."
    return " ".join(["The decoder ended without a result.", *noise[-1:]])
