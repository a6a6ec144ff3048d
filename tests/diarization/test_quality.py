"""Diarization error rates on real and simulated conversations. Collar 0, overlap scored."""

from __future__ import annotations

import json
from collections import defaultdict

import av
import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from wortlaut.audio import Audio
from wortlaut.diarization.clustered import label
from wortlaut.diarization.embedding import EmbeddingNetwork, embed
from wortlaut.diarization.segmentation import SegmentationNetwork, segment
from wortlaut.options import Speakers

pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.timeout(1800)]

TARGETS = {"ami-30s": 0.25, "conv-small": 0.08, "sim-conv": 0.11}


def decode(path):
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return Audio.from_array(np.concatenate([frame.to_ndarray()[0] for frame in frames]))


def read_rttm(path):
    reference = Annotation()
    for number, line in enumerate(path.read_text().splitlines()):
        fields = line.split()
        if fields:
            start, length = float(fields[3]), float(fields[4])
            reference[Segment(start, start + length), number] = fields[7]
    return reference


def to_annotation(turns):
    annotation = Annotation()
    for number, turn in enumerate(turns):
        annotation[Segment(turn.start, turn.end), number] = turn.speaker
    return annotation


def recordings(folder):
    """Yield audio and reference of every item that has one; word-level references before loose ones."""
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        item = json.loads(line)
        candidates = [folder / f"{item['id']}{suffix}" for suffix in (".words.rttm", ".ref.rttm")]
        found = [path for path in candidates if path.is_file()]
        if found:
            yield decode(folder / item["audio"]), read_rttm(found[0])


@pytest.fixture(scope="module", params=sorted(TARGETS))
def measured(request, eval_dir, models_dir):
    """Return the set, its pooled error rates with the number of speakers open and given, and the counts found."""
    segmentation = SegmentationNetwork(models_dir / "segmentation-3.0-int8" / "segmentation.onnx")
    embedding = EmbeddingNetwork(models_dir / "campplus-pooled" / "campplus.onnx")
    rates = defaultdict(lambda: DiarizationErrorRate(collar=0.0, skip_overlap=False))
    counts = []
    for audio, reference in recordings(eval_dir / request.param):
        windows = segment(audio, segmentation)
        voices = embed(audio, windows, embedding)
        true_number = len(reference.labels())
        whole = Timeline([Segment(0, audio.duration)])
        for name, speakers in (("open", Speakers()), ("given", Speakers(true_number, true_number))):
            found = label(windows, voices, speakers, audio.duration)
            rates[name](reference, to_annotation(found.turns), uem=whole)
            counts.append((name, len({turn.speaker for turn in found.turns}), true_number))
    return request.param, {name: abs(rate) for name, rate in rates.items()}, counts


def test_the_error_rate_stays_below_its_target(measured):
    name, rates, _ = measured
    assert rates["open"] <= TARGETS[name]


def test_to_give_the_true_number_does_no_harm(measured):
    _, rates, _ = measured
    assert rates["given"] <= rates["open"]


def test_a_given_number_is_met(measured):
    _, _, counts = measured
    assert [(found, true) for name, found, true in counts if name == "given" and found != true] == []


def test_simulated_conversations_are_counted_right(measured):
    name, _, counts = measured
    if name == "sim-conv":
        assert [(found, true) for kind, found, true in counts if kind == "open" and found != true] == []


def test_one_reader_is_one_speaker(eval_dir, models_dir):
    segmentation = SegmentationNetwork(models_dir / "segmentation-3.0-int8" / "segmentation.onnx")
    embedding = EmbeddingNetwork(models_dir / "campplus-pooled" / "campplus.onnx")
    counts = {}
    for path in sorted((eval_dir / "librispeech-other-long").glob("*.flac")):
        audio = decode(path)
        windows = segment(audio, segmentation)
        found = label(windows, embed(audio, windows, embedding), Speakers(), audio.duration)
        counts[path.name] = len({turn.speaker for turn in found.turns})
    assert set(counts.values()) == {1}, counts
