"""Which files make a pyannote pipeline, where they come from, and what their config.yaml may say.

A config.yaml names Python classes, and pyannote imports and calls whatever stands there. So it is read here, as plain
data, and only what describes a speaker diarization gets through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wortlaut.errors import CheckpointRefused, ModelCorrupt, ModelMissing

CONFIG = "config.yaml"
WEIGHTS = "pytorch_model.bin"
PLDA = ("plda.npz", "xvec_transform.npz")

PIPELINE_CLASSES = ("pyannote.audio.pipelines.SpeakerDiarization", "SpeakerDiarization")
MODEL_PARAMETERS = ("segmentation", "embedding", "plda")

PLAIN_PARAMETERS = (
    "clustering",
    "segmentation_step",
    "segmentation_batch_size",
    "embedding_batch_size",
    "embedding_exclude_overlap",
)
"""Parameters of the pipeline class that are numbers, words or truth values: they can name no code."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository on the model hub."""

    repository: str
    path: str
    is_gated: bool = True


@dataclass(frozen=True, slots=True)
class HubPipeline:
    """A pipeline on the model hub. `plda` is empty where its clustering uses none."""

    name: str
    config: HubFile
    segmentation: HubFile
    embedding: HubFile
    plda: tuple[HubFile, ...] = ()
    minimum_pyannote: tuple[int, ...] = (3, 3, 2)
    size_bytes: int = 33_000_000
    """Of all files, as they lay on the hub: a segmentation of 6 MB and an embedding of 27 MB in either pipeline."""

    @property
    def files(self) -> tuple[HubFile, ...]:
        """All of them."""
        return (self.config, self.segmentation, self.embedding, *self.plda)

    @property
    def gated(self) -> tuple[HubFile, ...]:
        """One file of each repository whose terms must be accepted."""
        return tuple({file.repository: file for file in self.files if file.is_gated}.values())


def _community_1() -> HubPipeline:
    name = "pyannote/speaker-diarization-community-1"
    return HubPipeline(
        name,
        HubFile(name, CONFIG),
        HubFile(name, f"segmentation/{WEIGHTS}"),
        HubFile(name, f"embedding/{WEIGHTS}"),
        tuple(HubFile(name, f"plda/{file}") for file in PLDA),
        minimum_pyannote=(4,),  # VBx clustering came with 4.0
    )


def _speaker_diarization_3_1() -> HubPipeline:
    name = "pyannote/speaker-diarization-3.1"
    return HubPipeline(
        name,
        HubFile(name, CONFIG),
        HubFile("pyannote/segmentation-3.0", WEIGHTS),
        HubFile("pyannote/wespeaker-voxceleb-resnet34-LM", WEIGHTS, is_gated=False),
    )


HUB_PIPELINES = MappingProxyType({known.name: known for known in (_community_1(), _speaker_diarization_3_1())})


@dataclass(frozen=True, slots=True)
class PipelineFiles:
    """The files of a pipeline on this machine. `plda` is a folder, or None where the clustering uses none."""

    config: Path
    segmentation: Path
    embedding: Path
    plda: Path | None = None


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """What config.yaml says: plain parameters of the class, where its models lie, and the values found by training."""

    parameters: Mapping[str, object] = field(default_factory=dict)
    models: Mapping[str, object] = field(default_factory=dict)
    hyperparameters: Mapping[str, object] = field(default_factory=dict)


def read_config(file: Path) -> PipelineConfig:
    """Read a config.yaml as data.

    Raises `ModelMissing`, `ModelCorrupt` if it is no config of a pipeline, or `CheckpointRefused` if it names a class
    other than pyannote's speaker diarization.
    """
    document = _document(file)
    pipeline = document["pipeline"]
    if pipeline.get("name") not in PIPELINE_CLASSES or "preprocessors" in document:
        raise CheckpointRefused(
            f"{file} names other Python code than pyannote's speaker diarization: {pipeline.get('name')!r}.",
            hint=f"Only {PIPELINE_CLASSES[0]} without preprocessors is run. Look into the file before you trust it.",
        )
    given = pipeline.get("params") or {}
    return PipelineConfig(
        {key: given[key] for key in PLAIN_PARAMETERS if key in given},
        {key: given[key] for key in MODEL_PARAMETERS if key in given},
        document.get("params") or {},
    )


def _document(file: Path) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 PyYAML carries no types, and comes with the extra

    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelMissing(f"{file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelCorrupt(f"{file} is no YAML.") from error
    if not isinstance(document, dict) or not isinstance(document.get("pipeline"), dict):
        raise ModelCorrupt(f"{file} is no config of a pyannote pipeline.")
    return document


def files_in(folder: Path) -> PipelineFiles:
    """Find the files of a pipeline in a local folder.

    Models lie where config.yaml says (`$model/segmentation`, or a path relative to the folder), else in
    `segmentation/`, `embedding/` and `plda/`. Raises like `read_config`.
    """
    config = folder / CONFIG
    models = read_config(config).models
    plda = _place(folder, models.get("plda"), "plda")
    return PipelineFiles(
        config,
        _weights(_place(folder, models.get("segmentation"), "segmentation"), config),
        _weights(_place(folder, models.get("embedding"), "embedding"), config),
        plda if all((plda / file).is_file() for file in PLDA) else None,
    )


def _place(folder: Path, named: object, role: str) -> Path:
    text = named.get("checkpoint") if isinstance(named, dict) else named
    if isinstance(text, str):
        place = folder / text.removeprefix("$model/")
        if place.exists():
            return place
    return folder / role


def _weights(place: Path, config: Path) -> Path:
    file = place / WEIGHTS if place.is_dir() else place
    if not file.is_file():
        raise ModelMissing(
            f"{config} needs {file}, which is not there.",
            hint="Put the file there, or write its path, relative to the folder, into config.yaml.",
        )
    return file
