"""The turns of a recording as a table, for installations without pandas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

COLUMNS = ("segment", "label", "speaker", "start", "end")

Row = Mapping[str, Any]


class TurnTable(Sequence[Row]):
    """As much of a DataFrame as programs use: columns by name, `iterrows`, `to_dict("records")`, `len`.

    As a sequence it has rows; `table["start"]` and `table.start` are columns, as lists.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = tuple(rows)
        self.columns = COLUMNS

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> TurnTable: ...
    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    def __getitem__(self, key: int | slice | str) -> Row | TurnTable | list[Any]:
        if isinstance(key, str):
            return [row[key] for row in self._rows]
        return TurnTable(self._rows[key]) if isinstance(key, slice) else self._rows[key]

    def __getattr__(self, name: str) -> list[Any]:
        if name not in COLUMNS:
            raise AttributeError(f"a table of turns has no {name!r}")
        return self[name]

    def __repr__(self) -> str:
        lines = [f"{row['start']:10.2f} {row['end']:10.2f}  {row['speaker']}" for row in self._rows]
        return "\n".join(["     start        end  speaker", *lines])

    @property
    def empty(self) -> bool:
        """Whether there is no turn."""
        return not self._rows

    def iterrows(self) -> Iterator[tuple[int, Row]]:
        """Yield number and row."""
        return enumerate(self._rows)

    def to_dict(self, orient: str = "records") -> list[dict[str, Any]]:
        """Return the rows as dicts; no other orientation is offered."""
        if orient != "records":
            raise ValueError(f"a table of turns can only be turned into records, not into {orient!r}")
        return [dict(row) for row in self._rows]
