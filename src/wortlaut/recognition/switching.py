"""Recordings in which people switch between languages: a window that is in another one is written down in that.

Whisper translates what it is told to expect in the wrong language, fluently and without a word about it. So each window
is asked for its language, which costs one step of the decoder. The language of the recording holds unless the window is
sure of another, and the text in that other is the more probable one: accents and names alone change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from wortlaut.audio import Window
from wortlaut.recognition.fallback import Finding
from wortlaut.recognition.language_vote import speech_seconds

SURE_OF_ANOTHER = 0.7
"""Probability of another language from which on its text is looked at."""
SURE_FROM_LITTLE = 0.9
"""The same for windows with less than SHORT_SPEECH: a few words sound like many languages."""
SHORT_SPEECH = 5.0
"""Seconds."""

Decode = Callable[[Sequence[Window], str], Sequence[Finding]]


def allowed(probabilities: Mapping[str, float], languages: Sequence[str]) -> dict[str, float]:
    """Return the probabilities among the languages that may occur; among all if none is named."""
    among = {code: value for code, value in probabilities.items() if not languages or code in languages}
    total = sum(among.values())
    return {code: value / total for code, value in among.items()} if total else dict.fromkeys(languages, 0.0)


def other_language(probabilities: Mapping[str, float], usual: str, window: Window) -> str | None:
    """Return the language that a window is surely in, if it is not the usual one."""
    best = max(probabilities, key=lambda code: probabilities[code], default=usual)
    needed = SURE_FROM_LITTLE if speech_seconds(window) < SHORT_SPEECH else SURE_OF_ANOTHER
    return best if best != usual and probabilities[best] >= needed else None


def switched(
    windows: Sequence[Window], findings: Sequence[Finding], others: Sequence[str | None], usual: str, decode: Decode
) -> list[tuple[Finding, str]]:
    """Return for each window its finding and language, after decoding those again that are in another language.

    `others` names that language, or None. Windows of one language are decoded together.
    """
    chosen = [(finding, usual) for finding in findings]
    for language, positions in _by_language(others).items():
        again = decode([windows[position] for position in positions], language)
        for position, finding in zip(positions, again, strict=True):
            if _is_better(finding, findings[position]):
                chosen[position] = (finding, language)
    return chosen


def _by_language(others: Sequence[str | None]) -> dict[str, list[int]]:
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for position, language in enumerate(others):
        if language:
            positions[language].append(position)
    return positions


def _is_better(finding: Finding, usual: Finding) -> bool:
    """Whether a text in another language is the more credible one."""
    if bool(finding.doubts) != bool(usual.doubts):
        return not finding.doubts
    return bool(finding.candidate.text) and finding.candidate.avg_logprob > usual.candidate.avg_logprob
