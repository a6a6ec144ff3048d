"""Whether the text of a window was said: Whisper's doubts, the aligner's confidence and a second look, together.

No sign is enough to drop a text, because each fails for some honest speech: whispering, music behind a voice, a bad
line. What is dropped needs the second look that hears nobody, or three other signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wortlaut.options import Decoding
from wortlaut.transcript import Outcome, Passage, Word
from wortlaut.trust.listening import Listen
from wortlaut.trust.phantoms import is_phantom
from wortlaut.trust.spans import Span, shared

UNHEARD_CONFIDENCE = 0.5
"""Below this confidence of an average letter, the words of a window do not fit the sound: even odds in the aligner's
own measure. Windows of real speech had 0.6 to 0.97, laughter and clipped syllables 0.02 to 0.24."""
NOBODY_SHARE = 0.2
"""Of the first detector's speech: if the second hears less of it, nobody speaks."""
SIGNS_WITHOUT_SECOND_LOOK = 3

UNHEARD = "the words do not fit the sound"
SILENT = "the model hears no speech"
PHANTOM = "the phrase is one that is often invented"
REPEATED = "the windows around say the same"
NOBODY = "a second look hears nobody"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the text of a window, and why."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()


def judge(
    passage: Passage, words: Sequence[Word], decoding: Decoding, listen: Listen, *, is_repeated: bool = False
) -> Verdict:
    """Judge the text of a passage whose words are aligned.

    `is_repeated`: the passages around it have the same text. The second look costs something, so it is taken only if
    there is a sign against the text.
    """
    if not words:
        return _without_words(passage)
    signs = _signs(passage, words, decoding, is_repeated=is_repeated)
    if not signs:
        return Verdict("kept")
    heard_nobody = hears_nobody(passage, listen)
    if heard_nobody or len(signs) >= SIGNS_WITHOUT_SECOND_LOOK:
        return Verdict("dropped", (*signs, NOBODY) if heard_nobody else signs)
    is_weak = not passage.doubts and UNHEARD not in signs
    return Verdict("kept") if is_weak else Verdict("doubted", signs)


def _without_words(passage: Passage) -> Verdict:
    """The recognizer itself has dropped what it wrote, if it wrote anything."""
    wrote = any(trial.text for trial in passage.trials)
    return Verdict("dropped", (SILENT,)) if wrote else Verdict("kept")


def _signs(passage: Passage, words: Sequence[Word], decoding: Decoding, *, is_repeated: bool) -> tuple[str, ...]:
    confidence = mean_confidence(words)
    threshold = decoding.no_speech_threshold
    signs = {
        UNHEARD: confidence is not None and confidence < UNHEARD_CONFIDENCE,
        SILENT: threshold is not None and passage.no_speech_prob > threshold,
        PHANTOM: is_phantom(passage.text),
        REPEATED: is_repeated,
    }
    return (*passage.doubts, *(sign for sign, applies in signs.items() if applies))


def mean_confidence(words: Sequence[Word]) -> float | None:
    """Return the confidence of an average letter; None if no word has one."""
    known = [(word.confidence, len(word.text.strip())) for word in words if word.confidence is not None]
    letters = sum(count for _, count in known)
    return sum(confidence * count for confidence, count in known) / letters if letters else None


def hears_nobody(passage: Passage, listen: Listen) -> bool:
    """Whether a second look finds next to none of the speech in which a text was heard."""
    regions = passage.regions or (Span(passage.start, passage.end),)
    heard = listen(Span(passage.start, passage.end))
    spoken = sum(region.end - region.start for region in regions)
    return sum(shared(Span(region.start, region.end), heard) for region in regions) < NOBODY_SHARE * spoken
