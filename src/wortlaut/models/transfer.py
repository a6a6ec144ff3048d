"""What is said of transfers by who asks for them; how they are done loads the network's modules (`download`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for the `answer`, and for at least `least_bytes` of it each `stall`."""

    answer: float = 10.0
    stall: float = 15.0
    least_bytes: int = 1024


class TransferFailed(Exception):
    """A file did not come over the wire; `status` is the HTTP status, if it came to one.

    Stays inside this room: the store turns it into `DownloadFailed` once no source is left.
    """

    def __init__(self, reason: str, *, status: int | None = None, is_stall: bool = False) -> None:
        self.reason = reason
        self.status = status
        self.is_stall = is_stall
        super().__init__(reason)
