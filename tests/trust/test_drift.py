"""Three hours in which speech lies at known places: no time drifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from wortlaut.audio import SAMPLE_RATE, Audio

HOUR = 3600.0
DURATION = 3 * HOUR
PLACES = (5.25, HOUR + 0.4321, 2 * HOUR - 11.9, 2.5 * HOUR + 3.0, DURATION - 40.0)
"""Seconds at which the same speech begins."""
TOLERANCE = 0.1
"""Seconds that the time of a word may differ."""
DRIFT = 0.02
"""Seconds that the times of all words together may: a frame of the aligner."""


@dataclass(frozen=True)
class Scattered:
    """Soft noise without end in which the same speech lies at several places; nothing of it is held."""

    speech: NDArray[np.float32]
    noise: NDArray[np.float32]

    def __len__(self) -> int:
        return round(DURATION * SAMPLE_RATE)

    def read(self, start: int, stop: int, /) -> NDArray[np.float32]:
        samples = self.noise[np.arange(start, stop) % len(self.noise)].copy()
        for place in PLACES:
            first = round(place * SAMPLE_RATE)
            since, until = max(first, start), min(first + len(self.speech), stop)
            if since < until:
                samples[since - start : until - start] += self.speech[since - first : until - first]
        return samples


def test_the_recording_reads_the_same_in_any_pieces(rng):
    scattered = Scattered(np.ones(SAMPLE_RATE, np.float32), rng.normal(size=999).astype(np.float32))
    first = round(PLACES[0] * SAMPLE_RATE)
    whole = scattered.read(first - 5000, first + 20_000)
    parts = [scattered.read(first - 5000 + at, first - 5000 + at + 2500) for at in range(0, 25_000, 2500)]
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.timeout(3600)
def test_no_time_drifts_in_three_hours(transcribe, conversation, rng):
    speech = conversation[6 * SAMPLE_RATE : 29 * SAMPLE_RATE]
    noise = (rng.normal(size=60 * SAMPLE_RATE) * 10 ** (-65 / 20)).astype(np.float32)
    alone = transcribe(np.concatenate([noise[: 5 * SAMPLE_RATE], speech, noise[: 5 * SAMPLE_RATE]]))
    expected = [word.start - 5.0 for word in alone.words]
    transcript = transcribe(Audio(Scattered(speech, noise)))
    for place in PLACES:
        found = [word.start - place for word in transcript.words if place <= word.start < place + 25]
        assert len(found) >= 0.8 * len(expected)
        errors = [min((other - time for other in found), key=abs) for time in expected]
        assert np.mean(np.abs(errors) <= TOLERANCE) >= 0.9  # the rest are words that were not understood again
        assert abs(np.median(errors)) <= DRIFT
    outside = [word for word in transcript.words if not any(place - 0.3 <= word.start < place + 24 for place in PLACES)]
    assert outside == []
