"""Real speech cut, turned down, interrupted and resampled: the same text up to a tolerance, and a sound transcript."""

from __future__ import annotations

import re
from itertools import pairwise

import jiwer
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from wortlaut.audio import SAMPLE_RATE
from wortlaut.media.decoder import PyavDecoder
from wortlaut.transcript import Transcript

pytestmark = pytest.mark.models

TOLERANCE = 0.25
"""Word errors against the text of the untouched recording: telephone speech by the base model, where a cut or a little
noise changes what is understood of a word at an edge, and of names."""


def plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W\d_]+", text.lower()))


def assert_sound(transcript: Transcript) -> None:
    """Check what holds for every transcript."""
    words = transcript.words
    assert all(0 <= word.start < word.end <= transcript.duration for word in words)
    assert all(before.start <= after.start and before.end <= after.end for before, after in pairwise(words))
    for segment in transcript.segments:
        assert "".join(word.text for word in segment.words).strip() == segment.text
    decisions = transcript.provenance.decisions
    assert [one.start for one in decisions] == sorted(one.start for one in decisions)


def assert_same(transcript: Transcript, expected: str) -> None:
    assert_sound(transcript)
    assert jiwer.wer(plain(expected), plain(transcript.text)) <= TOLERANCE


def resampled(samples, rate: int):
    """Take samples to another rate and back."""
    there = resample_poly(samples, rate, SAMPLE_RATE)
    return resample_poly(there, SAMPLE_RATE, rate)[: len(samples)].astype(np.float32)


@pytest.fixture(scope="module")
def untouched(transcribe, conversation):
    transcript = transcribe(conversation)
    assert len(transcript.words) > 50
    assert_sound(transcript)
    return transcript


def pauses(transcript: Transcript) -> list[float]:
    """Return the middles of pauses in which a recording can be cut without cutting a word."""
    return [(a.end + b.start) / 2 for a, b in pairwise(transcript.words) if b.start - a.end > 0.25]


def changed(transcribe, conversation, untouched, changes):
    """Apply a gain in dB, a rate, silence at a pause and a cut before a pause; return transcript and expected text."""
    gain_db, rate, silence, pause_index, drops_start = changes
    samples = (resampled(conversation, rate) * 10 ** (gain_db / 20)).clip(-1, 1).astype(np.float32)
    moments = pauses(untouched)
    moment = moments[pause_index % len(moments)]
    at = round(moment * SAMPLE_RATE)
    if drops_start:
        expected = "".join(word.text for word in untouched.words if word.start > moment)
        return transcribe(samples[at:]), expected
    gap = np.zeros(round(silence * SAMPLE_RATE), np.float32)
    return transcribe(np.concatenate([samples[:at], gap, samples[at:]])), untouched.text


@pytest.mark.parametrize(
    "changes", [(-30.0, 16_000, 12.0, 3, False), (6.0, 22_050, 0.4, 1, False), (-12.0, 11_025, 0.0, 2, True)]
)
def test_the_text_stays_the_same(transcribe, conversation, untouched, changes):
    assert_same(*changed(transcribe, conversation, untouched, changes))


@pytest.mark.slow
@settings(
    max_examples=15,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.tuples(
        st.floats(-35, 6),
        st.sampled_from([11_025, 12_000, 16_000, 22_050, 44_100, 48_000]),
        st.floats(0, 40),
        st.integers(0, 30),
        st.booleans(),
    )
)
def test_the_text_stays_the_same_however_it_is_changed(transcribe, conversation, untouched, changes):
    transcript, expected = changed(transcribe, conversation, untouched, changes)
    assert_sound(transcript)
    if len(expected.split()) >= 20:  # of a few words, one is more than the tolerance
        assert_same(transcript, expected)


def spoken_by_others(eval_dir):
    """Return half a minute of English and of German, each by several speakers, as samples and language."""
    decoder = PyavDecoder()
    english = decoder.decode(eval_dir / "sim-conv" / "timit_3spk.flac").clip(0, 30)
    sentences = sorted((eval_dir / "de-kerstin").glob("*.flac"))[:8:2]
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    german = [piece for each in sentences for piece in (decoder.decode(each).clip(0, 10), pause)]
    return {"en": english, "de": np.concatenate(german)}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de"])
def test_other_speakers_and_languages_too(transcribe, eval_dir, language):
    """Gain, rate, silence and a cut at random places of real speech that nobody tuned for."""
    samples = spoken_by_others(eval_dir)[language]

    def in_language(audio):
        return transcribe(audio, language=language)

    untouched = in_language(samples)
    assert_sound(untouched)
    rng = np.random.default_rng(7)
    for _ in range(5):
        rate = int(rng.choice([11_025, 12_000, 22_050, 44_100]))
        changes = (rng.uniform(-30, 3), rate, rng.uniform(0, 10), int(rng.integers(30)), bool(rng.integers(2)))
        transcript, expected = changed(in_language, samples, untouched, changes)
        assert_sound(transcript)
        if len(expected.split()) >= 20:
            assert_same(transcript, expected)
