"""From decoded frames of any layout, format and rate to 16 kHz s16le samples at given positions in a file.

One channel, the mean of all, or all of them interleaved.
"""

from __future__ import annotations

from array import array
from fractions import Fraction
from itertools import pairwise
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.filter import Graph

from wortlaut.media.timeline import OUTPUT_RATE

BYTES_PER_SAMPLE = 2


class PcmFile:
    """Samples written one after the other, with holes for silence and without what comes twice.

    A sample is one of each of its `channels`.
    """

    def __init__(self, file: BinaryIO, channels: int = 1) -> None:
        self._file = file
        self.channels = channels
        self.sample_bytes = channels * BYTES_PER_SAMPLE
        self._surplus_samples = 0
        self.position_samples = 0

    def go_to(self, position_samples: int) -> None:
        """Let the next sample stand at this position: leave a hole, or drop what reaches back behind it."""
        gap_samples = position_samples - self.position_samples
        self._surplus_samples = max(-gap_samples, 0)
        if gap_samples > 0:
            self._file.seek(gap_samples * self.sample_bytes, 1)
            self.position_samples = position_samples

    def write(self, samples: bytes) -> None:
        dropped_samples = min(self._surplus_samples, len(samples) // self.sample_bytes)
        self._surplus_samples -= dropped_samples
        kept = samples[dropped_samples * self.sample_bytes :]
        self._file.write(kept)
        self.position_samples += len(kept) // self.sample_bytes

    def finish(self) -> None:
        """Make the file as long as its samples, even if they end in a hole."""
        self._file.flush()
        self._file.truncate(self.position_samples * self.sample_bytes)


class Mixer:
    """Resample frames, mixed down to the mean of their channels where the output has one.

    The mean cannot clip, treats all channels alike, and keeps a voice that is in one of them; the matrix that
    FFmpeg uses by default leaves out the LFE channel and needs to know the layout. One filter graph serves a run
    of equal frames; a change of format, a gap or an overlap begins a new one. Frames with another number of channels
    than a file of several has are put into each of them as their mean, and `has_mixed` is then true.
    """

    def __init__(self, output: PcmFile) -> None:
        self._output = output
        self._graph: Graph | None = None
        self._shape: tuple[object, ...] = ()
        self._is_mixed = False
        self.has_mixed = False

    def add(self, frame: AudioFrame) -> None:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._graph is None or shape != self._shape:
            self.end_run()
            self._is_mixed = frame.layout.nb_channels != self._output.channels
            self.has_mixed = self.has_mixed or self._is_mixed
            self._graph, self._shape = _graph(frame, is_mixed=self._is_mixed), shape
        frame.time_base = Fraction(1, frame.sample_rate)
        frame.pts = None  # the timeline has placed the run; within it, samples are counted
        self._graph.push(frame)
        self._drain(self._graph)

    def end_run(self) -> None:
        """Write what the resampler still holds."""
        if self._graph is not None:
            self._graph.push(None)
            self._drain(self._graph)
            self._graph = None

    def _drain(self, graph: Graph) -> None:
        while True:
            try:
                mixed = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if not isinstance(mixed, AudioFrame):
                raise TypeError("the graph ends in a sink for sound")
            channels = 1 if self._is_mixed else self._output.channels
            size_bytes = mixed.samples * channels * BYTES_PER_SAMPLE  # the plane itself is longer, for alignment
            samples = bytes(memoryview(mixed.planes[0])[:size_bytes])
            self._output.write(_repeated(samples, self._output.channels // channels))


def _graph(frame: AudioFrame, *, is_mixed: bool) -> Graph:
    """Without the mix, the frame's own layout stays to the end, so that no step has a reason to rearrange channels."""
    channels = frame.layout.nb_channels
    mean = "+".join(f"{1 / channels:.9f}*c{channel}" for channel in range(channels))
    graph = Graph()
    steps = [
        graph.add(
            "abuffer",
            sample_rate=str(frame.sample_rate),
            sample_fmt=frame.format.name,
            channel_layout=frame.layout.name,
            time_base=f"1/{frame.sample_rate}",
        ),
        graph.add("aformat", sample_fmts="fltp"),  # so that nothing is rounded before the end
        *([graph.add("pan", f"mono|c0={mean}")] if is_mixed else []),
        graph.add("aresample", str(OUTPUT_RATE)),
        graph.add("aformat", sample_fmts="s16", sample_rates=str(OUTPUT_RATE)),
        graph.add("abuffersink"),
    ]
    for step, following in pairwise(steps):
        step.link_to(following)
    graph.configure()
    return graph


def _repeated(samples: bytes, times: int) -> bytes:
    """Return mono samples as those of several equal channels."""
    mono = array("h", samples)
    interleaved = array("h", bytes(len(samples) * times))
    for channel in range(times):
        interleaved[channel::times] = mono
    return interleaved.tobytes()
