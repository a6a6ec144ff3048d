"""Checkpoints into ONNX files, without PyTorch.

Done once, when a model is fetched; the same checkpoint gives the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from wortlaut.errors import ModelCorrupt
from wortlaut.models.campplus_graph import campplus_graph
from wortlaut.models.checkpoint import read_tensors
from wortlaut.models.segmentation_graph import segmentation_graph

if TYPE_CHECKING:
    from onnx import ModelProto

    from wortlaut.models.graph import Tensors

GRAPHS: Mapping[str, Callable[[Tensors], ModelProto]] = MappingProxyType(
    {
        "segmentation": segmentation_graph,
        "campplus": campplus_graph,
    }
)
"""What builds the graph of each architecture."""


def convert(architecture: str, checkpoint: Path, product: Path) -> None:
    """Write the ONNX file of a checkpoint. Raises `ModelCorrupt` if it is not of this architecture."""
    tensors = read_tensors(checkpoint)
    try:
        model = GRAPHS[architecture](tensors)
    except (KeyError, ValueError, IndexError) as error:
        raise ModelCorrupt(f"{checkpoint.name} is no {architecture} checkpoint: {error}.") from error
    product.write_bytes(model.SerializeToString(deterministic=True))
