"""The process that decodes: `python -m wortlaut.media.child FILE [channels]`.

FFmpeg runs here because a broken file can make it crash, hang or take all memory, and then only this process dies.
It imports PyAV, the standard library and light modules of ours, no numpy: every transcription waits for its start.

- stdout is a regular file and receives 16 kHz s16le samples, mono, or with `channels` all channels interleaved; silence
  is left as a hole in it.
- stderr receives one JSON object a line: {"channels": number}, {"done": seconds}, {"notice": {...}}, {"error": {...}},
  {"end": samples}.
- stdin is a pipe that carries nothing; when it closes, the parent is gone and so are we.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
from pathlib import Path

from wortlaut.errors import DecodingFailed, InstallationBroken, MediaUnreadable, OutputUnwritable, WortlautError

KEEP_CHANNELS = "channels"
"""What stands behind the file where the channels are wanted apart."""

MEMORY_LIMIT_BYTES = 3 * 2**30
"""Address space, of which the libraries take under 1 GiB; frames and packets of honest files take megabytes."""

DISK_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})  # Windows has no quotas


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    limit_memory()
    try:
        say(end=_decode(sys.argv[1], keeps_channels=sys.argv[2:] == [KEEP_CHANNELS]))
    except WortlautError as error:
        say(error={"code": error.code, "message": error.message, "hint": error.hint})
    sys.stderr.flush()
    os._exit(0)  # nothing of value is left in this process, and FFmpeg's teardown could still crash


def say(**message: object) -> None:
    """Tell the parent something."""
    sys.stderr.write(json.dumps(message) + "\n")
    sys.stderr.flush()


def _decode(media: str, *, keeps_channels: bool) -> int:
    try:
        from wortlaut.media.reading import read_recording  # noqa: PLC0415 - loads FFmpeg, after the limits are set
    except ImportError as error:
        raise InstallationBroken(
            f"A package that Wortlaut needs cannot be loaded: {error}.",
            hint="Install it anew with `pip install --force-reinstall av`.",
        ) from error
    try:
        with open(sys.stdout.fileno(), "wb", closefd=False) as output:
            return read_recording(Path(media), output, say, keeps_channels=keeps_channels)
    except MemoryError:
        raise DecodingFailed(
            f"{Path(media).name!r} needs more than {MEMORY_LIMIT_BYTES // 2**30} GiB of memory to decode."
        ) from None
    except OSError as error:
        if error.errno in DISK_FULL:
            raise OutputUnwritable(f"The decoded sound cannot be written: {error.strerror}.") from error
        raise MediaUnreadable(f"{Path(media).name!r} cannot be read to its end: {error.strerror}.") from error


def _die_with_parent() -> None:
    os.read(0, 1)  # not sys.stdin: its lock, held by this thread, would make an orderly end impossible
    os._exit(1)


def limit_memory() -> None:
    """Make allocations fail here before they hurt the machine."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    for limit, value in ((resource.RLIMIT_AS, MEMORY_LIMIT_BYTES), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(limit)
        if hard == resource.RLIM_INFINITY or value < hard:
            try:
                resource.setrlimit(limit, (value, hard))
            except (OSError, ValueError):  # macOS refuses to limit address space
                continue


if __name__ == "__main__":
    main()
