"""Who said what, when: transcription with word times and speakers, on your own machine.

    import wortlaut
    transcript = wortlaut.transcribe("meeting.m4a", speakers=2)
    for segment in transcript.segments:
        print(f"{segment.start:7.2f} {segment.speaker}: {segment.text}")

Importing this loads nothing; what is named is loaded when it is first asked for, the engines when they are needed.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wortlaut.assembly import Transcriber, transcribe
    from wortlaut.errors import WortlautError
    from wortlaut.options import Decoding, Options, Progress, Speakers
    from wortlaut.settings import Settings
    from wortlaut.transcript import Segment, Transcript, Turn, Word

    __version__: str

__all__ = [
    "Decoding",
    "Options",
    "Progress",
    "Segment",
    "Settings",
    "Speakers",
    "Transcriber",
    "Transcript",
    "Turn",
    "Word",
    "WortlautError",
    "__version__",
    "transcribe",
]

# ONNX Runtime reports its use to its maker unless this is set before it is loaded; here nothing leaves the machine
# (docs/decisions/0007-no-telemetry.md).
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# All of them: the process that decodes imports this package too, and every transcription waits for its start.
_ROOMS = {
    "assembly": ("Transcriber", "transcribe"),
    "errors": ("WortlautError",),
    "options": ("Decoding", "Options", "Progress", "Speakers"),
    "settings": ("Settings",),
    "transcript": ("Segment", "Transcript", "Turn", "Word"),
}
_LAZY = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 a module attribute can be anything
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 slow to import, and seldom asked for

        return version("wortlaut")
    if name not in _LAZY:
        raise AttributeError(f"module 'wortlaut' has no attribute {name!r}")
    return getattr(import_module(f"wortlaut.{_LAZY[name]}"), name)
