"""What every detector promises."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from wortlaut.audio import Audio, SpeechRegion
from wortlaut.errors import Cancelled
from wortlaut.speech.energy import EnergyDetector
from wortlaut.testing import ScriptedDetector

SPANS = ((2.0, 5.0), (9.0, 12.0))


@pytest.fixture(params=["energy", "scripted", pytest.param("silero", marks=pytest.mark.models)])
def detector(request):
    if request.param == "scripted":
        return ScriptedDetector(tuple(SpeechRegion(*span) for span in SPANS))
    return EnergyDetector() if request.param == "energy" else request.getfixturevalue("silero")


@pytest.mark.parametrize("detector", ["energy", "scripted"], indirect=True)
def test_speech_is_covered_and_the_rest_is_not(detector, babble):
    regions = detector.detect(babble(15.0, *SPANS))

    for start, end in SPANS:
        covered = sum(max(0.0, min(region.end, end) - max(region.start, start)) for region in regions)
        assert covered > 0.95 * (end - start)
    assert sum(region.end - region.start for region in regions) < 8.5


def test_regions_are_sorted_disjoint_and_inside(detector, babble):
    audio = babble(12.5, *SPANS)
    regions = detector.detect(audio)

    assert all(0 <= region.start < region.end <= audio.duration for region in regions)
    assert all(before.end <= after.start for before, after in pairwise(regions))


def test_progress_ends_with_the_recording(detector, babble):
    audio = babble(11.3, *SPANS)
    heard: list[float] = []
    detector.detect(audio, advance=heard.append)

    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(audio.duration)


def test_advance_may_cancel(detector, babble):
    def cancel(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        detector.detect(babble(3.0), advance=cancel)


@pytest.mark.parametrize("kind", ["energy", pytest.param("silero", marks=pytest.mark.models)])
class TestWithoutSpeech:
    @pytest.fixture
    def detector(self, kind, request):
        return EnergyDetector() if kind == "energy" else request.getfixturevalue("silero")

    @pytest.mark.parametrize("length_samples", [0, 1, 511, 512, 513, 1600, 160_000])
    def test_silence_of_any_length(self, detector, length_samples):
        assert detector.detect(Audio.from_array(np.zeros(length_samples, np.float32))) == []

    @pytest.mark.parametrize("level", [1e-4, 0.1])
    def test_steady_noise(self, detector, rng, level):
        assert detector.detect(Audio.from_array(rng.normal(0, level, 480_000).astype(np.float32))) == []

    def test_an_offset(self, detector):
        assert detector.detect(Audio.from_array(np.full(160_000, 0.4, np.float32))) == []
