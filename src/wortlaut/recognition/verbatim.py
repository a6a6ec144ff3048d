"""Prompts that lead Whisper to write down what it tends to leave out: fillers, repetitions, false starts.

It was trained on tidy subtitles and goes on in the style of what stands before. A prompt full of fillers makes it keep
more of them, not all: what it does not write cannot be had from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from wortlaut.notice import Notice

PROMPTS: Mapping[str, str] = MappingProxyType(
    {
        "da": "Øh, altså, øhm, jeg, jeg tænkte, øh, at, at vi, øhm, skulle gå.",
        "de": "Ähm, also, äh, ich, ich dachte, ähm, dass wir, wir das, äh, irgendwie machen sollten, hm.",
        "en": "Um, so, uh, I, I was, um, thinking, uh, you know, that, that we, we should, uh, go, hmm.",
        "es": "Eh, bueno, eh, yo, yo pensaba, em, que, que deberíamos, este, ir, ajá.",
        "fr": "Euh, donc, euh, je, je pensais, ben, qu'on, euh, qu'on devrait, hum, y aller.",
        "it": "Ehm, allora, eh, io, io pensavo, ehm, che, che dovremmo, cioè, andare, mh.",
        "ja": "えーと、あのー、その、えー、私、私は、あの、行こうと、えっと、思います。",
        "nl": "Uh, dus, ehm, ik, ik dacht, eh, dat, dat we, uh, moeten gaan, hm.",
        "no": "Eh, altså, øh, jeg, jeg tenkte, eh, at, at vi, øh, burde gå.",
        "pl": "Yyy, no, eee, ja, ja myślałem, yyy, że, że powinniśmy, eee, iść.",
        "pt": "Hum, então, eh, eu, eu pensei, ahn, que, que a gente, hum, devia ir.",
        "ru": "Э-э, ну, эм, я, я думал, э-э, что, что нам, эм, надо идти.",
        "sv": "Öh, alltså, eh, jag, jag tänkte, öhm, att, att vi, öh, borde gå.",
    }
)
"""One sentence a language, with its fillers, repeated words and broken beginnings."""


def verbatim_notices(languages: Iterable[str]) -> Iterator[Notice]:
    """Say what the verbatim style can and cannot do for segments in these languages."""
    found = set(languages)
    if found & PROMPTS.keys():
        message = "Whisper was led to keep fillers, repetitions and false starts; it still leaves out some of them."
        yield Notice("verbatim-incomplete", message)
    unknown = sorted(found - PROMPTS.keys())
    if unknown:
        message = f"There is no prompt for fillers in: {', '.join(unknown)}; there the text is as without --verbatim."
        yield Notice("verbatim-unsupported", message)
