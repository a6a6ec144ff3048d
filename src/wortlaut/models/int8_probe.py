"""Whether this processor adds up products of 8-bit numbers without overflow.

On x86 processors without VNNI, ONNX Runtime's fastest way adds products of unsigned and signed bytes in pairs, in 16
bits, and large ones are cut off there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

_TERMS = 64  # of the sums that are tried out
_LARGEST_SIGNED, _LARGEST_UNSIGNED = 127, 255


def probe() -> bytes:
    """Return an ONNX model that multiplies what it is given with the largest signed numbers."""
    from onnx import TensorProto  # takes longer to load than to use  # noqa: PLC0415

    from wortlaut.models.graph import Graph  # likewise  # noqa: PLC0415

    graph = Graph("largest numbers")
    codes = graph.constant("codes", np.full((_TERMS, _TERMS), _LARGEST_SIGNED, np.int8))
    asked = graph.add("Cast", "input", "values", to=TensorProto.UINT8)
    sums = graph.add("Cast", "output", graph.add("MatMulInteger", "product", asked, codes), to=TensorProto.FLOAT)
    model = graph.finish(sums, given={"values": [_TERMS, _TERMS]}, made=("sums", [_TERMS, _TERMS]))
    return bytes(model.SerializeToString())


def multiplies_exactly(model: bytes | Path | None = None) -> bool:
    """Try it out, with a `probe` that was kept or a new one."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model or probe()
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    [sums] = session.run(None, {"values": np.full((_TERMS, _TERMS), _LARGEST_UNSIGNED, np.float32)})
    return bool((sums == _LARGEST_UNSIGNED * _LARGEST_SIGNED * _TERMS).all())
