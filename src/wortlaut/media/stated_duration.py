"""How long a file says that it is, without decoding it: `python -m wortlaut.media.stated_duration FILE`.

Like the decoder, FFmpeg runs in a process of its own: the header of a broken file may make it crash or hang.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from wortlaut.media.child import limit_memory
from wortlaut.media.process import child_environment

DEADLINE = 20.0
"""Wall seconds after which a file counts as saying nothing."""

BELIEVED = frozenset({"mov", "matroska", "avi", "flac", "caf", "aiff", "tta", "wv", "ape", "ogg", "wav", "w64"})
"""Containers that state their duration, or where it follows from their size; elsewhere FFmpeg guesses."""


def stated_duration(media: Path) -> float | None:
    """Return the seconds that a file says it has; None where it says nothing that can be relied on."""
    command = [sys.executable, "-P", "-m", __name__, str(media.absolute())]
    try:
        ended = subprocess.run(  # noqa: S603 our own interpreter and module; the path is one argument, never a shell's
            command, capture_output=True, env=child_environment(), timeout=DEADLINE, check=False
        )
        said = json.loads(ended.stdout) if ended.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return said if isinstance(said, float) else None


def _read(media: Path) -> float | None:
    import av  # noqa: PLC0415 FFmpeg is loaded in the child only

    from wortlaut.media.reading import NOTHING_ELSE  # noqa: PLC0415 as above

    with media.open("rb", buffering=0) as file:
        try:
            container = av.open(file, "r", options=NOTHING_ELSE, metadata_errors="replace")
        except (av.error.FFmpegError, ValueError):
            return None
        is_believed = not BELIEVED.isdisjoint(container.format.name.split(","))
        return container.duration / av.time_base if container.duration and is_believed else None


if __name__ == "__main__":
    limit_memory()
    print(json.dumps(_read(Path(sys.argv[1]))))  # noqa: T201 the parent reads it
