"""PyTorch's two file formats: the zip archive (since 1.6) and the older row of pickles.

A zip archive holds `NAME/data.pkl`, a pickle whose persistent references name storages, and the bytes of storage
KEY in `NAME/data/KEY`. The older format is five pickles (a magic number, a version, facts about the machine, the
object, the list of storage keys) and then, in the order of that list, each storage: its number of elements and
its bytes. Reference: pytorch, torch/serialization.py, `_load` and `_legacy_load`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

import numpy as np

from wortlaut.errors import ModelCorrupt
from wortlaut.models.archive import Archive
from wortlaut.models.pickle_reader import Call, Global, Items, Machine, Persistent, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZIP_SIGNATURE = b"PK\x03\x04"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_SIGNATURE = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_LEGACY_PROTOCOL = 1001

MOST_PICKLE_BYTES = 64 << 20
_MOST_STORAGE_BYTES = 16 << 30
_MOST_DIMENSIONS = 32  # numpy 1's limit
_LARGEST = 1 << 48  # elements, offsets and strides beyond this are nonsense

_BFLOAT16 = "bfloat16"
_STORAGES: Mapping[str, str] = MappingProxyType(
    {
        "DoubleStorage": "<f8",
        "FloatStorage": "<f4",
        "HalfStorage": "<f2",
        "BFloat16Storage": _BFLOAT16,
        "LongStorage": "<i8",
        "IntStorage": "<i4",
        "ShortStorage": "<i2",
        "CharStorage": "|i1",
        "ByteStorage": "|u1",
        "BoolStorage": "|b1",
        "ComplexFloatStorage": "<c8",
        "ComplexDoubleStorage": "<c16",
    }
)
_REBUILD = frozenset({Global("torch._utils", "_rebuild_tensor_v2"), Global("torch._utils", "_rebuild_tensor")})
_PARAMETER = Global("torch._utils", "_rebuild_parameter")


@dataclass(frozen=True, slots=True)
class Storage:
    """A flat run of elements outside the pickle."""

    key: str
    element: str  # numpy's name of the type, or bfloat16
    length: int  # elements

    @property
    def size_bytes(self) -> int:
        """How many bytes the elements take."""
        return self.length * _element_bytes(self.element)


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A view of a storage, as the pickle describes it; offset and strides are in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def element(self) -> str:
        """The type of an element, as numpy calls it; bfloat16 is read as float32."""
        return _BFLOAT16 if self.storage.element == _BFLOAT16 else np.dtype(self.storage.element).name


@dataclass(frozen=True, slots=True)
class TorchFile:
    """An open checkpoint: what its pickle describes, and how to read the bytes of a storage."""

    root: Value
    read_storage: Callable[[Storage], bytes]


@contextmanager
def open_torch_file(path: Path, machine: Machine) -> Iterator[TorchFile]:
    """Read the pickle of a checkpoint; storages are read on demand. Raises `ModelCorrupt`."""
    with path.open("rb") as stream:
        start = stream.read(len(LEGACY_SIGNATURE))
    if start.startswith(ZIP_SIGNATURE):
        with Archive.open(path) as archive:
            yield _from_archive(archive, machine)
    elif start == LEGACY_SIGNATURE:
        with path.open("rb") as stream:
            yield _from_legacy(stream, machine)
    else:
        raise ModelCorrupt(f"{path.name} is no PyTorch checkpoint.")


def _from_archive(archive: Archive, machine: Machine) -> TorchFile:
    pickles = [name for name in archive.names if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ModelCorrupt("The archive is no PyTorch checkpoint: it has no data.pkl, or several.")
    folder = pickles[0].removesuffix("data.pkl")
    byteorder = f"{folder}byteorder"
    if byteorder in archive.names and archive.read(byteorder, most_bytes=16) != b"little":
        raise ModelCorrupt("The checkpoint was written on a big-endian machine.")
    root = machine.read(io.BytesIO(archive.read(pickles[0], most_bytes=MOST_PICKLE_BYTES)))
    return TorchFile(root, lambda storage: archive.read(f"{folder}data/{storage.key}", most_bytes=_MOST_STORAGE_BYTES))


def _from_legacy(stream: IO[bytes], machine: Machine) -> TorchFile:
    window = BoundedStream(stream, MOST_PICKLE_BYTES)
    magic, protocol, _, root, keys = (machine.read(window) for _ in range(5))
    if magic != LEGACY_MAGIC or protocol != _LEGACY_PROTOCOL or not isinstance(keys, Items):
        raise ModelCorrupt("The checkpoint is of no version that is known.")
    storages = {storage.key: storage for storage in map(storage_of, machine.references)}
    places = _locate(stream, [str(key) for key in keys.values if isinstance(key, str)], storages)

    def read(storage: Storage) -> bytes:
        if storage.key not in places:
            raise ModelCorrupt(f"The checkpoint has no storage {storage.key!r}.")
        stream.seek(places[storage.key])
        return stream.read(storage.size_bytes)

    return TorchFile(root, read)


def _locate(stream: IO[bytes], keys: list[str], storages: Mapping[str, Storage]) -> dict[str, int]:
    """Return where each storage's bytes begin."""
    places = {}
    end_bytes = _end_of(stream)
    for key in keys:
        length = int.from_bytes(stream.read(8), "little", signed=True)
        storage = storages.get(key)
        if storage is None or storage.length != length:
            raise ModelCorrupt(f"Storage {key!r} is not what the checkpoint's pickle says.")
        places[key] = stream.tell()
        if places[key] + storage.size_bytes > end_bytes:
            raise ModelCorrupt("The checkpoint is cut off.")
        stream.seek(storage.size_bytes, io.SEEK_CUR)
    return places


def _end_of(stream: IO[bytes]) -> int:
    here = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(here)
    return end


class BoundedStream:
    """The pickle part of a larger file: no step of a pickle may read the rest of it into memory."""

    def __init__(self, stream: IO[bytes], most_bytes: int) -> None:
        self._stream = stream
        self._end = stream.tell() + most_bytes

    def read(self, size: int, /) -> bytes:
        return self._stream.read(max(0, min(size, self._end - self._stream.tell())))

    def readline(self) -> bytes:
        return self._stream.readline(max(0, self._end - self._stream.tell()))

    def tell(self) -> int:
        return self._stream.tell()


def tensor_of(value: Value) -> StoredTensor | None:
    """Return the tensor that a call would rebuild, None if it rebuilds something else.

    Raises `ModelCorrupt` if the tensor does not lie within its storage.
    """
    if not isinstance(value, Call) or not isinstance(value.arguments, Items):
        return None
    arguments = value.arguments.values
    if value.function == _PARAMETER and arguments:
        return tensor_of(arguments[0]) if arguments[0] is not value else None
    if value.function not in _REBUILD:
        return None
    if len(arguments) < 4 or not isinstance(arguments[0], Persistent):  # noqa: PLR2004  (storage, offset, shape, strides)
        raise ModelCorrupt("A tensor lacks its storage or its shape.")
    storage = storage_of(arguments[0])
    tensor = StoredTensor(storage, _size(arguments[1]), _sizes(arguments[2]), _sizes(arguments[3]))
    _require_within_storage(tensor)
    return tensor


def storage_of(persistent: Persistent) -> Storage:
    """Return the storage that a reference names. Raises `ModelCorrupt`."""
    reference = persistent.reference
    match reference.values if isinstance(reference, Items) else ():
        case ["storage", Global(module="torch", name=kind), str(key), str(), int(length), *rest] if (
            kind in _STORAGES and all(part is None for part in rest)
        ):
            return Storage(key, _STORAGES[kind], _size(length))
        case _:
            raise ModelCorrupt("A tensor has a storage of an unknown kind.")


def _size(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise ModelCorrupt("A tensor has an absurd size, offset or stride.")
    return value


def _sizes(value: Value) -> tuple[int, ...]:
    if not isinstance(value, Items) or len(value.values) > _MOST_DIMENSIONS:
        raise ModelCorrupt("A tensor has an absurd shape.")
    return tuple(_size(size) for size in value.values)


def _require_within_storage(tensor: StoredTensor) -> None:
    """Refuse what would read beside the storage, or more elements than the storage has (an expanded view)."""
    elements = 1
    for size in tensor.shape:
        elements *= size  # at most 32 factors of 48 bits
    if len(tensor.shape) != len(tensor.strides):
        raise ModelCorrupt("A tensor has not as many strides as dimensions.")
    if elements == 0:
        return
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if last >= tensor.storage.length or elements > tensor.storage.length:
        raise ModelCorrupt("A tensor reaches beyond its storage.")


def elements_of(storage: Storage, raw: bytes) -> NDArray[np.generic]:
    """Return the elements of a storage; bfloat16 becomes float32, exactly. Raises `ModelCorrupt`."""
    if len(raw) < storage.size_bytes:
        raise ModelCorrupt(f"Storage {storage.key!r} is cut off.")
    if storage.element == _BFLOAT16:
        upper = np.frombuffer(raw, "<u2", count=storage.length).astype("<u4")
        return (upper << np.uint32(16)).view("<f4")
    return np.frombuffer(raw, storage.element, count=storage.length)


def view_of(tensor: StoredTensor, elements: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return a tensor, shape as stored, as a read-only view of its storage's elements."""
    if 0 in tensor.shape:
        return np.zeros(tensor.shape, elements.dtype)
    strides = [stride * elements.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(elements[tensor.offset :], tensor.shape, strides, writeable=False)


def _element_bytes(element: str) -> int:
    return 2 if element == _BFLOAT16 else np.dtype(element).itemsize
