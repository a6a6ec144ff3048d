"""Which cross-attention heads follow the characters of a text through the recording.

The heads in a model's own config.json were chosen for word pieces and are of no use for characters. These
were found by greedy search for word boundaries, over all heads, on read English with hand-set boundaries,
and confirmed on other speakers and on German. After "Whisper Has an Internal Word Aligner"
(arXiv 2509.09987), which teacher-forces characters and finds the heads for larger models.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Head = tuple[int, int]
"""Layer and head of the decoder, both from 0."""

CHARACTER_HEADS: Mapping[str, tuple[Head, ...]] = MappingProxyType(
    {
        "whisper-base": ((4, 2), (4, 3), (2, 2), (0, 5)),
        "whisper-tiny.en": ((2, 4), (0, 4), (3, 5)),
    }
)
"""By name of the model. base is also the aligner for the text of models that are not listed."""

MEDIAN_FILTER_WIDTH = 3
"""Attention frames (20 ms) that are smoothed over: the 7 of word pieces would blur single characters."""
