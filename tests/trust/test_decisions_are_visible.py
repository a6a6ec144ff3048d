"""Whatever is decided about a text can be read in `--explain` and in the JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from wortlaut.audio import SAMPLE_RATE, SpeechRegion, Window
from wortlaut.cli.explaining import lines
from wortlaut.formats import FORMATS
from wortlaut.options import Decoding
from wortlaut.testing import silence
from wortlaut.transcript import OUTCOMES, Passage, Provenance, Transcript, Trial, Word
from wortlaut.trust.audit import Auditor
from wortlaut.trust.judging import NOBODY, UNHEARD
from wortlaut.trust.spans import Span

from .conftest import at_level

SPEECH = ((0.0, 4.0), (10.0, 14.0), (30.0, 34.0))
USUAL = Trial("as usual", " Na so was.", -0.2, 0.1, 0.9)
AGAIN = (replace(USUAL, doubts=("it repeats itself",)), replace(USUAL, way="without repetition"))


def heard(start, confidence=0.9, trials=(USUAL,)):
    text = f" {start:.0f} Sekunden."
    passage = Passage(start, start + 4.0, text, "de", (SpeechRegion(start, start + 4.0),), trials=trials)
    words = [Word(f" {word}", start + at, start + at + 1, confidence) for at, word in enumerate(text.split())]
    return passage, words


def listen(span):
    inside = (Span(*one).within(span.start, span.end) for one in SPEECH)
    return [SpeechRegion(one.start, one.end) for one in inside if one.length > 0]


def pack(_audio, regions):
    return [Window(one.start, one.end, (one,)) for one in regions]


@pytest.fixture
def decisions():
    """One of each kind: kept after decoding again, doubted, dropped, recovered."""
    timed = [heard(0.0, trials=AGAIN), heard(10.0, confidence=0.2), heard(20.0, confidence=0.2)]
    speech = [Span(*one) for one in SPEECH]
    auditor = Auditor(silence(60.0), Decoding(), listen, pack, lambda _: [heard(30.0)], lambda _: False, speech)
    return auditor.audit(timed).decisions


def test_every_stretch_has_its_decision(decisions):
    assert [(one.start, one.outcome) for one in decisions] == [
        *[(0.0, "kept"), (10.0, "doubted"), (20.0, "dropped"), (30.0, "recovered")],
    ]
    assert {one.outcome for one in decisions} == set(OUTCOMES)


def test_explain_says_each_decision_its_reasons_and_what_was_tried(decisions):
    kept, doubted, dropped, recovered = ("\n".join(lines(one)) for one in decisions)
    assert "00:00:00.000 - 00:00:04.000  kept" in kept
    assert kept.index("it repeats itself") < kept.index("without repetition")
    assert f"doubted: {UNHEARD}" in doubted
    assert f"dropped: {UNHEARD}, {NOBODY}" in dropped
    assert "00:00:30.000 - 00:00:34.000  recovered" in recovered


def test_the_json_has_each_decision_its_reasons_and_what_was_tried(decisions):
    transcript = Transcript((), (), "de", 60.0, Provenance(decisions=decisions))
    written = json.loads(FORMATS["json"].render(transcript))["provenance"]["decisions"]
    assert [one["outcome"] for one in written] == ["kept", "doubted", "dropped", "recovered"]
    assert [trial["way"] for trial in written[0]["trials"]] == ["as usual", "without repetition"]
    assert written[2]["reasons"] == [UNHEARD, NOBODY]


@pytest.mark.models
def test_every_stretch_that_was_decoded_has_a_decision_with_real_models(transcribe, conversation, rng):
    sound = np.concatenate([conversation, at_level(rng.normal(size=5 * SAMPLE_RATE), -30)])
    transcript = transcribe(sound)
    decided = transcript.provenance.decisions
    assert all(one.trials for one in decided)
    middles = [(word.start + word.end) / 2 for word in transcript.words]
    assert all(any(one.start <= middle <= one.end for one in decided) for middle in middles)
    for notice in transcript.warnings:
        if notice.code in {"low-confidence", "window-without-speech"}:
            assert any((one.start, one.end) == (notice.start, notice.end) for one in decided)
