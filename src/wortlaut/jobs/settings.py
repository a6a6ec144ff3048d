"""Settings of everybody who touches jobs: where they lie, and how patiently they are worked on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs
from pydantic import AliasChoices, Field, SecretStr

from wortlaut.settings import Sourced

PERFORMER = "wortlaut.jobs.transcribing:open_performer"
"""What a child process works with, as module:callable."""

OLD_NAMES = {
    "WHISPERX_DEVICE": "WORTLAUT_DEVICE",
    "ASR_DEVICE": "WORTLAUT_DEVICE",
    "WHISPER_DEVICE": "WORTLAUT_DEVICE",
    "WHISPERX_COMPUTE_TYPE": "WORTLAUT_COMPUTE_TYPE",
    "ASR_QUANTIZATION": "WORTLAUT_COMPUTE_TYPE",
    "WHISPER_COMPUTE_TYPE": "WORTLAUT_COMPUTE_TYPE",
    "WHISPERX_BATCH_SIZE": "WORTLAUT_BATCH_SIZE",
    "WHISPER_BATCH_SIZE": "WORTLAUT_BATCH_SIZE",
    "MODEL_IDLE_TIMEOUT": "WORTLAUT_IDLE",
}
"""Environment variables of the services that this one replaces, and what they are called here; later ones win."""

WITHOUT_EFFECT = {
    "ASR_ENGINE": "Recognition is Wortlaut's own.",
    "ASR_MODEL_PATH": "WORTLAUT_MODELS_DIR says where models lie.",
    "SAMPLE_RATE": "Sound of any rate is worked on at 16 kHz.",
}
"""Variables of those services that nothing here asks for, and why."""

_NEVER = str(10**9)
"""Seconds that do not pass."""


class JobSettings(Sourced):
    """Every setting, its default and the names it goes by in the environment."""

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("wortlaut") / "service",
        description="Where the embedded database and the media and results lie, unless the next two say otherwise.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("WORTLAUT_DATABASE_URL", "DATABASE_URL"),
        description="PostgreSQL to use, postgresql://...; without it the service starts its own.",
    )
    storage_url: str | None = Field(
        default=None, description="Folder or s3://bucket/prefix for media and results; `objects` in the data folder."
    )
    workers: int = Field(default=1, ge=0, description="Jobs worked on at once, each in a process of its own.")
    max_attempts: int = Field(default=5, ge=1, description="Attempts a job gets to get any further.")
    max_duration: float = Field(
        default=0.0, ge=0, description="Seconds of the longest recording; above: 413. 0: any length."
    )
    silence: float = Field(
        default=600.0, gt=0, description="Seconds a working process may report nothing before it counts as hung."
    )
    child_idle: float = Field(
        default=600.0,
        ge=0,
        validation_alias=AliasChoices("WORTLAUT_CHILD_IDLE", "MODEL_IDLE_TIMEOUT", "child_idle"),
        description="Seconds without work after which a process ends and gives its memory back. 0: never.",
    )
    warms_up: bool = Field(default=True, description="Fetch and load the default model at the start.")
    retry_wait: float = Field(default=2.0, ge=0, description="Seconds before the first retry; doubled for each more.")
    heartbeat: float = Field(default=5.0, gt=0, description="Seconds between the signs of life of a worker.")
    stalled_after: float = Field(
        default=30.0,
        gt=0,
        description="Seconds without a sign of life after which a worker's jobs are given to others.",
    )
    caches: bool = Field(
        default=True,
        validation_alias=AliasChoices("WORTLAUT_CACHE", "cache"),
        description="Answer the same recording with the same options from an earlier result, whoever asked for that.",
    )
    retention_hours: float = Field(
        default=168.0, ge=0, description="Hours that a finished job is kept; 0: until somebody deletes it."
    )
    webhook_secret: SecretStr | None = Field(default=None, description="Signs webhooks; without it there are none.")
    allows_private_addresses: bool = Field(
        default=False,
        description="Go to addresses of the own network too, for recordings and webhooks. For closed networks only.",
    )
    performer: str = Field(
        default=PERFORMER, description="What a working process works with, module:callable; for tests."
    )

    @property
    def storage(self) -> Path | str:
        """Where media and results lie."""
        return self.storage_url or self.data_dir / "objects"


def translate_old_names(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment with old names also under their new ones; a new name that is set wins."""
    renamed = {new: environment[old] for old, new in OLD_NAMES.items() if environment.get(old)}
    if renamed.get("WORTLAUT_IDLE") == "0":  # which meant that models stay
        renamed["WORTLAUT_IDLE"] = _NEVER
    return {**renamed, **{name: value for name, value in environment.items() if value or name not in renamed}}


def without_effect(environment: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """Return the old variables that are set and that nothing here asks for, and why."""
    return {name: why for name, why in WITHOUT_EFFECT.items() if environment.get(name)}
