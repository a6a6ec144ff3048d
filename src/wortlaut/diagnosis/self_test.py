"""One real operation on each device, in a process of its own: `python -m wortlaut.diagnosis.self_test ENGINE DEVICE`.

Native libraries that miss a part do not raise, they abort the process. So this is run as a child, and every line it
writes counts at once: `{"arithmetic": "int8", "error": null}`. What it did not come to write has crashed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wortlaut.native import preload_nvidia_libraries

WIDTH = 16
MEL_BINS = 80
FRAMES = 100
HIDDEN = 4 * WIDTH
VOCABULARY = 8
CONTEXT = 50

SHAPES: dict[str, tuple[int, ...]] = {
    "conv1/weight": (WIDTH, MEL_BINS, 3),
    "conv2/weight": (WIDTH, WIDTH, 3),
    "self_attention/linear_0/weight": (3 * WIDTH, WIDTH),
    "self_attention/linear_1/weight": (WIDTH, WIDTH),
    "attention/linear_0/weight": (WIDTH, WIDTH),
    "attention/linear_1/weight": (2 * WIDTH, WIDTH),
    "attention/linear_2/weight": (WIDTH, WIDTH),
    "ffn/linear_0/weight": (HIDDEN, WIDTH),
    "ffn/linear_1/weight": (WIDTH, HIDDEN),
    "embeddings/weight": (VOCABULARY, WIDTH),
    "projection/weight": (VOCABULARY, WIDTH),
    "gamma": (WIDTH,),
    "beta": (WIDTH,),
}
"""A Whisper with one layer and 16 dimensions: by the ends of the names of its variables."""

Outcome = tuple[str, str | None]


def try_ctranslate2(device: str) -> Iterator[Outcome]:
    """Encode noise with a tiny Whisper in every arithmetic the device has: convolution, matrix product, softmax."""
    import ctranslate2  # noqa: PLC0415 the test is whether this, too, works

    noise = np.random.default_rng(0).standard_normal((1, MEL_BINS, FRAMES), dtype=np.float32)
    with tempfile.TemporaryDirectory(prefix="wortlaut-") as folder:
        save_tiny_whisper(Path(folder))
        for arithmetic in sorted(ctranslate2.get_supported_compute_types(device)):
            try:
                model = ctranslate2.models.Whisper(folder, device=device, compute_type=arithmetic, intra_threads=1)
                states = model.encode(ctranslate2.StorageView.from_array(noise), to_cpu=True)
                states = states.to(ctranslate2.DataType.float32)
                yield arithmetic, None if np.isfinite(np.array(states)).all() else "the result is not a number"
            except (RuntimeError, ValueError) as error:
                yield arithmetic, str(error)


def try_onnxruntime(_: str) -> Iterator[Outcome]:
    """Multiply two matrices."""
    import onnxruntime  # noqa: PLC0415 the test is whether this, too, works

    session = onnxruntime.InferenceSession(matrix_product(), providers=["CPUExecutionProvider"])
    ones = np.ones((2, 2), np.float32)
    (product,) = session.run(None, {"a": ones, "b": ones})
    yield "float32", None if np.array_equal(product, 2 * ones) else "the result is wrong"


ENGINES = {"ctranslate2": try_ctranslate2, "onnxruntime": try_onnxruntime}


def save_tiny_whisper(folder: Path) -> None:
    """Write a model of random weights in CTranslate2's format."""
    from ctranslate2.specs import WhisperSpec  # noqa: PLC0415 as above
    from ctranslate2.specs.model_spec import visit_spec  # noqa: PLC0415 as above

    rng = np.random.default_rng(0)
    spec = WhisperSpec(num_encoder_layers=1, num_encoder_heads=2, num_decoder_layers=1, num_decoder_heads=2)

    def fill(part: object, name: str, value: object) -> None:
        if value is None:
            attribute = name.rpartition("/")[2]
            setattr(part, attribute, _weights(rng, next(s for end, s in SHAPES.items() if name.endswith(end))))

    visit_spec(spec, fill)
    for part in (spec.encoder, spec.decoder):
        part.position_encodings.encodings = _weights(rng, (CONTEXT, WIDTH))
    spec.register_vocabulary([f"<{number}>" for number in range(VOCABULARY)])
    spec.validate()
    spec.save(str(folder))


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return 0.1 * rng.standard_normal(shape, dtype=np.float32)


def matrix_product() -> bytes:
    """Return an ONNX model of one node: c = a @ b."""
    from onnx import TensorProto, helper  # noqa: PLC0415 as above

    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "abc"}
    node = helper.make_node("MatMul", ["a", "b"], ["c"])
    graph = helper.make_graph([node], "product", [values["a"], values["b"]], [values["c"]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    serialized: bytes = model.SerializeToString()
    return serialized


def main(engine: str, device: str) -> None:
    """Write a line for every arithmetic as soon as it is known."""
    # CTranslate2's tools for making models import torch where they find it: seconds, and nothing we need.
    sys.modules["torch"] = None  # type: ignore[assignment]  # how Python is told that a module is not there
    preload_nvidia_libraries()
    for arithmetic, error in ENGINES[engine](device):
        sys.stdout.write(json.dumps({"arithmetic": arithmetic, "error": error}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
