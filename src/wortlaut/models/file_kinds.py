"""What a model file is, told from its first bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wortlaut.models.torch_file import LEGACY_SIGNATURE, ZIP_SIGNATURE

Container = Literal["zip", "torch-legacy", "pickle", "safetensors", "data", "opaque"]


@dataclass(frozen=True, slots=True)
class FileKind:
    """`container` says how to look into the file: `data` holds nothing that could run, `opaque` is not looked into."""

    name: str
    container: Container
    note: str = ""


_HEAD_BYTES = 512
_COMPRESSED = "Compressed: it was not looked into. Unpack it and inspect what comes out."
_SIGNATURES: Sequence[tuple[bytes, FileKind]] = (
    (ZIP_SIGNATURE, FileKind("zip archive", "zip")),
    (LEGACY_SIGNATURE, FileKind("PyTorch checkpoint (before 1.6)", "torch-legacy")),
    (b"GGUF", FileKind("GGUF", "data")),
    (b"lmgg", FileKind("GGML (whisper.cpp)", "data")),
    (b"\x93NUMPY", FileKind("NumPy array", "opaque", "An array of objects would hold a pickle.")),
    (
        b"\x89HDF\r\n\x1a\n",
        FileKind("HDF5 (Keras)", "opaque", "It was not looked into: a Keras Lambda layer in it would hold code."),
    ),
    (b"\x1f\x8b", FileKind("gzip", "opaque", _COMPRESSED)),
    (b"BZh", FileKind("bzip2", "opaque", _COMPRESSED)),
    (b"\xfd7zXZ", FileKind("xz", "opaque", _COMPRESSED)),
    (b"\x78\x9c", FileKind("zlib (joblib)", "opaque", _COMPRESSED)),
    (b"\x28\xb5\x2f\xfd", FileKind("Zstandard", "opaque", _COMPRESSED)),
    (b"7z\xbc\xaf\x27\x1c", FileKind("7-Zip archive", "opaque", _COMPRESSED)),
)
_UNKNOWN = FileKind("unknown", "opaque", "The format is not known, so nothing can be said about what loading it does.")
_PATTERNS: Sequence[tuple[re.Pattern[bytes], FileKind]] = (
    (re.compile(rb".{4}TFL3", re.DOTALL), FileKind("TensorFlow Lite", "data")),
    (
        re.compile(rb".{257}ustar", re.DOTALL),
        FileKind("tar archive", "opaque", "It was not looked into. Unpack it and inspect what comes out."),
    ),
    # version, length of the name, name of the model's specification
    (re.compile(rb"[\x01-\x20]\0\0\0..[A-Za-z0-9]{3,60}Spec\0", re.DOTALL), FileKind("CTranslate2", "data")),
    # ir_version, then the producer, the graph or the operator sets
    (re.compile(rb"\x08[\x01-\x20](?:\x12|\x3a|\x42)", re.DOTALL), FileKind("ONNX", "data")),
    # a protocol, or the first opcode of the oldest one
    (re.compile(rb"\x80[\x00-\x05]|[(}\]cIKNSUVX]"), FileKind("pickle", "pickle")),
)


def recognize(path: Path) -> FileKind:
    """Say what a file is. An unknown file is tried as a pickle, since an old pickle begins with any of many bytes."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    known = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)
    if known is None and _is_safetensors(head, path.stat().st_size):
        return FileKind("safetensors", "safetensors")
    return known or next((kind for pattern, kind in _PATTERNS if pattern.match(head)), _UNKNOWN)


def _is_safetensors(head: bytes, size_bytes: int) -> bool:
    if len(head) < 9 or head[8:9] != b"{":  # noqa: PLR2004  (the length of the header, then JSON)
        return False
    (length,) = struct.unpack_from("<Q", head)
    return bool(length + 8 <= size_bytes)
