"""Fields of a parsed JSON object, taken out with their types checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LARGEST = 1e12
"""No time or score is larger; NaN and infinity, which Python's JSON reader lets through, are not below it."""


class NotAField(ValueError):
    """Says what was found in place of what was expected; its reader turns it into an error of ours."""


class Fields:
    """A JSON object. Missing keys and null read as None; a value of another type raises `NotAField`."""

    __slots__ = ("values",)

    values: Mapping[str, object]

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise NotAField(f"an object was expected, not {_brief(value)}")
        self.values = value

    def has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value
        raise NotAField(f"{key!r} is to be a text, not {_brief(value)}")

    def number(self, key: str) -> float | None:
        value = self.values.get(key)
        return None if value is None else _finite(key, value)

    def required_text(self, key: str) -> str:
        if (value := self.text(key)) is None:
            raise NotAField(f"{key!r} is missing")
        return value

    def required_number(self, key: str) -> float:
        if (value := self.number(key)) is None:
            raise NotAField(f"{key!r} is missing")
        return value

    def records(self, key: str, *, missing: Sequence[Fields] | None = None) -> Sequence[Fields]:
        """Return the objects of a list. Without `missing`, the key is required."""
        value = self.values.get(key)
        if value is None and missing is not None:
            return missing
        if not isinstance(value, list):
            raise NotAField(f"{key!r} is to be a list, not {_brief(value)}")
        return [Fields(each) for each in value]

    def record(self, key: str) -> Fields:
        """Return an object; an empty one where it is missing."""
        value = self.values.get(key)
        return Fields({} if value is None else value)

    def texts(self) -> dict[str, str]:
        """Return all values, which must be texts."""
        return {key: self.required_text(key) for key in self.values}

    def numbers(self) -> dict[str, float]:
        """Return all values, which must be numbers."""
        return {key: self.required_number(key) for key in self.values}


def _finite(key: str, value: object) -> float:
    if not isinstance(value, bool) and isinstance(value, int | float) and abs(value) <= LARGEST:
        return float(value)
    raise NotAField(f"{key!r} is to be a number, not {_brief(value)}")


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."  # noqa: PLR2004 - enough to find it in the file
