"""The CTC aligner: the contract of the seam on networks that behave and do not, wildcards, pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wortlaut.alignment.ctc import CtcAligner, emit
from wortlaut.alignment.ctc_catalog import CTC_MODELS, find_ctc_model
from wortlaut.alignment.ctc_spelling import NO_WORD, Vocabulary
from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.transcript import Passage

LETTERS = "|abcdefghijklmnopqrstuvwxyz'"
VOCABULARY = Vocabulary(
    {letter: column for column, letter in enumerate(LETTERS, 1) if letter != "|"}, blank=0, size=29, separator=1
)
STRIDE, FIELD = 320, 400
AUDIO = Audio.from_array(np.zeros(60 * SAMPLE_RATE, np.float32))
PASSAGES = [
    Passage(0.0, 10.0, " Hello, world. It cost $3.50!", "en", (SpeechRegion(0.5, 9.0),)),
    Passage(10.0, 12.0, "  ", "en"),
    Passage(12.0, 40.0, "今日は、雨が「降る」。 OK?", "ja", (SpeechRegion(12.5, 20.0), SpeechRegion(25.0, 39.0))),
    Passage(40.0, 40.1, "far too many words for so short a passage", "en"),
    Passage(41.0, 61.0, "...", "en"),
    Passage(41.0, 41.01, "a", "en"),
]


class FakeNetwork:
    """Answers what `logits_of(frames)` says."""

    vocabulary = VOCABULARY
    stride = STRIDE
    field = FIELD

    def __init__(self, logits_of):
        self._logits_of = logits_of
        self.heard = []

    def log_probs(self, samples):
        self.heard.append(len(samples))
        logits = self._logits_of((len(samples) - FIELD) // STRIDE + 1)
        return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def noise(frames):
    return np.random.default_rng(frames).normal(0, 2, (frames, 29))


def flat(frames):
    return np.zeros((frames, 29))


def only_blank(frames):
    logits = np.full((frames, 29), -20.0)
    logits[:, 0] = 20.0
    return logits


def saying(said):
    """Return a network that hears one sign a frame, `-` for the blank, and the blank after them."""

    def logits_of(frames):
        logits = np.full((frames, 29), -5.0)
        columns = [0 if sign == "-" else LETTERS.index(sign) + 1 for sign in said.ljust(frames, "-")[:frames]]
        logits[range(frames), columns] = 5.0
        return logits

    return logits_of


def check(passage, words):
    """Assert what the seam promises."""
    assert "".join(word.text for word in words) == (passage.text if passage.text.strip() else "")
    assert all(passage.start <= word.start < word.end <= passage.end + 1e-9 for word in words)
    assert all(before.end <= after.start for before, after in pairwise(words))
    assert all(word.confidence is None or 0 <= word.confidence <= 1 for word in words)
    assert all((word.confidence is None) == (word.source == "interpolated") for word in words)


def align(text, said, *, duration=2.0):
    [words] = CtcAligner(lambda _: FakeNetwork(saying(said))).align(AUDIO, [Passage(0.0, duration, text, "en")])
    return words


@pytest.mark.parametrize("logits_of", [noise, flat, only_blank, saying("--hel-lo-|-world")])
def test_contract_of_the_seam(logits_of):
    found = list(CtcAligner(lambda _: FakeNetwork(logits_of)).align(AUDIO, PASSAGES))
    assert len(found) == len(PASSAGES)
    for passage, words in zip(PASSAGES, found, strict=True):
        check(passage, words)


@given(
    st.text(st.sampled_from(" ,.-abcäßÄ1$日本é、"), max_size=80),
    st.floats(0, 30),
    st.floats(0.05, 10),
    st.sampled_from([noise, flat, only_blank]),
)
def test_whatever_is_heard_the_words_keep_their_promises(text, start, length, logits_of):
    passage = Passage(start, start + length, text, "en")
    [words] = CtcAligner(lambda _: FakeNetwork(logits_of)).align(AUDIO, [passage])
    check(passage, words)


def test_words_lie_where_their_characters_are_heard_and_the_pause_belongs_to_nobody():
    first, second = align("Hi there", "---hi------------|-there")
    slot = STRIDE / SAMPLE_RATE
    margin = (FIELD - STRIDE) / 2 / SAMPLE_RATE
    assert first.start == pytest.approx(3 * slot + margin)
    assert first.end == pytest.approx(5 * slot + margin)
    assert second.start == pytest.approx(19 * slot + margin)
    assert second.end == pytest.approx(24 * slot + margin)
    assert min(first.confidence, second.confidence) > 0.9


def test_a_number_is_found_between_its_neighbours_by_the_wildcard():
    """The sounds `nin-e` belong to 9; the pauses around them do not."""
    words = align("at 9 today", "-at-|---nin-e-----|--today")
    assert [word.source for word in words] == ["aligned"] * 3
    slot = STRIDE / SAMPLE_RATE
    assert words[1].start == pytest.approx(8 * slot, abs=slot / 2)
    assert words[1].end == pytest.approx(13 * slot, abs=slot / 2)


def test_a_text_that_was_not_said_has_little_confidence():
    assert all(word.confidence < 0.1 for word in align("quick fox", "-hello-|-world"))


def test_text_that_does_not_fit_is_spread():
    assert {word.source for word in align("far too many words", "far", duration=0.2)} == {"interpolated"}


def test_a_language_without_a_network_is_spread():
    [words] = CtcAligner(lambda _: None).align(AUDIO, [Passage(0.0, 3.0, "salve munde", "la")])
    assert {word.source for word in words} == {"interpolated"}


def test_each_passage_is_aligned_by_the_network_of_its_language():
    asked = []
    aligner = CtcAligner(lambda language: asked.append(language) or FakeNetwork(noise))
    list(aligner.align(AUDIO, PASSAGES[:3]))
    assert asked == ["en", "ja"]


@given(st.integers(1, 100 * SAMPLE_RATE))
def test_long_stretches_are_heard_in_pieces_and_frames_keep_their_places(count):
    class Echo:
        """Says the place of each frame."""

        vocabulary, stride, field = VOCABULARY, STRIDE, FIELD
        heard = 0

        def log_probs(self, samples):
            Echo.heard = max(Echo.heard, len(samples))
            frames = (len(samples) - FIELD) // STRIDE + 1
            return samples[: frames * STRIDE : STRIDE][:frames, None].repeat(29, axis=1)

    samples = np.arange(count, dtype=np.float32)
    found = emit(Echo(), samples)
    frames = (max(count, FIELD) - FIELD) // STRIDE + 1
    assert found[:, 0].tolist() == [frame * STRIDE for frame in range(frames)]
    assert Echo.heard <= 32.1 * SAMPLE_RATE


def test_spelling():
    text = VOCABULARY.spell(["Äh,", " don't", " 3.50", " —", " no"])
    spelled = "".join("*" if column == VOCABULARY.wildcard else LETTERS[column - 1] for column in text.columns)
    assert spelled == "ah|don't|*|no"
    assert text.owners.tolist() == [0, 0, NO_WORD, *[1] * 5, NO_WORD, 2, NO_WORD, 4, 4]


def test_upper_case_vocabularies_and_sharp_s():
    vocabulary = Vocabulary({letter: column for column, letter in enumerate("SAES", 1)}, blank=0, size=5)
    assert vocabulary.spell(["ßä"]).columns.tolist() == [4, 4, 2]


def test_table_of_languages():
    assert len(CTC_MODELS) == 41
    assert find_ctc_model("de") == "facebook/wav2vec2-base-10k-voxpopuli-ft-de"
    assert find_ctc_model("en", "WAV2VEC2_ASR_BASE_960H") == "facebook/wav2vec2-base-960h"
    assert find_ctc_model("xx", "somebody/model") == "somebody/model"
    assert find_ctc_model("la") is None
