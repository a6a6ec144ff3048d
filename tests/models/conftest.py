"""Checkpoints made by hand, and a model hub on this machine."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from wortlaut.models.hub import HubAccess
from wortlaut.models.store import ModelStore
from wortlaut.models.transfer import Patience

STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}


@dataclass(frozen=True)
class Forged:
    """A tensor as a checkpoint describes it; offset and strides in elements."""

    element: str
    raw: bytes
    length: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, array: np.ndarray) -> Forged:
        flat = array.copy(order="C")
        strides = tuple(stride // flat.itemsize for stride in flat.strides)
        return cls(array.dtype.name, flat.tobytes(), array.size, 0, array.shape, strides)


class Forge:
    """Writes checkpoints opcode by opcode, without PyTorch and without `pickle.Pickler`."""

    PROTOCOL = b"\x80\x02"

    @staticmethod
    def text(value: str) -> bytes:
        raw = value.encode()
        return b"X" + struct.pack("<I", len(raw)) + raw

    @staticmethod
    def integer(value: int) -> bytes:
        raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        return b"\x8a" + bytes([len(raw)]) + raw

    @staticmethod
    def name(module: str, name: str) -> bytes:
        return b"c" + f"{module}\n{name}\n".encode()

    def sizes(self, values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(self.integer, values)) + b"t"

    def tensor(self, key: str, forged: Forged) -> bytes:
        storage = (
            b"(" + self.text("storage") + self.name("torch", STORAGES[forged.element]) + self.text(key)
            + self.text("cpu") + self.integer(forged.length)
        )  # fmt: skip
        return (
            self.name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + b"__TAIL__tQ"
            + self.integer(forged.offset) + self.sizes(forged.shape) + self.sizes(forged.strides)
            + b"\x89" + self.name("collections", "OrderedDict") + b")RtR"
        )  # fmt: skip

    def tensors(self, forged: Mapping[str, Forged], *, tail: bytes = b"") -> bytes:
        body = b"".join(self.text(name) + self.tensor(name, tensor) for name, tensor in forged.items())
        return self.PROTOCOL + b"}(" + body.replace(b"__TAIL__", tail) + b"u."

    def archive(self, forged: Mapping[str, Forged], *, pickled: bytes | None = None) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("model/data.pkl", self.tensors(forged) if pickled is None else pickled)
            archive.writestr("model/byteorder", "little")
            for key, tensor in forged.items():
                archive.writestr(f"model/data/{key}", tensor.raw)
            archive.writestr("model/version", "3\n")
        return out.getvalue()

    def legacy(self, forged: Mapping[str, Forged], *, pickled: bytes | None = None) -> bytes:
        facts = {"protocol_version": 1001, "little_endian": True}
        head = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps(facts, 2)
        body = self.tensors(forged, tail=b"N") if pickled is None else pickled
        storages = b"".join(struct.pack("<q", tensor.length) + tensor.raw for tensor in forged.values())
        return head + body + pickle.dumps(list(forged), 2) + storages


@pytest.fixture(scope="session")
def forge() -> Forge:
    return Forge()


@pytest.fixture(scope="session")
def forged_of() -> type[Forged]:
    return Forged


@dataclass
class Hub:
    """What the hub has and how it misbehaves; `asked` lists (method, path, headers) of each request."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    names_checksums: bool = True
    knows_ranges: bool = True
    redirects: bool = True
    answers: bool = True
    stalls_after: int | None = None
    breaks_after: int | None = None
    delay: float = 0.0
    delivers: bytes | None = None
    needs_token: str | None = None
    refuses_tokens: bool = False
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    COMMIT = "0123456789012345678901234567890123456789"

    def fill(self, repo: str, **files: bytes) -> None:
        for name, content in files.items():
            self.files[f"/{repo}/resolve/main/{name.replace('__', '.')}"] = content
            self.files[f"/{repo}/resolve/{self.COMMIT}/{name.replace('__', '.')}"] = content

    def gets(self, name: str) -> list[dict[str, str]]:
        return [headers for method, path, headers in self.asked if method == "GET" and path.endswith(name)]


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub, path = self.hub, self.path.removeprefix("/cdn")
        hub.asked.append((self.command, self.path, dict(self.headers)))
        if not hub.answers:
            hub.released.wait(30)
            self.close_connection = True
            return
        token = self.headers["Authorization"]
        is_refused = (hub.needs_token and token != f"Bearer {hub.needs_token}") or (hub.refuses_tokens and token)
        if is_refused or hub.status != 200 or path not in hub.files:
            self._head(401 if is_refused else hub.status if hub.status != 200 else 404)
        elif hub.redirects and len(hub.files[path]) > 100 and not self.path.startswith("/cdn"):
            self._head(302, Location=f"/cdn{path}", **self._description(hub.files[path]))
        else:
            self._deliver(hub.files[path])

    def _description(self, content: bytes) -> dict[str, str]:
        if not self.hub.names_checksums:
            return {"X-Repo-Commit": Hub.COMMIT}
        if len(content) > 100:
            linked = {"X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"', "ETag": '"something-else"'}
        else:
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            linked = {"ETag": f'"{blob}"'}
        return {"X-Repo-Commit": Hub.COMMIT, **linked}

    def _deliver(self, content: bytes) -> None:
        hub = self.hub
        sent = content if hub.delivers is None else hub.delivers
        start = 0
        asked = self.headers["Range"]
        if asked and hub.knows_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(sent):
                self._head(416, **{"Content-Range": f"bytes */{len(sent)}"})
                return
        body = sent[start:]
        headers = self._description(content)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(sent) - 1}/{len(sent)}"
        self._head(206 if start else 200, length=len(body), **headers)
        if self.command == "GET":
            self._send(body)

    def _send(self, body: bytes) -> None:
        hub = self.hub
        time.sleep(hub.delay)
        limit = hub.breaks_after if hub.breaks_after is not None else hub.stalls_after
        self.wfile.write(body if limit is None else body[:limit])
        self.wfile.flush()
        if hub.stalls_after is not None:
            hub.released.wait(30)
        if limit is not None:
            self.close_connection = True

    def _head(self, status: int, *, length: int = 0, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub on the loopback interface."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads = True
    server.hub = hub = Hub(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield hub
    hub.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A file that appears only if something planted was run."""
    return tmp_path / "planted"


MODEL = {
    "model__bin": bytes(range(256)) * 400,
    "config__json": b"{}",
    "tokenizer__json": b"{}" * 80,
    "vocabulary__txt": b"a\nb",
}
"""What the hub has as org/model; for file names, two underscores are a dot."""


@pytest.fixture
def store(tmp_path: Path, hub: Hub) -> ModelStore:
    """An empty store that asks the hub on this machine."""
    hub.fill("org/model", **MODEL)
    access = HubAccess(hub.url, None, tmp_path / "cache", is_offline=False)
    return ModelStore(tmp_path / "models", patience=Patience(answer=0.5, stall=0.5), hub=access)


STORED_TYPES = {np.float32: 0, np.int8: 1, np.int16: 2, np.float16: 4}


def stored_whisper(variables: Mapping[str, np.ndarray], *, version: int = 6) -> bytes:
    """Return a model.bin as CTranslate2 writes it."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    content = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, array in variables.items():
        content += text(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        content += struct.pack("<BI", STORED_TYPES[array.dtype.type], array.nbytes) + array.tobytes()
    return content


def small_encoder_variables(kind: type[np.generic] = np.float16) -> dict[str, np.ndarray]:
    """Return the variables of an encoder with one layer, eight values a state and two heads."""
    random = np.random.default_rng(5)

    def some(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(kind)

    layer, size = "layer_0", 8
    shapes = {
        "conv1/weight": (size, 4, 3),
        "conv1/bias": (size,),
        "conv2/weight": (size, size, 3),
        "conv2/bias": (size,),
        "position_encodings/encodings": (20, size),
        f"{layer}/self_attention/layer_norm/gamma": (size,),
        f"{layer}/self_attention/layer_norm/beta": (size,),
        f"{layer}/self_attention/linear_0/weight": (3 * size, size),
        f"{layer}/self_attention/linear_0/bias": (3 * size,),
        f"{layer}/self_attention/linear_1/weight": (size, size),
        f"{layer}/self_attention/linear_1/bias": (size,),
        f"{layer}/ffn/layer_norm/gamma": (size,),
        f"{layer}/ffn/layer_norm/beta": (size,),
        f"{layer}/ffn/linear_0/weight": (4 * size, size),
        f"{layer}/ffn/linear_0/bias": (4 * size,),
        f"{layer}/ffn/linear_1/weight": (size, 4 * size),
        f"{layer}/ffn/linear_1/bias": (size,),
        "layer_norm/gamma": (size,),
        "layer_norm/beta": (size,),
    }
    return {f"encoder/{name}": some(*shape) for name, shape in shapes.items()} | {
        "encoder/num_heads": np.array(2, np.int16)
    }


@pytest.fixture
def stored():
    """Writes variables as a model.bin."""
    return stored_whisper


@pytest.fixture
def small_encoder():
    """The variables of a very small encoder."""
    return small_encoder_variables()
