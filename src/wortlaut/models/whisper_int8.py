"""A Whisper taken apart for int8 on a CPU: ONNX Runtime gets the encoder, CTranslate2 the decoder.

Both are made out of the same `model.bin`. That takes longer than to recognize ten seconds, so they are kept in the
model's folder. CTranslate2 would round the same weights to the same numbers at each start; of these it reads them as
they are, and the encoder's, which it does not use, are left out but for one layer, without which it refuses the file.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wortlaut.models.ctranslate2_file import WeightsFile
from wortlaut.models.integrity import Manifest
from wortlaut.models.keeping import INT8_PARTS, find_kept, keep
from wortlaut.onnx_session import multiplies_exactly
from wortlaut.recognition.model import Int8Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_WEIGHTS = 100_000_000
"""Numbers in the encoder's weights, a byte each: tiny, base and small pass. The encoders of larger models were not
measured, and two files more of them on disk are gigabytes."""

_WAY = "int8, 1"
"""To be changed with whatever changes the parts: those that are kept are then made again."""

_ORIGINAL, _ENCODER, _WEIGHTS = "model.bin", "encoder.onnx", "model.bin"
_LARGEST = np.float32(127.0)  # of an int8


def int8_parts(folder: Path) -> Int8Parts | None:
    """Return the parts of a model folder; None where CTranslate2 should do all of it.

    That is so for large models, for weights that are stored in int8 already, and for processors whose int8 sums
    overflow. Parts are kept in folders with checksums on record, those of the store; for any other folder the encoder
    is made each time. Raises `ModelCorrupt`.
    """
    if not multiplies_exactly():
        return None
    made_of = _made_of(folder)
    kept = find_kept(folder / INT8_PARTS, made_of) if made_of else None
    if kept:
        return _parts_in(kept)
    original = WeightsFile.open(folder / _ORIGINAL)
    if not _is_worth_it(original):
        return None
    try:
        kept = keep(folder / INT8_PARTS, made_of, partial(_make, original)) if made_of else None
        return _parts_in(kept) if kept else Int8Parts(_encoder(original))
    except KeyError:  # an architecture of which not all is known here
        return None


def _parts_in(kept: Path) -> Int8Parts:
    return Int8Parts(kept / _ENCODER, kept / _WEIGHTS)


def _made_of(folder: Path) -> str | None:
    """Name the original by the checksum on record, and the way the parts are made."""
    manifest = Manifest.read(folder)
    record = manifest.files.get(_ORIGINAL) if manifest else None
    return f"{record.sha256}, {_WAY}" if record else None


def _is_worth_it(original: WeightsFile) -> bool:
    weights = {name: one for name, one in original.variables.items() if name.endswith("/weight")}
    encoder_size = sum(int(np.prod(one.shape)) for name, one in weights.items() if name.startswith("encoder/"))
    has_floats = all(one.is_float for one in weights.values())
    has_all_types = all(one.kind for one in original.variables.values())
    return has_floats and has_all_types and encoder_size <= LARGEST_WEIGHTS


def _make(original: WeightsFile, into: Path) -> None:
    (into / _ENCODER).write_bytes(_encoder(original))
    original.write_like(into / _WEIGHTS, _rounded(original))


def _encoder(original: WeightsFile) -> bytes:
    from wortlaut.models.whisper_encoder_graph import whisper_encoder_graph  # loads onnx  # noqa: PLC0415

    return bytes(whisper_encoder_graph(original.read("encoder/")).SerializeToString())


def _rounded(original: WeightsFile) -> dict[str, NDArray[Any]]:
    """Return the variables with all matrices in int8, as CTranslate2 has them in memory."""
    rounded: dict[str, NDArray[Any]] = {}
    for name, array in original.read().items():
        if not _is_of_unused_layer(name):
            is_matrix = name.endswith("/weight") and "conv" not in name
            rounded |= _with_scale(name, array.astype(np.float32)) if is_matrix else {name: array}
    return rounded


def _is_of_unused_layer(name: str) -> bool:
    layer = name.removeprefix("encoder/").partition("/")[0]
    return name.startswith("encoder/layer_") and layer not in ("layer_0", "layer_norm")


def _with_scale(name: str, weight: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Return int8 numbers, rows of which were multiplied by `NAME_scale`. Source: ctranslate2/specs/model_spec.py."""
    largest = np.abs(weight).max(axis=1)
    scale = _LARGEST / np.where(largest == 0, _LARGEST, largest)
    return {name: np.rint(weight * scale[:, None]).astype(np.int8), f"{name}_scale": scale.astype(np.float32)}
