"""The decoder that everybody uses: FFmpeg in a process of its own.

The clock: time zero is where the container's timeline begins. Sound that begins later is preceded by silence, gaps
are silence, and what encoders put in front of the sound (priming) is gone, so that sample i is heard at
i / 16000 s in a player too.
"""

from __future__ import annotations

import stat
import tempfile
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

from wortlaut.audio import Audio
from wortlaut.errors import (
    DecodingFailed,
    InstallationBroken,
    MediaInvalid,
    MediaNotFound,
    MediaUnreadable,
    NoAudioStream,
    OutputUnwritable,
    WortlautError,
)
from wortlaut.media.child import KEEP_CHANNELS
from wortlaut.media.process import Message, run_child
from wortlaut.media.spool import SpooledSamples
from wortlaut.notice import Notice
from wortlaut.stages import Advance, ignore

DEADLINE = 60.0
"""Wall seconds after which a decoder that reports nothing is given up."""

_ERRORS: dict[str, type[WortlautError]] = {
    kind.code: kind
    for kind in (DecodingFailed, InstallationBroken, MediaInvalid, MediaUnreadable, NoAudioStream, OutputUnwritable)
}


class PyavDecoder:
    """Decode any audio or video file with PyAV in a child process.

    `deadline` is how many seconds the child may stay silent, and how many it gets on top of the length of what it
    decodes. `spool_dir` receives the samples, at most 115 MB an hour and channel, in a file that vanishes with the
    `Audio`; by default the system's folder for temporary files.
    """

    def __init__(self, *, deadline: float = DEADLINE, spool_dir: Path | None = None) -> None:
        self._deadline = deadline
        self._spool_dir = spool_dir

    def decode(self, media: Path, /, *, advance: Advance = ignore) -> Audio:
        _check(media)
        with self._open_spool() as spool:
            _, notices = self._fill(spool, media, advance)
            return Audio(SpooledSamples(spool.fileno()), notices)

    def decode_channels(self, media: Path, /, *, advance: Advance = ignore) -> tuple[Audio, ...]:
        _check(media)
        with self._open_spool() as spool:
            count, notices = self._fill(spool, media, advance, KEEP_CHANNELS)
            return tuple(Audio(SpooledSamples(spool.fileno(), each, count), notices) for each in range(count))

    def _fill(self, spool: BinaryIO, media: Path, advance: Advance, *ways: str) -> tuple[int, tuple[Notice, ...]]:
        """Return how many channels were written, and what was noticed."""
        notices: list[Notice] = []
        channels = 1
        with closing(run_child(media.absolute(), spool, self._deadline, *ways)) as messages:
            for message in messages:
                if "channels" in message:
                    channels = message["channels"]
                elif "done" in message:
                    advance(message["done"])
                elif "notice" in message:
                    notices.append(Notice(**message["notice"]))
                elif "error" in message:
                    raise self._error(message["error"])
        return channels, tuple(notices)

    def _error(self, error: Message) -> WortlautError:
        kind = _ERRORS.get(error["code"], DecodingFailed)
        hint = self._spool_hint() if kind is OutputUnwritable else error["hint"]
        return kind(error["message"], hint=hint)

    def _open_spool(self) -> BinaryIO:
        try:
            return cast("BinaryIO", tempfile.TemporaryFile(prefix="wortlaut-", dir=self._spool_dir))
        except OSError as error:
            message = f"The decoded sound cannot be written: {error.strerror}."
            raise OutputUnwritable(message, hint=self._spool_hint()) from error

    def _spool_hint(self) -> str:
        folder = self._spool_dir or tempfile.gettempdir()
        return f"Make room in {folder}: an hour of sound takes 115 MB while it is worked on. TMPDIR names another."


def _check(media: Path) -> None:
    """Refuse what needs no decoder to be refused."""
    try:
        status = media.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
            raise MediaUnreadable(f"{str(media)!r} is {kind}, not a file.", hint="Give a file with sound.")
        media.open("rb").close()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the name
        raise MediaNotFound(f"There is no file {str(media)!r}.") from error
    except OSError as error:
        raise MediaUnreadable(f"{str(media)!r} cannot be read: {error.strerror}.") from error
    if not status.st_size:
        raise MediaInvalid(f"{media.name!r} is empty.")
