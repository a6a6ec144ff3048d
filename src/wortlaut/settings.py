"""This installation: where models lie, which device computes, what may use the network.

Made once at an edge (command line, service, `Transcriber`) and passed in. Read from the environment (`WORTLAUT_...`),
then from a TOML file (`config.toml` in the user's configuration folder, or the file that `WORTLAUT_CONFIG` names).
What one transcription asks for is in `options`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

Device = Literal["auto", "cpu", "cuda"]


def config_file() -> Path:
    """Where the TOML file lies, whether it is there or not."""
    named = os.environ.get("WORTLAUT_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("wortlaut") / "config.toml"


class Sourced(BaseSettings):
    """Where settings come from, said once for all rooms: what is given, then the environment, then the file."""

    model_config = SettingsConfigDict(  # a name without a value, as .env files have them, sets nothing
        env_prefix="WORTLAUT_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given beats the environment beats the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


class Settings(Sourced):
    """Every setting, its default and the names it goes by in the environment."""

    models_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("wortlaut") / "models", description="Where models are kept."
    )
    is_offline: bool = Field(
        default=False,
        validation_alias=AliasChoices("WORTLAUT_OFFLINE", "HF_HUB_OFFLINE", "offline"),
        description="Never use the network; a missing model is an error at once.",
    )
    device: Device = Field(default="auto", description="Where recognition runs: cuda where there is one, else cpu.")
    compute_type: str = Field(default="auto", description="Arithmetic of recognition: int8 on cpu, float16 on cuda.")
    threads: int = Field(default=0, ge=0, description="Processor threads to use; 0: as many as there are cores.")
    batch_size: int = Field(
        default=0, ge=0, description="Windows recognized at once by each worker; 0: chosen for the device."
    )
    idle: float = Field(default=600.0, ge=0, description="Seconds after which a model that nobody uses is let go of.")
    spool_dir: Path | None = Field(default=None, description="Where decoded sound lies while it is worked on.")
    hf_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("WORTLAUT_HF_TOKEN", "HF_TOKEN", "hf_token"),
        description="Token of the model hub; only gated models need one.",
    )
