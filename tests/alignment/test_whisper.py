"""The aligner: the contract of the seam, on fakes that behave, misbehave and fail, and on the real model."""

from __future__ import annotations

import wave
from itertools import pairwise
from types import SimpleNamespace

import ctranslate2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wortlaut.alignment.heads import CHARACTER_HEADS
from wortlaut.alignment.silences import find_silences
from wortlaut.alignment.whisper import WhisperAligner, align_text
from wortlaut.audio import SAMPLE_RATE, Audio, SpeechRegion
from wortlaut.errors import OutOfMemory
from wortlaut.recognition.model import WhisperModel
from wortlaut.transcript import Passage

AUDIO = Audio.from_array(np.random.default_rng(0).standard_normal(60 * SAMPLE_RATE).astype(np.float32) / 10)


class FakeTokenizer:
    languages = ("en", "de", "zh")

    def __init__(self):
        self.asked = []

    def sot_sequence(self, language, task):
        self.asked.append((language, task))
        return [1]

    def encode(self, text):
        return list(text.encode())


class FakeModel:
    """A model whose engine answers what `path_of(token_count, frame_count)` says."""

    is_multilingual = True

    def __init__(self, path_of, workers=1):
        self.workers = workers
        self.tokenizer = FakeTokenizer()
        self.encoded = []
        self.engine = SimpleNamespace(align=self._align)
        self._path_of = path_of

    def encode(self, audio, start, end, *, is_padded=True):
        self.encoded.append((start, end, is_padded))
        frames = 1500 if is_padded else round((end - start) * 50)
        return ctranslate2.StorageView.from_array(np.zeros((1, frames, 2), np.float32))

    def _align(self, features, start_sequence, text_tokens, num_frames, *, median_filter_width):
        count = len(text_tokens[0])
        path = self._path_of(count, num_frames // 2)
        return [SimpleNamespace(alignments=path, text_token_probs=[0.01] * count)]


def evenly(token_count, frame_count):
    return [(row, row * (frame_count - 1) // token_count) for row in range(token_count + 1)]


def all_at_once(token_count, frame_count):
    return [(row, frame_count // 2) for row in range(token_count + 1)]


def nonsense(token_count, frame_count):
    return [(row, (row * 7919) % (2 * frame_count) - 5) for row in range(0, token_count, 2)]


def nothing(token_count, frame_count):
    return []


def failing(token_count, frame_count):
    raise RuntimeError("the input is too long")


ENGINES = [evenly, all_at_once, nonsense, nothing, failing]
PASSAGES = [
    Passage(0.0, 10.0, " Hello, world. It cost $3.50!", "en", (SpeechRegion(0.5, 9.0),)),
    Passage(10.0, 12.0, "  ", "en"),
    Passage(12.0, 40.0, "今日は、雨が「降る」。 OK?", "ja", (SpeechRegion(12.5, 20.0), SpeechRegion(25.0, 39.0))),
    Passage(40.0, 40.1, "far too many words for so short a passage", "yue"),
    Passage(41.0, 61.0, "...", "en"),
]


def check(passage, words):
    """Assert what the seam promises."""
    assert "".join(word.text for word in words) == (passage.text if passage.text.strip() else "")
    assert all(passage.start <= word.start < word.end <= passage.end + 1e-9 for word in words)
    assert all(before.end <= after.start for before, after in pairwise(words))
    assert all(word.confidence is None or 0 <= word.confidence <= 1 for word in words)
    assert all((word.confidence is None) == (word.source == "interpolated") for word in words)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("path_of", ENGINES)
def test_contract_of_the_seam(path_of, workers):
    found = list(WhisperAligner(FakeModel(path_of, workers)).align(AUDIO, PASSAGES))
    assert len(found) == len(PASSAGES)
    for passage, words in zip(PASSAGES, found, strict=True):
        check(passage, words)


@settings(deadline=None)
@given(
    st.text(st.sampled_from(" ,.-abcäß1$日本、"), max_size=300),
    st.lists(st.integers(0, 400), max_size=400),
    st.floats(0, 30),
    st.floats(0.05, 29),
)
def test_whatever_the_path_the_words_keep_their_promises(text, steps, start, length):
    def wandering(token_count, frame_count):
        padded = [*steps, *[0] * token_count][: token_count + 1]
        return list(enumerate(np.minimum(np.cumsum(padded), frame_count - 1).tolist()))

    passage = Passage(start, start + length, text, "en")
    check(passage, WhisperAligner(FakeModel(wandering)).align_passage(AUDIO, passage))


def test_a_failed_alignment_loses_no_word_and_says_so():
    passage = Passage(0.0, 10.0, "one two", "en", (SpeechRegion(2.0, 3.0), SpeechRegion(6.0, 7.0)))
    words = WhisperAligner(FakeModel(failing)).align_passage(AUDIO, passage)
    assert [(word.start, word.end, word.source) for word in words] == [
        (2.0, 3.0, "interpolated"),
        (6.0, 7.0, "interpolated"),
    ]


def test_a_machine_without_memory_is_not_hidden():
    def exhausted(token_count, frame_count):
        raise RuntimeError("CUDA failed with error out of memory")

    with pytest.raises(OutOfMemory):
        list(WhisperAligner(FakeModel(exhausted)).align(AUDIO, PASSAGES))


def test_only_short_windows_are_encoded_without_padding():
    model = FakeModel(evenly)
    windows = [Passage(0.0, 3.0, "short", "en"), Passage(3.0, 32.0, "long", "en")]
    list(WhisperAligner(model).align(AUDIO, windows))
    assert model.encoded == [(0.0, 3.0, False), (3.0, 32.0, True)]


def test_a_language_too_new_for_the_model_is_prompted_as_its_nearest():
    model = FakeModel(evenly)
    passages = [Passage(0.0, 3.0, "a", code) for code in ("de", "yue", "xx")]
    list(WhisperAligner(model).align(AUDIO, passages))
    assert [language for language, _ in model.tokenizer.asked] == ["de", "zh", "en"]


def test_passages_are_taken_as_they_are_needed_and_closing_stops():
    taken = []

    def recognized():
        for position in range(100):
            taken.append(position)
            yield Passage(position / 10, position / 10 + 1, f"word{position}", "en")

    model = FakeModel(evenly, workers=2)
    words = WhisperAligner(model).align(AUDIO, recognized())
    assert next(words)[0].text == "word0"
    assert next(words)[0].text == "word1"
    words.close()
    assert len(taken) <= 2 + 3
    assert len(model.encoded) <= 2 + 3


@pytest.fixture(scope="module")
def real_aligner(models_dir):
    heads = CHARACTER_HEADS["whisper-base"]
    return WhisperAligner(WhisperModel.load(models_dir / "whisper-base", workers=1, threads=1, alignment_heads=heads))


# Four utterances of the sample conversation and when its reference says that they begin and end.
CLIP = (6.4, 11.1)
SAID = "Hello? Hello? Oh, hello. I didn't know you were there. Neither did I."
UTTERANCES = {0: (6.69, 7.12), 1: (7.55, 8.35), 2: (8.32, 10.02), 10: (9.92, 11.03)}
LAST_WORDS = {0: 0, 1: 1, 2: 9, 10: 12}


@pytest.fixture(scope="module")
def clip(sample_conversation):
    with wave.open(str(sample_conversation)) as file:
        assert (file.getframerate(), file.getnchannels()) == (SAMPLE_RATE, 1)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    return samples[round(CLIP[0] * SAMPLE_RATE) : round(CLIP[1] * SAMPLE_RATE)]


def silence(seconds):
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@pytest.mark.models
def test_words_lie_where_they_are_said(real_aligner, clip):
    words = align_text(real_aligner, Audio.from_array(clip), SAID, "en")
    assert len(words) == 13
    assert [word.source for word in words[:12]] == ["aligned"] * 12
    for first, (start, end) in UTTERANCES.items():
        assert words[first].start + CLIP[0] == pytest.approx(start, abs=0.25)
        assert words[LAST_WORDS[first]].end + CLIP[0] == pytest.approx(end, abs=0.5)


@pytest.mark.models
def test_times_move_with_the_recording_and_silence_stays_empty(real_aligner, clip):
    still = align_text(real_aligner, Audio.from_array(clip), SAID, "en")
    moved = align_text(real_aligner, Audio.from_array(np.concatenate([silence(4.0), clip, silence(3.0)])), SAID, "en")
    shifts = [after.start - before.start for before, after in zip(still, moved, strict=True)]
    assert shifts[1:] == pytest.approx([4.0] * 12, abs=0.1)
    assert moved[0].start > 4.0
    assert moved[-1].end < 4.0 + len(clip) / SAMPLE_RATE + 0.05


@pytest.mark.models
def test_a_dense_window_is_aligned_in_pieces_that_agree(real_aligner, clip):
    """Six times the same 4.7 s: 443 tokens, more than the decoder holds. Repetition is the hardest text to place."""
    period = len(clip) / SAMPLE_RATE
    audio = Audio.from_array(np.tile(clip, 6))
    words = align_text(real_aligner, audio, " ".join([SAID] * 6), "en")
    starts = np.array([word.start for word in words]).reshape(6, 13) - np.arange(6)[:, None] * period
    assert np.mean(np.abs(starts - np.median(starts, axis=0)) < 0.1) > 0.8


@pytest.mark.models
def test_a_wrong_word_is_less_certain(real_aligner, clip):
    right = align_text(real_aligner, Audio.from_array(clip), SAID, "en")
    wrong = align_text(real_aligner, Audio.from_array(clip), SAID.replace("Neither", "Bananas"), "en")
    assert wrong[10].text == " Bananas"
    assert wrong[10].confidence < right[10].confidence


@pytest.mark.models
@pytest.mark.parametrize(
    ("text", "language"), [("我不知道你在那里。", "zh"), ("Das kostet 3,50 € oder 100 %.", "de"), ("ฉันไม่รู้", "th")]
)
def test_other_scripts_digits_and_signs_have_times(real_aligner, clip, text, language):
    passage = Passage(0.0, len(clip) / SAMPLE_RATE, text, language)
    check(passage, real_aligner.align_passage(Audio.from_array(clip), passage))


@pytest.mark.models
def test_noise_makes_the_silence_rule_step_back(real_aligner, clip, rng):
    power = float(np.mean(np.square(clip)))
    noisy = clip + rng.standard_normal(len(clip)).astype(np.float32) * np.sqrt(power / 10)
    assert find_silences(noisy) == []
    words = align_text(real_aligner, Audio.from_array(noisy), SAID, "en")
    assert words[10].start + CLIP[0] == pytest.approx(9.92, abs=0.35)
