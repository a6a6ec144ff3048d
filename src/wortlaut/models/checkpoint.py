"""Checkpoints, read without PyTorch and without running what is in them.

`read_tensors` gives the tensors as numpy arrays. `inspect` says what a model file of almost any origin is, what is
in it and what loading it in the usual way could do. Whatever is damaged or built to harm ends in `ModelCorrupt`,
in bounded time and memory. Why pickles are interpreted here and not unpickled:
docs/decisions/0002-checkpoints-without-unpickling.md.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wortlaut.errors import ModelCorrupt
from wortlaut.models.archive import Archive
from wortlaut.models.file_kinds import recognize
from wortlaut.models.pickle_reader import Call, Global, Items, Machine, Pairs, Value
from wortlaut.models.torch_file import (
    LEGACY_SIGNATURE,
    MOST_PICKLE_BYTES,
    ZIP_SIGNATURE,
    BoundedStream,
    StoredTensor,
    elements_of,
    open_torch_file,
    tensor_of,
    view_of,
)
from wortlaut.models.verdicts import Verdict, judge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DEEPEST = 64  # containers within containers
_MOST_VISITS = 1_000_000
_MOST_PLAIN_PICKLE_BYTES = 256 << 20
_LONGEST_NAME = 4096
_MOST_HEADER_BYTES = 100 << 20
_ORDERED_DICT = Global("collections", "OrderedDict")


@dataclass(frozen=True, slots=True)
class TensorReport:
    """A tensor: `dtype` as numpy or the format calls it."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GlobalReport:
    """A class or function that loading the file would import."""

    name: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CheckpointReport:
    """What a file is, what it holds and what it could do.

    `problems` are what is wrong with it or could not be looked into. `verdict` is the worst that was found: a
    file with problems is at best unknown.
    """

    format: str
    size_bytes: int
    tensors: tuple[TensorReport, ...] = ()
    globals: tuple[GlobalReport, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Return harmless, unknown or dangerous."""
        verdicts = {named.verdict for named in self.globals}
        if "dangerous" in verdicts:
            return "dangerous"
        return "unknown" if "unknown" in verdicts or self.problems else "harmless"


def read_tensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return the tensors of a PyTorch checkpoint by their names, read-only; bfloat16 becomes float32.

    A name is the keys and positions on the way to the tensor, joined by dots: `state_dict.lstm.bias_hh_l0`.
    Raises `ModelCorrupt`.
    """
    tensors: dict[str, NDArray[np.generic]] = {}
    elements: dict[str, NDArray[np.generic]] = {}
    machine = Machine()
    with _file_errors(path), open_torch_file(path, machine) as file:
        _refuse_danger(path, machine)
        for name, tensor in _tensors_in(file.root):
            key = f"{tensor.storage.key}:{tensor.storage.element}:{tensor.storage.length}"
            if key not in elements:
                elements[key] = elements_of(tensor.storage, file.read_storage(tensor.storage))
            tensors[name] = view_of(tensor, elements[key])
    return tensors


def _refuse_danger(path: Path, machine: Machine) -> None:
    """Nothing would run, but whoever planted it may have touched the weights as well."""
    dangerous = [str(named) for named in machine.globals if judge(named) == "dangerous"]
    if dangerous or machine.patched:
        named = _printable(", ".join(dangerous) or "attributes of classes")
        raise ModelCorrupt(f"{path.name} would reach for {named} when loaded: it was built to do harm.")


def _tensors_in(root: Value) -> Iterator[tuple[str, StoredTensor]]:
    """Walk lists and dicts, in order. A container that is reached twice counts where it is reached first."""
    names: set[str] = set()
    visited: set[int] = set()
    pending: list[tuple[str, int, Value]] = [("", 0, root)]
    while pending:
        name, depth, value = pending.pop()
        tensor = tensor_of(value)
        if tensor:
            if name in names:
                raise ModelCorrupt(f"Two tensors are called {name!r}.")
            names.add(name)
            yield name, tensor
            continue
        children = _children(value)
        if not children or id(value) in visited:
            continue
        visited.add(id(value))
        if depth > _DEEPEST or len(pending) + len(children) > _MOST_VISITS or len(name) > _LONGEST_NAME:
            raise ModelCorrupt("The checkpoint is nested absurdly deep or wide, or its names are absurdly long.")
        prefix = f"{name}." if name else ""
        pending.extend((prefix + key, depth + 1, child) for key, child in reversed(children))


def _children(value: Value) -> list[tuple[str, Value]]:
    """Return what a container holds, by name; of two assignments to one key the later holds."""
    if isinstance(value, Items):
        return [(str(index), child) for index, child in enumerate(value.values)]
    if isinstance(value, Call) and value.function == _ORDERED_DICT:
        value = value.pairs
    if isinstance(value, Pairs):
        return list({_key(key): child for key, child in value.values}.items())
    return []


def _key(key: Value) -> str:
    if isinstance(key, str):
        return key
    return str(key) if isinstance(key, int) and key.bit_length() <= 64 else "?"  # noqa: PLR2004  (longer ones are nonsense)


def inspect(path: Path) -> CheckpointReport:
    """Look into a model file of any kind. Raises `ModelCorrupt` only if the file cannot be opened at all."""
    with _file_errors(path):
        kind = recognize(path)
        findings = _Findings(path, kind.name)
        match kind.container:
            case "zip":
                findings.look_into_archive()
            case "torch-legacy":
                findings.look_into_checkpoint()
            case "pickle":
                findings.look_into_pickle()
            case "safetensors":
                findings.look_into_safetensors()
            case "opaque":
                findings.problems.append(kind.note)
            case "data":
                pass
        return findings.report()


@dataclass(slots=True)
class _Findings:
    """What has been found so far; a problem does not end the search, since danger may stand before it."""

    path: Path
    format: str
    machine: Machine = field(default_factory=Machine)
    tensors: list[TensorReport] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def report(self) -> CheckpointReport:
        patched = [
            GlobalReport(f"{_printable(str(named))} (attributes set)", "dangerous") for named in self.machine.patched
        ]
        named = [GlobalReport(_printable(str(named)), judge(named)) for named in self.machine.globals]
        return CheckpointReport(
            self.format,
            self.path.stat().st_size,
            tuple(self.tensors),
            tuple(sorted([*patched, *named], key=lambda found: found.name)),
            tuple(_printable(problem) for problem in self.problems),
        )

    def look_into_archive(self) -> None:
        with self._noting_problems(), Archive.open(self.path) as archive:
            self.format = _archive_format(archive.names)
            if self.format.startswith("TorchScript"):
                self.problems.append("It holds a program: loading it with torch.jit runs TorchScript.")
            for name in archive.names:
                self._look_into_entry(archive, name)
        if self.format.startswith("PyTorch"):
            self._list_tensors(Machine())  # what the pickle names has been seen

    def _look_into_entry(self, archive: Archive, name: str) -> None:
        with self._noting_problems():
            start = archive.start(name)
            if start.startswith((ZIP_SIGNATURE, LEGACY_SIGNATURE)):
                self.problems.append(f"{name} is an archive of its own that was not looked into.")
            if name.endswith((".pkl", ".pickle")):
                self.machine.read(io.BytesIO(archive.read(name, most_bytes=MOST_PICKLE_BYTES)))
            elif name.endswith(".npy"):
                if b"|O" in start:
                    self.problems.append(f"{name} is an array of objects: loading it unpickles.")
            elif name == "config.json" and b'"Lambda"' in archive.read(name, most_bytes=_MOST_HEADER_BYTES):
                self.problems.append("It holds a Keras Lambda layer, which is code.")

    def look_into_checkpoint(self) -> None:
        self._list_tensors(self.machine)

    def _list_tensors(self, machine: Machine) -> None:
        with self._noting_problems(), open_torch_file(self.path, machine) as file:
            self.tensors.extend(
                TensorReport(_printable(name), tensor.element, tensor.shape) for name, tensor in _tensors_in(file.root)
            )

    def look_into_pickle(self) -> None:
        with self._noting_problems(), self.path.open("rb") as stream:
            self.machine.read(BoundedStream(stream, _MOST_PLAIN_PICKLE_BYTES))
            if stream.read(1):
                self.problems.append("Something follows the pickle that was not looked into.")

    def look_into_safetensors(self) -> None:
        with self._noting_problems(), self.path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > _MOST_HEADER_BYTES:
                raise ModelCorrupt("The header is absurdly long.")
            self.tensors.extend(_safetensors(stream.read(length)))

    @contextmanager
    def _noting_problems(self) -> Iterator[None]:
        try:
            yield
        except ModelCorrupt as error:
            if error.message not in self.problems:
                self.problems.append(error.message)


def _archive_format(names: list[str]) -> str:
    inner = {name.partition("/")[2] for name in names}
    if any(name.startswith("code/") for name in inner):
        return "TorchScript archive"
    if "data.pkl" in inner:
        return "PyTorch checkpoint"
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy archive (npz)"
    return "Keras archive" if "config.json" in names and "model.weights.h5" in names else "zip archive"


def _safetensors(header: bytes) -> list[TensorReport]:
    """Read the header: a JSON object of name -> dtype, shape, data_offsets."""
    try:
        described = json.loads(header)
        return [
            TensorReport(
                _printable(str(name)), _printable(str(tensor["dtype"])), tuple(int(n) for n in tensor["shape"])
            )
            for name, tensor in described.items()
            if name != "__metadata__"
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise ModelCorrupt("The header is damaged.") from error


def _printable(text: str) -> str:
    """Replace what could steer a terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[:500])


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelCorrupt(f"{path} cannot be read: {error.strerror or error}.", hint="Check the path.") from error
