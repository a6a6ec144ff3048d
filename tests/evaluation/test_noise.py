"""bench/noise.py and bench/noisy_speech.py: how recordings are mixed and what is counted, without any model."""

from __future__ import annotations

import importlib
import json
import math
import wave

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.notice import Notice
from wortlaut.transcript import Turn, Word

from .test_bench import BENCH

SENTENCE = 2 * SAMPLE_RATE


@pytest.fixture
def noisy(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("noisy_speech")


@pytest.fixture
def noise(monkeypatch, noisy):
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("noise")


class Tones:
    """A transcriber that decodes every file to two seconds of a tone."""

    def decode(self, _media):
        return Audio.from_array((0.1 * np.sin(np.arange(SENTENCE) * 0.2)).astype(np.float32))


@pytest.fixture
def studio(noisy, tmp_path):
    """Sets of eight sentences in every language that is asked for."""
    for source in noisy.SOURCES:
        folder = tmp_path / source.chosen
        folder.mkdir(exist_ok=True)
        lines = [
            {"id": f"{code}{number}", "audio": "x.wav", "lang": code}
            for code in ("en", "de", "es", "fr")
            for number in range(8)
        ]
        (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
        for line in lines:
            (folder / f"{line['id']}.ref.txt").write_text(f"sentence {line['id']}")
    return noisy.Studio(Tones(), tmp_path, 0)


def level_db(samples):
    return 20 * math.log10(np.sqrt(np.mean(np.square(samples))))


def samples_of(recording):
    with wave.open(str(recording.file)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


@pytest.mark.parametrize(
    ("sound", "ratio_db"), [("pink noise", 5.0), ("white noise", 5.0), ("computed music", 0.0), ("babble", 10.0)]
)
def test_noise_lies_as_far_below_the_speech_as_asked_for(studio, noisy, tmp_path, sound, ratio_db):
    recording = next(studio.recordings(noisy.Condition("x", sound, ratio_db), tmp_path / "made"))
    samples, [first, *_] = samples_of(recording), recording.turns
    spoken = samples[round(first.start * SAMPLE_RATE) : round(first.end * SAMPLE_RATE)]
    pauses = samples[round((first.end + 0.01) * SAMPLE_RATE) : round((first.end + 0.99) * SAMPLE_RATE)]
    expected = 10 * math.log10(1 + 10 ** (ratio_db / 10))
    assert level_db(spoken) - level_db(pauses) == pytest.approx(expected, abs=1.5)  # noise has loud and soft seconds


def test_every_other_sentence_is_softer(studio, noisy, tmp_path):
    condition = noisy.Condition("x", softer_db=15.0, least_sentences=6)
    made = list(studio.recordings(condition, tmp_path / "made"))
    assert len(made) == sum(source.sentences >= 6 for source in noisy.SOURCES)
    samples = samples_of(made[0])
    loud, soft = (
        level_db(samples[round(turn.start * SAMPLE_RATE) : round(turn.end * SAMPLE_RATE)]) for turn in made[0].turns[:2]
    )
    assert loud - soft == pytest.approx(15.0, abs=0.1)


def test_the_halves_share_no_sentence_and_a_recording_is_made_once(studio, noisy, tmp_path):
    other = noisy.Studio(studio.transcriber, studio.folder, 1)
    condition = noisy.Condition("x", "pink noise", 5)
    one, two = (next(each.recordings(condition, tmp_path / str(each.half))) for each in (studio, other))
    assert not set(one.texts) & set(two.texts)
    one.file.write_bytes(b"made before")
    again = next(studio.recordings(condition, tmp_path / "0"))
    assert (again, again.file.read_bytes()) == (one, b"made before")


def recording(noisy, tmp_path, *texts):
    turns = tuple(Turn(10.0 * number, 10.0 * number + 5, "speaker") for number in range(len(texts)))
    return noisy.Recording(tmp_path / "a.wav", "en", texts, turns)


def test_errors_belong_to_their_sentence(noisy, noise, tmp_path):
    truth = recording(noisy, tmp_path, "the train is late", "so we wait", "here")
    told = noise.sentences(truth, noise.Heard("the rain is very late here", ()))
    assert [(one.deleted, one.inserted, one.substituted, one.is_lost) for one in told] == [
        (0, 1, 1, False),
        (3, 0, 0, True),
        (0, 0, 0, False),
    ]
    assert [one.is_lost for one in noise.sentences(truth, noise.Heard("", ()))] == [True] * 3


def test_words_where_nobody_speaks_are_counted(noisy, noise, tmp_path):
    truth = recording(noisy, tmp_path, "one", "two")
    words = [Word(" one", 1.0, 2.0), Word(" what", 7.0, 8.0), Word(" two", 15.1, 15.7)]
    assert noise.words_outside(truth, words) == 1
    assert noise.row("clean", "us", [(truth, noise.Heard("one what two", tuple(words)))]).startswith(
        "| clean | us | 50.0 ("
    )


@pytest.mark.parametrize(
    ("notices", "unsaid"),
    [
        ([], 1),
        ([Notice("uncovered-speech", "", 11.0, 15.0)], 0),
        ([Notice("low-confidence", "", 10.0, 11.5), Notice("uncovered-speech", "", 11.0, 12.5)], 0),
        ([Notice("low-confidence", "", 10.0, 12.4)], 1),
        ([Notice("low-confidence", "", 0.0, 5.0)], 1),
        ([Notice("speakers-unused", "", 10.0, 15.0), Notice("language-uncertain", "")], 1),
    ],
)
def test_a_lost_sentence_is_said_if_notices_lie_over_half_of_it(noisy, noise, tmp_path, notices, unsaid):
    truth = recording(noisy, tmp_path, "one two", "so we wait")
    assert noise.lost_unsaid(truth, noise.Heard("one two", (), tuple(notices))) == unsaid


def test_nothing_is_unsaid_where_nothing_is_lost(noisy, noise, tmp_path):
    assert noise.lost_unsaid(recording(noisy, tmp_path, "one two"), noise.Heard("one too", ())) == 0


def test_answers_are_kept(noisy, noise, tmp_path):
    truth = recording(noisy, tmp_path, "one")
    heard = noise.Heard("one", (Word(" one", 1.0, 2.0),), (Notice("low-confidence", "Perhaps.", 1.0, 2.0),))
    assert noise.known([truth], "us") is None
    assert noise.kept([truth], "us", iter([heard])) == noise.known([truth], "us")
