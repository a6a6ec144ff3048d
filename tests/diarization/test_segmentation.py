from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.audio import SAMPLE_RATE, ArraySamples, Audio
from wortlaut.diarization.frames import frame_times
from wortlaut.diarization.segmentation import (
    FRAMES_PER_WINDOW,
    POWERSET,
    WINDOW,
    SegmentationNetwork,
    segment,
    window_starts,
)
from wortlaut.errors import Cancelled, ModelCorrupt, ModelMissing

WINDOW_SAMPLES = 160_000


class LoudnessNetwork:
    """Hears speaker 0 alone wherever a sample is louder than 0.1, and two speakers above 0.5."""

    def probabilities(self, windows):
        return np.stack([self.listen(samples) for samples in windows])

    def listen(self, samples):
        padded = np.zeros(WINDOW_SAMPLES, np.float32)
        padded[: len(samples)] = samples
        loudness = padded[(frame_times(FRAMES_PER_WINDOW) * SAMPLE_RATE).astype(int)]
        classes = np.where(loudness > 0.5, 4, np.where(loudness > 0.1, 1, 0))
        return np.eye(len(POWERSET), dtype=np.float32)[classes]


def test_the_powerset_is_every_set_of_at_most_two_of_three():
    sets = {frozenset(np.flatnonzero(row).tolist()) for row in POWERSET}
    expected = {frozenset(some) for size in range(3) for some in itertools.combinations(range(3), size)}
    assert sets == expected
    assert len(POWERSET) == len(expected)


@given(st.integers(1, 2_000_000))
def test_windows_cover_the_recording_and_none_hangs_over(length):
    starts = window_starts(length)
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    assert starts[-1] + WINDOW_SAMPLES >= length
    assert len(starts) == 1 or starts[-1] + WINDOW_SAMPLES == length
    assert all(later - earlier <= 3 * SAMPLE_RATE for earlier, later in itertools.pairwise(starts))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("seconds", [0.1, 3.0, 10.0, 25.3])
def test_finds_speech_where_it_is_in_the_recording(seconds, threads):
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    samples[len(samples) // 2 :] = 0.3
    samples[-len(samples) // 4 :] = 0.7
    found = segment(Audio.from_array(samples), LoudnessNetwork(), threads=threads)
    times = frame_times(len(found.speech))
    away = np.abs(times - seconds / 2) > 0.05
    assert ((found.speech > 0.5) == (times >= seconds / 2))[away].all()
    away = np.abs(times - seconds * 3 / 4) > 0.05
    assert ((found.overlap > 0.5) == (times >= seconds * 3 / 4))[away].all()


def test_tracks_and_averages_share_one_clock():
    samples = np.zeros(25 * SAMPLE_RATE, np.float32)
    samples[12 * SAMPLE_RATE : 14 * SAMPLE_RATE] = 0.3
    found = segment(Audio.from_array(samples), LoudnessNetwork())
    for first, tracks in zip(found.first_frames, found.tracks, strict=True):
        own = tracks[: len(found.speech) - first, 0] > 0
        average = found.speech[first : first + len(own)] > 0.5
        assert (own != average).sum() <= 4  # a rounding to whole frames at either end


def test_the_best_window_is_the_one_whose_middle_is_nearest():
    found = segment(Audio.from_array(np.zeros(25 * SAMPLE_RATE, np.float32)), LoudnessNetwork())
    times = np.arange(0.013, 25, 0.37)
    expected = [np.abs(found.starts + WINDOW / 2 - time).argmin() for time in times]
    assert found.best_windows(times).tolist() == expected


def test_reads_one_window_at_a_time():
    read = []

    class Watched(ArraySamples):
        def read(self, start, stop, /):
            read.append(stop - start)
            return super().read(start, stop)

    segment(Audio(Watched(np.zeros(60 * SAMPLE_RATE, np.float32))), LoudnessNetwork())
    assert max(read) == WINDOW_SAMPLES


def test_reports_how_far_it_is_and_can_be_stopped():
    audio = Audio.from_array(np.zeros(31 * SAMPLE_RATE, np.float32))
    done = []
    segment(audio, LoudnessNetwork(), advance=done.append)
    assert done == sorted(done)
    assert done[-1] == audio.duration

    def stop(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        segment(audio, LoudnessNetwork(), advance=stop, threads=2)


def test_a_missing_and_a_broken_file_say_so(tmp_path):
    with pytest.raises(ModelMissing):
        SegmentationNetwork(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("this is no network")
    with pytest.raises(ModelCorrupt):
        SegmentationNetwork(tmp_path / "text.onnx")


@pytest.mark.models
def test_another_network_is_refused_when_it_is_asked(models_dir):
    network = SegmentationNetwork(models_dir / "campplus-pooled" / "campplus.onnx")
    with pytest.raises(ModelCorrupt):
        network.probabilities([np.ones(WINDOW_SAMPLES, np.float32)])


@pytest.mark.models
def test_the_network_gives_probabilities_and_hears_nobody_in_silence(models_dir, rng):
    network = SegmentationNetwork(models_dir / "segmentation-3.0-int8" / "segmentation.onnx")
    noise = rng.normal(0, 0.01, WINDOW_SAMPLES).astype(np.float32)
    batch = network.probabilities([noise, np.zeros(1600, np.float32), noise[:50_000]])
    assert batch.shape == (3, FRAMES_PER_WINDOW, 7)
    assert batch.sum(axis=2) == pytest.approx(1, abs=1e-4)
    assert batch[1, :, 0] == pytest.approx(1)
    alone = network.probabilities([noise[:50_000]])[0]
    np.testing.assert_allclose(batch[2], alone, atol=0.05)  # the range of the 8-bit numbers is that of the batch
