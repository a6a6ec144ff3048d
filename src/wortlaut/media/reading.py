"""FFmpeg, through PyAV: open a file, decode its best sound stream, write 16 kHz samples.

Runs only in the child process (`wortlaut.media.child`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Protocol

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard

from wortlaut.errors import MediaInvalid, NoAudioStream
from wortlaut.media.framing import stated_size_bytes
from wortlaut.media.mixing import Mixer, PcmFile
from wortlaut.media.timeline import OUTPUT_RATE, Timeline

LAST_FRAME = 0.25
"""Damage this close to the end of a file that was cut short is the cut itself."""
NOTHING_ELSE = {"protocol_whitelist": "none"}
"""FFmpeg gets an open file; playlists and scripts that name other files or addresses find every protocol shut."""
READ_BYTES = 256 * 1024
REPORT_INTERVAL = 0.2
"""Wall seconds between two reports."""
LONGEST_LEAD = Fraction(60)
"""Where files have a time zero of their own, sound that begins later than this was cut out of a longer stream."""
ZERO_BASED = frozenset({"mov", "matroska", "avi"})
"""Containers whose timeline begins at zero by definition; elsewhere the first timestamp is an accident."""
STATES_DURATION = frozenset({"mov", "matroska", "avi", "flac", "caf", "aiff", "tta", "wv", "ape"})
"""Containers whose header states the duration; elsewhere FFmpeg estimates it from size and bit rate."""
GAPLESS = frozenset({"flac", "mp3", "aac", "wav"})
"""Files that are one coded stream: where their clock leaps, something is missing."""
TRUNCATED_BY = Fraction(1)
"""Sound that ends this much before the stated duration was cut off; less is rounding and encoder delay."""


class Say(Protocol):
    def __call__(self, **message: object) -> None: ...


def read_recording(media: Path, output: BinaryIO, say: Say, *, keeps_channels: bool = False) -> int:
    """Decode a file and return the number of samples written, a sample being one of each channel that is kept."""
    with media.open("rb", buffering=0) as file:
        container = _opened(file, media.name)
        stream = _best_stream(container, media.name, say)
        channels = max(stream.codec_context.layout.nb_channels, 1) if keeps_channels else 1
        say(channels=channels)
        return _Reading(container, stream, PcmFile(output, channels), say).run(media.name)


def _opened(file: BinaryIO, name: str) -> InputContainer:
    try:
        return av.open(file, "r", options=NOTHING_ELSE, metadata_errors="replace", buffer_size=READ_BYTES)
    except av.error.MemoryError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaInvalid(f"{name!r} is no recording, or one of a kind that FFmpeg does not know.") from error


def _best_stream(container: InputContainer, name: str, say: Say) -> AudioStream:
    """Choose FFmpeg's favourite: the one marked default, else the one with the most channels and bits."""
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not container.streams.audio:
        raise NoAudioStream(f"{name!r} has no audio stream.")
    if not streams:
        raise MediaInvalid(f"The sound of {name!r} is coded in a way that FFmpeg does not know.")
    best = container.streams.best("audio")
    chosen = best if isinstance(best, AudioStream) and best in streams else streams[0]
    for stream in container.streams:
        if stream is not chosen:
            stream.discard = Discard.all  # spares reading the picture, where the container allows it
    if len(streams) > 1:
        number = streams.index(chosen) + 1
        _notice(say, "media-other-streams", f"The file has {len(streams)} audio streams; number {number} was taken.")
    return chosen


class _Reading:
    """One pass through one stream."""

    def __init__(self, container: InputContainer, stream: AudioStream, output: PcmFile, say: Say) -> None:
        self._container = container
        self._stream = stream
        self._output = output
        self._say = say
        self._mixer = Mixer(output)
        self._stated_end = _stated_end(container, stream)
        self._timeline = Timeline(self._stated_end)
        self._origin: Fraction | None = None
        self._damaged_at: list[float] = []
        self._gaps: list[tuple[float, float]] = []
        self._clock_jumped = False
        self._was_cut = False
        self._reported = time.monotonic()

    def run(self, name: str) -> int:
        for packet in self._packets():
            if self._origin is None:
                self._origin = self._find_origin(packet)
            self._decode(packet)
            self._report()
        self._mixer.end_run()
        self._output.finish()
        if not self._output.position_samples:
            raise MediaInvalid(f"{name!r} holds no sound that can be decoded.")
        self._say(done=self._done)
        self._say_what_was_found()
        return self._output.position_samples

    @property
    def _done(self) -> float:
        return self._output.position_samples / OUTPUT_RATE

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        """Yield packets to the end, or to where the container cannot be read on."""
        try:
            yield from self._container.demux(self._stream)
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            self._was_cut = True

    def _decode(self, packet: Packet[AudioStream]) -> None:
        if packet.size:  # the empty packet at the end only flushes the decoder
            stated = stated_size_bytes(_kind(self._container), bytes(memoryview(packet)[:16]))
            self._was_cut = packet.is_corrupt or packet.size < (stated or 0)
        try:
            for frame in packet.decode():
                self._place(frame)
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            self._damaged_at.append(self._done)
            self._timeline.lost()

    def _place(self, frame: AudioFrame) -> None:
        if not frame.samples or not frame.sample_rate:
            return
        start = None
        if frame.pts is not None and frame.time_base is not None:
            start = frame.pts * frame.time_base - (self._origin or 0)
        placement = self._timeline.place(start, Fraction(frame.samples, frame.sample_rate))
        self._clock_jumped = self._clock_jumped or placement.clock_jumped
        if placement.position_samples is not None:
            self._mixer.end_run()
            self._note_gap(placement.position_samples / OUTPUT_RATE)
            self._output.go_to(placement.position_samples)
        self._mixer.add(frame)

    def _find_origin(self, packet: Packet[AudioStream]) -> Fraction:
        """Return the timestamp that is time zero of the recording."""
        start = Fraction(self._container.start_time or 0, av.time_base)
        if _kind(self._container) not in ZERO_BASED:
            return start
        if start > LONGEST_LEAD:
            self._stated_end = None  # some containers count it from the stream's beginning, some from the file's
            minutes = float(start) / 60
            _notice(
                self._say,
                "media-clock-shifted",
                f"The file's own clock begins at {minutes:.1f} minutes; times are counted from there.",
            )
            return start
        return Fraction(0) if packet.pts else _priming(packet, self._stream)

    def _report(self) -> None:
        if time.monotonic() - self._reported >= REPORT_INTERVAL:
            self._reported = time.monotonic()
            self._say(done=self._done)

    def _note_gap(self, end: float) -> None:
        if self._done and end > self._done:
            self._gaps.append((self._done, end))

    def _say_what_was_found(self) -> None:
        if self._was_cut or (self._stated_end and self._done < self._stated_end - TRUNCATED_BY):
            self._say_truncated()
        if self._damaged_at:
            message = f"Damaged pieces of the file were skipped: {len(self._damaged_at)}."
            _notice(self._say, "media-damaged", message, start=self._damaged_at[0], end=self._damaged_at[-1])
        if self._gaps:
            code = "media-damaged" if _kind(self._container) in GAPLESS else "media-gaps"
            seconds = sum(end - start for start, end in self._gaps)
            message = f"Gaps in the sound were filled with silence: {len(self._gaps)}, {seconds:.2f} s in all."
            _notice(self._say, code, message, start=self._gaps[0][0], end=self._gaps[-1][1])
        if self._mixer.has_mixed and self._output.channels > 1:
            message = "Where the file has another number of channels than at its start, they were mixed."
            _notice(self._say, "media-channels-changed", message)
        if self._clock_jumped:
            _notice(self._say, "media-clock-jumped", "The file's timestamps jump; its sound was joined end to end.")

    def _say_truncated(self) -> None:
        message = (
            f"The file ends early: {self._done:.1f} s of {float(self._stated_end):.1f} s could be decoded."
            if self._stated_end
            else f"The file ends early: {self._done:.1f} s could be decoded."
        )
        _notice(self._say, "media-truncated", message, start=self._done)
        self._damaged_at = [
            at for at in self._damaged_at if at < self._done - LAST_FRAME
        ]  # its last frame is half a frame


def _notice(say: Say, code: str, message: str, *, start: float | None = None, end: float | None = None) -> None:
    say(notice={"code": code, "message": message, "start": start, "end": end})


def _kind(container: InputContainer) -> str:
    return container.format.name.split(",")[0]


def _priming(packet: Packet[AudioStream], stream: AudioStream) -> Fraction:
    """Return how long the encoder's start-up sound is that FFmpeg drops, but counts on the clock.

    Proper files begin before zero by that much. Apple's iTunSMPB tag leaves the first packet at zero, so that the
    first frame that is kept would come late.
    """
    if not packet.has_sidedata("skip_samples"):
        return Fraction(0)
    skipped_samples = int.from_bytes(bytes(packet.get_sidedata("skip_samples"))[:4], "little")
    return Fraction(skipped_samples, stream.codec_context.sample_rate or OUTPUT_RATE)


def _stated_end(container: InputContainer, stream: AudioStream) -> Fraction | None:
    """Return when the container says that the sound ends, if it is one that knows."""
    if _kind(container) not in STATES_DURATION:
        return None
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    if "DURATION" in stream.metadata:  # Matroska's statistics tag: 00:00:11.008000000
        hours, minutes, seconds = stream.metadata["DURATION"].split(":")
        return Fraction(hours) * 3600 + Fraction(minutes) * 60 + Fraction(seconds)
    if container.duration and len(container.streams) == 1:
        return Fraction(container.duration, av.time_base)
    return None
