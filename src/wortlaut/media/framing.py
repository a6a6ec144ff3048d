"""How long a frame says that it is: in formats without an index, the only sign that a file was cut short."""

from __future__ import annotations

_KBITS = {  # a second, Layer III, by the four bits in the header; 0 is free format, 15 is forbidden
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44_100, 48_000, 32_000)
_HEADER_BYTES = 7


def stated_size_bytes(kind: str, frame: bytes) -> int | None:
    """Return the size that the frame's own header states; `kind` is FFmpeg's name of the container, mp3 or aac."""
    if len(frame) < _HEADER_BYTES or frame[0] != 0xFF:  # noqa: PLR2004 - the sync word of both
        return None
    if kind == "mp3":
        return _mp3_bytes(frame)
    if kind == "aac":
        return (frame[3] & 0x03) << 11 | frame[4] << 3 | frame[5] >> 5
    return None


def _mp3_bytes(frame: bytes) -> int | None:
    """Read version, layer, bit rate, sample rate and padding (ISO 11172-3, 2.4.1.3)."""
    version, layer = frame[1] >> 3 & 3, frame[1] >> 1 & 3
    bit_rate, rate, padding_bytes = frame[2] >> 4, frame[2] >> 2 & 3, frame[2] >> 1 & 1
    if version == 1 or layer != 1 or bit_rate in (0, 15) or rate == 3:  # noqa: PLR2004 - reserved, or not Layer III
        return None
    is_mpeg_1 = version == 3  # noqa: PLR2004 - 2 is MPEG 2, 0 is MPEG 2.5 at a quarter of the sample rates
    bits_a_second = _KBITS[1 if is_mpeg_1 else 2][bit_rate] * 1000
    sample_rate = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if is_mpeg_1 else 72) * bits_a_second // sample_rate + padding_bytes
