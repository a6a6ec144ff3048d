"""Words to segments: a segment is a sentence, or a piece of one, by one speaker in one language.

A segment ends where the speaker or the language changes, where a sentence ends, and at a long pause. What is
still longer than a reader can follow is cut at its longest pauses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wortlaut.transcript import Passage, Segment, Word

LONG_PAUSE = 2.0
"""Seconds of silence after which a new segment starts even inside a sentence."""

LONGEST_SEGMENT = 30.0
"""Seconds: Whisper's window, and more than anybody wants to see as one subtitle or paragraph."""

_SENTENCE_END = re.compile(r"[.!?…。！？｡؟।]+[\"'”’»«)\]」』）]*$")
_ORDINAL = re.compile(r"^[\"'(]*\d{1,3}\.$")
_INITIAL = re.compile(r"^[\"'(]*(?!I\.)[^\W\d_]\.$")  # "So did I." is no initial
_WRITES_ORDINALS_WITH_A_POINT = frozenset(
    {"cs", "da", "de", "et", "fi", "hr", "hu", "is", "lb", "lv", "nn", "no", "sk", "sl"}
)
_ABBREVIATIONS = {
    # Those after which a sentence hardly ever ends. One that is not listed costs a split, never a word.
    "en": frozenset(
        {"approx.", "dr.", "e.g.", "fig.", "i.e.", "jr.", "mr.", "mrs.", "ms.", "prof.", "sr.", "st.", "vs."}
    ),
    "de": frozenset(
        {
            "bzw.",
            "ca.",
            "d.h.",
            "dr.",
            "evtl.",
            "fr.",
            "ggf.",
            "hr.",
            "inkl.",
            "nr.",
            "prof.",
            "st.",
            "str.",
            "u.a.",
            "vgl.",
            "z.b.",
            "zzgl.",
        }
    ),
    "fr": frozenset({"m.", "mm.", "mme.", "mlle.", "dr.", "st.", "av."}),
    "es": frozenset({"sr.", "sra.", "srta.", "dr.", "dra.", "ud.", "uds."}),
    "it": frozenset({"sig.", "dott.", "avv.", "prof.", "ing."}),
}


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A word with what its passage says of it."""

    word: Word
    passage: Passage


def split(timed: Iterable[tuple[Passage, Sequence[Word]]]) -> list[Segment]:
    """Cut passages with their words into segments. No word is lost and none changes.

    A sentence that runs on from one passage into the next stays whole.
    """
    spoken = [_Spoken(word, passage) for passage, words in timed for word in words]
    return [_segment(part) for sentence in _sentences(spoken) for part in _bounded(sentence)]


def _segment(part: Sequence[_Spoken]) -> Segment:
    words = tuple(item.word for item in part)
    total = sum(item.passage.avg_logprob for item in part)
    return Segment(words, part[0].passage.language, total / len(part))


def _sentences(spoken: Sequence[_Spoken]) -> Iterator[list[_Spoken]]:
    current: list[_Spoken] = []
    for item in spoken:
        if current and _is_break(current[-1], item):
            yield current
            current = []
        current.append(item)
    if current:
        yield current


def _is_break(before: _Spoken, after: _Spoken) -> bool:
    return (
        before.word.speaker != after.word.speaker
        or before.passage.language != after.passage.language
        or after.word.start - before.word.end >= LONG_PAUSE
        or ends_sentence(before.word.text, after.word.text, before.passage.language)
    )


def ends_sentence(text: str, following: str, language: str) -> bool:
    """Tell whether a sentence ends between two neighbouring words, punctuation included in the first.

    Ordinals (3. März), initials (J. S. Bach) and common abbreviations do not end one, nor does a mark before
    a word that goes on in lower case.
    """
    mark = text.strip()
    if not _SENTENCE_END.search(mark) or following.strip()[:1].islower():
        return False
    is_ordinal = language in _WRITES_ORDINALS_WITH_A_POINT and _ORDINAL.match(mark)
    return not (is_ordinal or _INITIAL.match(mark) or mark.lower() in _ABBREVIATIONS.get(language, frozenset()))


def _bounded(sentence: list[_Spoken]) -> Iterator[list[_Spoken]]:
    """Cut at the longest pause until every part is short enough; one endless word stays whole."""
    pending = [sentence]
    while pending:
        part = pending.pop()
        if len(part) == 1 or part[-1].word.end - part[0].word.start <= LONGEST_SEGMENT:
            yield part
            continue
        cut = _longest_pause(part)
        pending += [part[cut:], part[:cut]]


def _longest_pause(part: Sequence[_Spoken]) -> int:
    """Return the index of the word after the longest pause; the most central one of equals."""
    middle = len(part) / 2
    return max(
        range(1, len(part)),
        key=lambda index: (part[index].word.start - part[index - 1].word.end, -abs(index - middle)),
    )
