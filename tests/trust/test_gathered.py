"""What was heard in several windows at once stays only if nothing speaks against it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wortlaut.audio import SpeechRegion, Window
from wortlaut.testing import silence
from wortlaut.transcript import Passage, Word
from wortlaut.trust.gathered import heard_together, may_stay

SENTENCE = (" This", " is", " what", " was", " said.")


def said(start: float, *, confidence: float | None = 0.9) -> tuple[Passage, list[Word]]:
    """Return two seconds with a sentence."""
    words = [
        Word(text, start + 0.4 * index, start + 0.4 * index + 0.4, confidence) for index, text in enumerate(SENTENCE)
    ]
    return Passage(start, start + 2, "".join(SENTENCE), "en", (SpeechRegion(start, start + 2),)), words


def test_a_text_without_any_doubt_stays():
    assert may_stay([said(0.0), said(10.0)])
    assert may_stay([said(0.0, confidence=None)])


def doubtful():
    passage, words = said(10.0)
    yield "no words", (replace(passage, text=""), [])
    yield "a doubt", (replace(passage, doubts=("the model is unsure",)), words)
    yield "perhaps two languages", (replace(passage, other_language_share=0.2), words)
    yield "words that do not fit", said(10.0, confidence=0.3)
    yield "speech without words", (replace(passage, regions=(SpeechRegion(10, 12), SpeechRegion(13, 14.5))), words)
    yield "few words", (replace(passage, text=" Oh", regions=(SpeechRegion(10, 12),)), [Word(" Oh", 10.5, 11.5, 0.9)])


@pytest.mark.parametrize("part", [pytest.param(part, id=name) for name, part in doubtful()])
def test_any_doubt_about_one_lets_all_go(part):
    assert not may_stay([said(0.0), part])


def window(start: float) -> Window:
    return Window(start, start + 2, (SpeechRegion(start, start + 2),))


def heard_well(_sound, windows):
    """Hear a sentence every two seconds."""
    for one in windows:
        parts = [said(region.start) for region in one.regions]
        text = "".join(passage.text for passage, _ in parts)
        yield Passage(one.start, one.end, text, "en", one.regions), [word for _, words in parts for word in words]


def test_sentences_are_where_their_windows_are():
    timed, alone = heard_together(silence(100.0), [[window(10), window(40)], [window(70), window(90)]], heard_well)
    assert alone == []
    assert [(passage.start, passage.end) for passage, _ in timed] == [(10, 12), (40, 42), (70, 72), (90, 92)]
    assert [words[0].start for _, words in timed] == pytest.approx([10, 40, 70, 90])


def test_each_group_is_a_step_of_the_recording():
    """Silence for as long as all of them take would look like a hang."""
    steps: list[float] = []
    groups = [[window(10), window(40)], [window(70), window(90)]]
    heard_together(silence(100.0), groups, heard_well, advance=steps.append)
    assert steps == [group[-1].end for group in groups]


def test_what_is_doubtful_is_to_be_heard_by_itself():
    def heard(sound, windows):
        first, second = heard_well(sound, windows)
        return [(replace(first[0], doubts=("it repeats itself",)), first[1]), second]

    groups = [[window(10), window(40)], [window(70), window(90)]]
    timed, alone = heard_together(silence(100.0), groups, heard)
    assert alone == groups[0]
    assert [passage.start for passage, _ in timed] == [70, 90]


def test_nothing_is_heard_without_company():
    def never(_sound, _windows):
        raise AssertionError("there is nothing to hear")

    assert heard_together(silence(10.0), [], never) == ([], [])
