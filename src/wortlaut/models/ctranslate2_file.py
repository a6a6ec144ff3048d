"""The weights in CTranslate2's `model.bin`, read by name.

The format (binary version 6): name and revision of the specification, then each variable with name, shape, type and
bytes. Source: ctranslate2/specs/model_spec.py, `Model._serialize`.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from wortlaut.errors import ModelCorrupt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wortlaut.models.graph import Tensors

_NEWEST_VERSION = 6
_OLDEST_VERSION = 4  # before, the type of a variable was not written down
_TYPES: dict[int, type[np.generic]] = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_weights(file: Path, prefix: str) -> Tensors:
    """Return the variables whose names start with a prefix, as they are stored; those of an unknown type are left out.

    Raises `ModelCorrupt` for a file of another format or one that ends early.
    """
    with file.open("rb") as stream:
        try:
            version, _specification, _revision = _number(stream, "I"), _text(stream), _number(stream, "I")
            if not _OLDEST_VERSION <= version <= _NEWEST_VERSION:
                raise ModelCorrupt(f"{file} is no CTranslate2 model of a known version: {version}.")
            variables = [_variable(stream, prefix) for _ in range(_number(stream, "I"))]
        except (struct.error, UnicodeDecodeError, ValueError) as fault:
            raise ModelCorrupt(f"{file} is no CTranslate2 model, or ends early: {fault}.") from fault
    return {name: array for name, array in variables if array is not None}


def _variable(stream: BinaryIO, prefix: str) -> tuple[str, NDArray[np.generic] | None]:
    name = _text(stream)
    shape = [_number(stream, "I") for _ in range(_number(stream, "B"))]
    kind, size_bytes = _number(stream, "B"), _number(stream, "I")
    if not name.startswith(prefix) or kind not in _TYPES:
        stream.seek(size_bytes, 1)
        return name, None
    return name, np.frombuffer(stream.read(size_bytes), _TYPES[kind]).reshape(shape)


def _number(stream: BinaryIO, code: str) -> int:
    size_bytes = struct.calcsize(f"<{code}")
    return int(struct.unpack(f"<{code}", stream.read(size_bytes))[0])


def _text(stream: BinaryIO) -> str:
    return stream.read(_number(stream, "H")).rstrip(b"\0").decode()
