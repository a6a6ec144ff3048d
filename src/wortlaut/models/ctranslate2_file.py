"""CTranslate2's `model.bin`: its weights read by name, and written again.

The format (binary version 6): name and revision of the specification, then each variable with name, shape, type and
bytes, then names that stand for other variables. Source: ctranslate2/specs/model_spec.py, `Model._serialize`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from wortlaut.errors import ModelCorrupt

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEWEST_VERSION = 6
_OLDEST_VERSION = 4  # before, the type of a variable was not written down
_TYPES: dict[int, type[np.generic]] = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_CODES = {kind: code for code, kind in _TYPES.items()}


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: `kind` None is a type that numpy lacks. Its bytes begin at `offset` of the file."""

    shape: tuple[int, ...]
    kind: type[np.generic] | None
    offset: int
    size_bytes: int

    @property
    def is_float(self) -> bool:
        return self.kind in (np.float16, np.float32)


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """What lies where in a `model.bin`. `header` is what comes before the variables, `end` where they end."""

    path: Path
    header: bytes
    variables: Mapping[str, Variable]
    end: int

    @classmethod
    def open(cls, path: Path) -> WeightsFile:
        """Read everything but the weights. Raises `ModelCorrupt` for another format or a file that ends early."""
        with path.open("rb") as stream:
            try:
                version, _specification, _revision = _number(stream, "I"), _text(stream), _number(stream, "I")
                header_bytes = stream.tell()
                if not _OLDEST_VERSION <= version <= _NEWEST_VERSION:
                    raise ModelCorrupt(f"{path} is no CTranslate2 model of a known version: {version}.")
                variables = dict(_variable(stream) for _ in range(_number(stream, "I")))
            except (struct.error, UnicodeDecodeError, ValueError) as fault:
                raise ModelCorrupt(f"{path} is no CTranslate2 model, or ends early: {fault}.") from fault
            end = stream.tell()
            stream.seek(0)
            header = stream.read(header_bytes)
        if end > path.stat().st_size:
            raise ModelCorrupt(f"{path} ends early.")
        return cls(path, header, variables, end)

    def read(self, prefix: str = "") -> dict[str, NDArray[Any]]:
        """Return the weights of the variables whose names start with a prefix, as they are stored.

        Those of a type that numpy lacks are left out.
        """
        with self.path.open("rb") as stream:
            return {
                name: _array(stream, variable, variable.kind)
                for name, variable in self.variables.items()
                if name.startswith(prefix) and variable.kind
            }

    def write_like(self, target: Path, variables: Mapping[str, NDArray[Any]]) -> None:
        """Write a file of the same specification with other variables."""
        with self.path.open("rb") as source, target.open("wb") as stream:
            stream.write(self.header)
            stream.write(struct.pack("<I", len(variables)))
            for name, array in variables.items():
                encoded = name.encode() + b"\0"
                stream.write(struct.pack("<H", len(encoded)) + encoded)
                stream.write(struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape))
                stream.write(struct.pack("<BI", _CODES[array.dtype.type], array.nbytes) + array.tobytes())
            source.seek(self.end)
            stream.write(source.read())


def _variable(stream: BinaryIO) -> tuple[str, Variable]:
    name = _text(stream)
    shape = tuple(_number(stream, "I") for _ in range(_number(stream, "B")))
    kind, size_bytes = _TYPES.get(_number(stream, "B")), _number(stream, "I")
    variable = Variable(shape, kind, stream.tell(), size_bytes)
    stream.seek(size_bytes, 1)
    if kind and np.dtype(kind).itemsize * int(np.prod(shape)) != size_bytes:
        raise ValueError(f"{name} of shape {shape} has {size_bytes} bytes")
    return name, variable


def _array(stream: BinaryIO, variable: Variable, kind: type[np.generic]) -> NDArray[Any]:
    stream.seek(variable.offset)
    return np.frombuffer(stream.read(variable.size_bytes), kind).reshape(variable.shape)


def _number(stream: BinaryIO, code: str) -> int:
    size_bytes = struct.calcsize(f"<{code}")
    return int(struct.unpack(f"<{code}", stream.read(size_bytes))[0])


def _text(stream: BinaryIO) -> str:
    return stream.read(_number(stream, "H")).rstrip(b"\0").decode()
