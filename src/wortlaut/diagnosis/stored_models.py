"""The models on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator

from wortlaut.diagnosis.finding import Finding, Installation
from wortlaut.errors import ModelCorrupt
from wortlaut.models.catalog import DEFAULT_MODELS
from wortlaut.models.store import ModelStore

AREA = "models"
VERIFY_SECONDS = 6.0
"""While this time lasts, every file is hashed again; what comes later is looked at without hashing."""


def look_at_default_models(installation: Installation) -> Iterator[Finding]:
    """Verify the models that a transcript with speakers needs."""
    started = time.monotonic()
    for name in DEFAULT_MODELS:
        yield _look_at(name, installation, is_thorough=time.monotonic() - started < VERIFY_SECONDS)


def look_at_other_models(installation: Installation) -> Iterator[Finding]:
    """Name the other models."""
    models = [one for one in _store(installation).installed() if one.name not in DEFAULT_MODELS]
    names = ", ".join(f"{model.name} ({model.size_bytes / 1e6:.0f} MB)" for model in models)
    yield Finding(AREA, "others", "ok", names or "none")


def _look_at(name: str, installation: Installation, *, is_thorough: bool) -> Finding:
    store = _store(installation)
    try:
        folder = store.find(name)
        if folder is not None and is_thorough:
            store.verify(name)
    except ModelCorrupt as error:
        repair = f"wortlaut models remove {name} && wortlaut models pull {name}"
        return Finding(AREA, name, "problem", error.message, repair)
    if folder is not None:
        return Finding(AREA, name, "ok", f"{folder}{', verified' if is_thorough else ''}")
    if installation.is_offline:
        advice = f"Fetch it once online: wortlaut models pull {name}"
        return Finding(AREA, name, "problem", "not on this machine, and the network is not to be used", advice)
    return Finding(AREA, name, "note", "not on this machine; fetched when first needed", f"wortlaut models pull {name}")


def _store(installation: Installation) -> ModelStore:
    return ModelStore(installation.models_dir, is_offline=installation.is_offline)
