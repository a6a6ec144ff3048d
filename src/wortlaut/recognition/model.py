"""One loaded Whisper: engine, tokenizer and features, shared by recognition and alignment."""

from __future__ import annotations

import json
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from weakref import ref

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from wortlaut.audio import Audio
from wortlaut.errors import ModelCorrupt, ModelMissing
from wortlaut.recognition.encoder import OnnxEncoder
from wortlaut.recognition.faults import engine_faults
from wortlaut.recognition.features import HOP_SAMPLES, log_mel, log_mel_in_context
from wortlaut.recognition.placement import Placement, place
from wortlaut.recognition.tokenizer import WhisperTokenizer

REMEMBERED_WINDOWS = 16
"""Encoder outputs that are kept beside those of the windows that are being recognized: of the windows that voted for
the language, and of what alignment has not come to. 3 MB each for base in float32."""


_FRAMES_PER_STATE = 2  # the encoder's second convolution halves the frame rate


@dataclass(frozen=True, slots=True)
class Int8Parts:
    """A model taken apart for int8: an ONNX model that encodes, and the engine's weights without that part.

    `weights` None: the engine loads those of the folder.
    """

    encoder: bytes | Path
    weights: Path | None = None


TakeApart = Callable[[Path], Int8Parts | None]
"""Returns the parts of the model in a folder; None: the engine shall do all of it."""


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """Which stretch of which recording was encoded how. It does not keep the recording alive."""

    audio: ref[Audio]
    start: float
    end: float
    is_padded: bool


@dataclass(slots=True)
class EncodedWindows:
    """The encoder outputs used last, as long as their recording is in use. Safe for threads; the oldest gives way.

    While `room` is made for more, more are kept: recordings that are recognized at the same time do not push each
    other's outputs out.
    """

    capacity: int
    _outputs: OrderedDict[EncodedWindow, ctranslate2.StorageView] = field(default_factory=OrderedDict)
    # Reentrant: the garbage collector may let a recording go, and so call `forget`, while this thread holds the lock.
    _lock: RLock = field(default_factory=RLock)

    def find(self, window: EncodedWindow) -> ctranslate2.StorageView | None:
        with self._lock:
            if window in self._outputs:
                self._outputs.move_to_end(window)
            return self._outputs.get(window)

    def remember(self, window: EncodedWindow, output: ctranslate2.StorageView) -> None:
        with self._lock:
            self._outputs[window] = output
            while len(self._outputs) > self.capacity:
                self._outputs.popitem(last=False)

    @contextmanager
    def room(self, more: int) -> Iterator[None]:
        """Keep so many more outputs inside the block."""
        with self._lock:
            self.capacity += more
        try:
            yield
        finally:
            with self._lock:
                self.capacity -= more

    def forget(self, gone: ref[Audio]) -> None:
        """Drop the outputs of a recording that nobody uses any more."""
        with self._lock:
            for window in [window for window in self._outputs if window.audio is gone]:
                del self._outputs[window]

    def __len__(self) -> int:
        return len(self._outputs)


class WhisperModel:
    """A Whisper in CTranslate2's format. Safe to use from several threads at once.

    `workers` calls of the engine run at the same time, further ones wait; each releases the GIL.
    """

    def __init__(
        self,
        engine: ctranslate2.models.Whisper,
        tokenizer: WhisperTokenizer,
        placement: Placement,
        encoder: OnnxEncoder | None = None,
    ) -> None:
        self.engine = engine
        self.tokenizer = tokenizer
        self.device = placement.device
        self.compute_type = placement.compute_type
        self.workers = placement.workers
        self.is_multilingual = bool(engine.is_multilingual)
        self.n_mels = int(engine.n_mels)
        self._encoder = encoder
        self._encoded = EncodedWindows(REMEMBERED_WINDOWS)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        device: str = "cpu",
        compute_type: str = "auto",
        workers: int = 0,
        threads: int = 0,
        alignment_heads: Sequence[tuple[int, int]] | None = None,
        take_apart: TakeApart | None = None,
    ) -> WhisperModel:
        """Load `model.bin`, `config.json`, `tokenizer.json` and the vocabulary of a folder.

        0 workers or threads: what suits the machine. `alignment_heads`, pairs of layer and head, take the place
        of those in the folder's config.json. `take_apart` is asked for an encoder to take the place of the engine's
        where that computes in int8 on a CPU. Raises `ModelMissing`, `ModelCorrupt`, `InvalidOption`,
        `DeviceUnavailable` or `OutOfMemory`.
        """
        _check(folder)
        placement = place(device, compute_type, workers, threads)
        parts = take_apart(folder) if take_apart and placement.has_slow_encoder else None
        weights = parts.weights if parts else None
        with _put_together(folder, alignment_heads, weights) as source, engine_faults():
            engine = ctranslate2.models.Whisper(
                str(source),
                device=placement.device,
                compute_type=placement.compute_type,
                inter_threads=placement.workers,
                intra_threads=placement.threads,
            )
        tokenizer = WhisperTokenizer(folder / "tokenizer.json", is_multilingual=bool(engine.is_multilingual))
        return cls(engine, tokenizer, placement, OnnxEncoder(parts.encoder) if parts else None)

    @property
    def encoding_engine(self) -> str:
        """The name of what encodes."""
        return "onnxruntime" if self._encoder else "ctranslate2"

    def encode(self, audio: Audio, start: float, end: float, *, is_padded: bool = True) -> ctranslate2.StorageView:
        """Return the encoder output of [start, end) seconds on the CPU: shape (1, states, d_model), 50 states a second.

        Padded: 1500 states, the stretch filled up to 30 s, which is what the decoder needs to write
        text. Otherwise as many as the stretch is long, rounded up. The outputs used last are remembered, as long
        as the recording is in use.
        """
        window = EncodedWindow(ref(audio, self._encoded.forget), start, end, is_padded)
        output = self._encoded.find(window)
        if output is None:
            features = self._features(audio.clip(start, end), is_padded=is_padded)
            output = self._states(features)
            self._encoded.remember(window, output)
        return output

    def _states(self, features: NDArray[np.float32]) -> ctranslate2.StorageView:
        if self._encoder:
            return self._encoder.encode(features)
        with engine_faults():
            return self.engine.encode(ctranslate2.StorageView.from_array(features), to_cpu=True)

    def remembering(self, windows: int) -> AbstractContextManager[None]:
        """Remember the outputs of so many more windows inside the block: those that one recording has in work."""
        return self._encoded.room(windows)

    def _features(self, samples: NDArray[np.float32], *, is_padded: bool) -> NDArray[np.float32]:
        """Return log-mel features of shape (1, n_mels, frames)."""
        if is_padded:
            features = log_mel_in_context(samples, self.n_mels)
        else:
            missing = -len(samples) % (HOP_SAMPLES * _FRAMES_PER_STATE)
            features = log_mel(np.pad(samples, (0, missing)), self.n_mels)
        return np.ascontiguousarray(features[np.newaxis])


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelMissing(f"There is no model folder {folder}.")
    for name in ("model.bin", "config.json"):
        if not (folder / name).is_file():
            raise ModelCorrupt(f"{folder / name} is missing.")


@contextmanager
def _put_together(folder: Path, heads: Sequence[tuple[int, int]] | None, weights: Path | None) -> Iterator[Path]:
    """Give a folder like the given one with other alignment heads in its config.json and other weights.

    It holds links to the real files, which the engine has read completely once it is constructed.
    """
    if heads is None and weights is None:
        yield folder
        return
    with TemporaryDirectory(prefix="wortlaut-whisper-") as temporary:
        files = {file.name: file for file in folder.iterdir() if file.is_file()}
        if weights:
            files["model.bin"] = weights
        for name, file in files.items():
            if name != "config.json":
                _link(Path(temporary) / name, file.resolve())
        config = _read_config(folder / "config.json")
        if heads is not None:
            config["alignment_heads"] = [list(head) for head in heads]
        (Path(temporary) / "config.json").write_text(json.dumps(config), "utf-8")
        yield Path(temporary)


def _link(link: Path, target: Path) -> None:
    """Make a link, or a copy where links are not allowed, as for most users of Windows."""
    try:
        link.symlink_to(target)
    except OSError:
        shutil.copyfile(target, link)


def _read_config(file: Path) -> dict[str, object]:
    try:
        config = json.loads(file.read_text("utf-8"))
    except ValueError as fault:
        raise ModelCorrupt(f"{file} is no JSON: {fault}.") from fault
    if not isinstance(config, dict):
        raise ModelCorrupt(f"{file} is no JSON object.")
    return config
