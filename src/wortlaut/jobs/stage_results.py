"""What the stages of a job have come to, kept while the job is there: whoever goes on with it need not begin anew.

A stage's result is a list of rows: one for a stage that answers at once, one a window for those that go window by
window, so that an attempt that dies loses a few seconds of work. Results lie in the storage under
`stages/<scope>/<stage>/<digest>/<first row>.json`. The digest is that of everything the result depends on: options,
models and versions. The scope is the recording, by its SHA-256, or one job where nothing is to be shared.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import PurePosixPath
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from wortlaut.storage import ObjectMissing, Objects, StorageUnavailable

log = logging.getLogger(__name__)

Row = TypeVar("Row")

SAVE_EVERY = 3.0
"""Seconds of work that are lost at most, besides the window that is being worked on."""


def folder_of(scope: str) -> str:
    """Return where the results of a scope lie."""
    return f"stages/{scope}"


@dataclass(frozen=True, slots=True)
class StageResults:
    """All results of one scope. A storage that fails costs what it would have saved, and a line in the log."""

    objects: Objects
    scope: str
    save_every: float = SAVE_EVERY
    _reused: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _made: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def reused(self) -> Mapping[str, float]:
        """How much of each stage was there already, (0, 1]; stages of which nothing was are left out."""
        return {
            stage: round(count / (count + self._made[stage]), 3) for stage, count in self._reused.items() if count > 0
        }

    def shelf(self, stage: str, depends_on: object, adapter: TypeAdapter[Row]) -> Shelf[Row]:
        """Return the place for a result that depends on just that; plain values and dataclasses of them."""
        return Shelf(self, stage, f"{folder_of(self.scope)}/{stage}/{_digest(depends_on)}", adapter)

    def once(self, stage: str, depends_on: object, adapter: TypeAdapter[Row], work: Callable[[], Row]) -> Row:
        """Return the result of a stage that answers at once; `work` is done only if it is not there."""
        shelf = self.shelf(stage, depends_on, adapter)
        for row in shelf.load():
            self.count(stage, reused=1)
            return row
        (row,) = shelf.filled([work()], 0)
        return row

    def count(self, stage: str, *, reused: int = 0, made: int = 0) -> None:
        """Note rows that were there, or that were made in this attempt."""
        self._reused[stage] += reused
        self._made[stage] += made


@dataclass(frozen=True, slots=True)
class Shelf(Generic[Row]):
    """The rows of one stage for one set of options."""

    results: StageResults
    stage: str
    folder: str
    adapter: TypeAdapter[Row]

    def load(self) -> list[Row]:
        """Return the rows from the first on, as far as there is no gap."""
        try:
            pieces = {int(PurePosixPath(each.key).stem): each.key for each in self.results.objects.listing(self.folder)}
            rows: list[Row] = []
            while (key := pieces.get(len(rows))) and (piece := self._read(key)):
                rows += piece
        except StorageUnavailable as error:
            log.warning("%s", error.message, extra={"action": "stage_unread", "stage": self.stage})
            return []
        return rows

    def filled(self, rows: Iterable[Row], first: int) -> Iterator[Row]:
        """Yield rows as they are made, and keep them every few seconds, and at the end however it comes."""
        pending: list[Row] = []
        saved = time.monotonic()
        try:
            for row in rows:
                self.results.count(self.stage, made=1)
                pending.append(row)
                if time.monotonic() - saved >= self.results.save_every:
                    first, pending, saved = self._save(pending, first), [], time.monotonic()
                yield row
        finally:
            self._save(pending, first)

    def _read(self, key: str) -> list[Row]:
        try:
            plain = json.loads(unsealed(self.results.objects.get(key)))
            return [self.adapter.validate_python(each) for each in plain]
        except (ObjectMissing, ValueError) as error:  # deleted a moment ago; damaged; a text that only Python can hold
            log.debug("a stage result is of no use: %s", error, extra={"action": "stage_skipped", "stage": self.stage})
            return []

    def _save(self, rows: list[Row], first: int) -> int:
        """Keep rows and return the number of the one after them."""
        if rows:
            try:
                content = sealed(json.dumps(rows, default=_plain).encode())
                self.results.objects.put(f"{self.folder}/{first:08}.json", content)
            except StorageUnavailable as error:
                log.warning("%s", error.message, extra={"action": "stage_unsaved", "stage": self.stage})
        return first + len(rows)


def sealed(content: bytes) -> bytes:
    """Put the content's SHA-256 before it: what has been damaged is not believed."""
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def unsealed(content: bytes) -> bytes:
    """Return what was sealed. Raises `ValueError` if it is not that any more."""
    _, _, inner = content.partition(b"\n")
    if sealed(inner) != content:
        raise ValueError("the seal is broken")
    return inner


def _digest(depends_on: object) -> str:
    text = json.dumps(depends_on, default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: object) -> object:
    """Say what JSON does not know: values of ours, and numpy's numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return float(value)  # type: ignore[arg-type]  # what is no number raises, as it should
