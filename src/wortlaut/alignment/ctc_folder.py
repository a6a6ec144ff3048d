"""What the folder of a CTC network says about it, in the layout of Hugging Face Transformers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from wortlaut.alignment.ctc_spelling import Vocabulary
from wortlaut.errors import ModelCorrupt, ModelMissing

_STRIDES = (5, 2, 2, 2, 2, 2, 2)
_KERNELS = (10, 3, 3, 3, 3, 2, 2)
"""wav2vec 2.0's own convolutions: a frame of 400 samples every 320."""


@dataclass(frozen=True, slots=True)
class CtcDescription:
    """What has to be known to use a network: `stride` and `field` in samples; `normalizes`: to mean 0, variance 1."""

    vocabulary: Vocabulary
    stride: int
    field: int
    normalizes: bool


def describe(folder: Path) -> CtcDescription:
    """Read config.json and vocab.json, and what else is there. Raises `ModelMissing` or `ModelCorrupt`."""
    config = read_json_object(folder / "config.json")
    preprocessor = folder / "preprocessor_config.json"
    normalizes = read_json_object(preprocessor).get("do_normalize", True) if preprocessor.is_file() else True
    try:
        strides = [int(each) for each in config.get("conv_stride", _STRIDES)]
        kernels = [int(each) for each in config.get("conv_kernel", _KERNELS)]
        vocabulary = _vocabulary(folder, config)
    except (TypeError, ValueError) as error:
        raise ModelCorrupt(f"{folder}: config.json or vocab.json is not that of a CTC network: {error}.") from error
    return CtcDescription(vocabulary, prod(strides), _field(kernels, strides), bool(normalizes))


def read_json_object(path: Path) -> dict[str, Any]:
    """Raises `ModelMissing` or `ModelCorrupt`."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelMissing(f"There is no {path.name} in {path.parent}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelCorrupt(f"{path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise ModelCorrupt(f"{path} holds no JSON object.")
    return content


def _field(kernels: list[int], strides: list[int]) -> int:
    """Return how many samples a frame hears."""
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * step
        step *= stride
    return field


def _vocabulary(folder: Path, config: dict[str, Any]) -> Vocabulary:
    """The blank is the padding token; the separator stands for the space, as `|` in most models."""
    listed = {str(token): int(column) for token, column in read_json_object(folder / "vocab.json").items()}
    tokenizer = folder / "tokenizer_config.json"
    told = read_json_object(tokenizer) if tokenizer.is_file() else {}
    delimiter = told.get("word_delimiter_token") or "|"
    return Vocabulary(
        columns={token: column for token, column in listed.items() if len(token) == 1 and token != delimiter},
        blank=int(config.get("pad_token_id") or 0),
        size=int(config.get("vocab_size") or max(listed.values()) + 1),
        separator=listed.get(delimiter),
    )
