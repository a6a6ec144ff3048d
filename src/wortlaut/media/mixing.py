"""From decoded frames of any layout, format and rate to mono 16 kHz s16le samples at given positions in a file."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.filter import Graph

from wortlaut.media.timeline import OUTPUT_RATE

BYTES_PER_SAMPLE = 2


class PcmFile:
    """Samples written one after the other, with holes for silence and without what comes twice."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._surplus_samples = 0
        self.position_samples = 0

    def go_to(self, position_samples: int) -> None:
        """Let the next sample stand at this position: leave a hole, or drop what reaches back behind it."""
        gap_samples = position_samples - self.position_samples
        self._surplus_samples = max(-gap_samples, 0)
        if gap_samples > 0:
            self._file.seek(gap_samples * BYTES_PER_SAMPLE, 1)
            self.position_samples = position_samples

    def write(self, samples: bytes) -> None:
        dropped_samples = min(self._surplus_samples, len(samples) // BYTES_PER_SAMPLE)
        self._surplus_samples -= dropped_samples
        kept = samples[dropped_samples * BYTES_PER_SAMPLE :]
        self._file.write(kept)
        self.position_samples += len(kept) // BYTES_PER_SAMPLE

    def finish(self) -> None:
        """Make the file as long as its samples, even if they end in a hole."""
        self._file.flush()
        self._file.truncate(self.position_samples * BYTES_PER_SAMPLE)


class Mixer:
    """Mix frames down to the mean of their channels and resample them.

    The mean cannot clip, treats all channels alike, and keeps a voice that is in one of them; the matrix that
    FFmpeg uses by default leaves out the LFE channel and needs to know the layout. One filter graph serves a run
    of equal frames; a change of format, a gap or an overlap begins a new one.
    """

    def __init__(self, output: PcmFile) -> None:
        self._output = output
        self._graph: Graph | None = None
        self._shape: tuple[object, ...] = ()

    def add(self, frame: AudioFrame) -> None:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._graph is None or shape != self._shape:
            self.end_run()
            self._graph, self._shape = _mixing_graph(frame), shape
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
            size_bytes = mixed.samples * BYTES_PER_SAMPLE  # the plane itself is longer, for alignment
            self._output.write(bytes(memoryview(mixed.planes[0])[:size_bytes]))


def _mixing_graph(frame: AudioFrame) -> Graph:
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
        graph.add("pan", f"mono|c0={mean}"),
        graph.add("aresample", str(OUTPUT_RATE)),
        graph.add("aformat", sample_fmts="s16", sample_rates=str(OUTPUT_RATE), channel_layouts="mono"),
        graph.add("abuffersink"),
    ]
    for step, following in pairwise(steps):
        step.link_to(following)
    graph.configure()
    return graph
