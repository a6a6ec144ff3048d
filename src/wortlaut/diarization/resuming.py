"""Going on where an interrupted diarization has stopped.

Both networks work window by window, and somebody may keep what they have found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from wortlaut.stages import Diarizer

Found = tuple[NDArray[Any], ...]
"""What a network has found in one piece of the recording: a few arrays, the same ones for every piece."""

RowsFrom = Callable[[int], Iterator[Found]]
"""Works on all pieces from that number on."""


class Resume(Protocol):
    def __call__(self, step: str, rows_from: RowsFrom, /) -> Iterator[Found]:
        """Yield what `step` finds in all pieces, in order: first what is known, then what `rows_from` finds."""
        ...


def afresh(_step: str, rows_from: RowsFrom, /) -> Iterator[Found]:
    """Know nothing, and keep nothing."""
    return rows_from(0)


@runtime_checkable
class Resumable(Protocol):
    """A diarizer whose work can be kept piece by piece, whatever number of speakers is asked for."""

    def resumed(self, resume: Resume, /) -> Diarizer:
        """Return the same diarizer, which goes on with what `resume` knows."""
        ...
