"""`Options` as JSON and back, strictly: what was stored with a job is what it runs with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from wortlaut.options import Decoding, Options, Speakers

Plain = dict[str, Any]


def options_to_json(options: Options) -> Plain:
    return asdict(options)


def options_from_json(plain: Mapping[str, Any]) -> Options:
    """Read what `options_to_json` wrote; keys that are missing get their defaults, lists become tuples."""
    known: Plain = {name: _tuple(value) for name, value in plain.items() if name in _OPTIONS}
    speakers, decoding = known.get("speakers"), known.get("decoding")
    if speakers is not None:
        known["speakers"] = Speakers(**speakers)
    if decoding is not None:
        chosen: Plain = {name: _tuple(value) for name, value in decoding.items() if name in _DECODING}
        known["decoding"] = Decoding(**chosen)
    return Options(**known)


_OPTIONS = {each.name for each in fields(Options)}
_DECODING = {each.name for each in fields(Decoding)}


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
