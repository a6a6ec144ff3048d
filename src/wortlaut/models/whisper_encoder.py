"""Whether ONNX Runtime should encode for a Whisper on this machine, and if so, the graph for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto

from wortlaut.models.ctranslate2_file import read_weights
from wortlaut.models.graph import Graph
from wortlaut.models.whisper_encoder_graph import whisper_encoder_graph

LARGEST_WEIGHTS = 100_000_000
"""Numbers in the encoder's weights, a byte each. CTranslate2 keeps its own copy, so that of a large model is not
doubled: tiny, base and small pass."""

_TERMS = 64  # of the sums that are tried out


def encoder_graph(folder: Path) -> bytes | None:
    """Return the int8 graph of the encoder of a model folder, serialized; None where CTranslate2 should encode.

    That is so for large models, for weights that are stored in int8 already, and for processors whose int8 sums
    overflow. Raises `ModelCorrupt`.
    """
    weights = read_weights(folder / "model.bin", "encoder/")
    size = sum(array.size for name, array in weights.items() if name.endswith("/weight"))
    has_floats = all(array.dtype in (np.float16, np.float32) for name, array in weights.items() if array.ndim > 1)
    if not has_floats or size > LARGEST_WEIGHTS or not multiplies_exactly():
        return None
    try:
        return bytes(whisper_encoder_graph(weights).SerializeToString())
    except KeyError:  # an architecture of which not all is known here
        return None


def multiplies_exactly() -> bool:
    """Whether products of the largest numbers add up: on processors without VNNI, pairs of them overflow 16 bits."""
    graph = Graph("largest numbers")
    codes = graph.constant("codes", np.full((_TERMS, _TERMS), 127, np.int8))
    asked = graph.add("Cast", "input", "values", to=TensorProto.UINT8)
    sums = graph.add("Cast", "output", graph.add("MatMulInteger", "product", asked, codes), to=TensorProto.FLOAT)
    model = graph.finish(sums, given={"values": [_TERMS, _TERMS]}, made=("sums", [_TERMS, _TERMS]))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"values": np.full((_TERMS, _TERMS), 255, np.float32)})
    return bool((found == 255 * 127 * _TERMS).all())
