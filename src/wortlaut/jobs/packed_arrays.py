"""NumPy arrays as JSON, exactly, and without their zeros taking room."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PackedArray:
    """`content` is the compressed bytes of the array in C order, as base64."""

    dtype: str
    shape: tuple[int, ...]
    content: str


def packed(arrays: Sequence[NDArray[Any]]) -> list[PackedArray]:
    """Pack arrays of numbers."""
    return [
        PackedArray(each.dtype.str, each.shape, base64.b64encode(zlib.compress(each.tobytes(), 1)).decode())
        for each in arrays
    ]


def unpacked(arrays: Sequence[PackedArray]) -> tuple[NDArray[Any], ...]:
    """Return what was packed; arrays that nobody may write to."""
    return tuple(
        np.frombuffer(zlib.decompress(base64.b64decode(each.content)), each.dtype).reshape(each.shape)
        for each in arrays
    )
