"""What the decoder is told before it writes: words to expect, a style to follow, language and task."""

from __future__ import annotations

from wortlaut.options import Decoding, Task
from wortlaut.recognition.tokenizer import WhisperTokenizer
from wortlaut.recognition.verbatim import PROMPTS

CONTEXT_TOKENS = 448
"""What Whisper's decoder holds: prompt and text together."""
PROMPT_TOKENS = CONTEXT_TOKENS // 2 - 1
"""What may stand before the start of the transcript; as in openai/whisper, half is left for the text."""


def prompt_tokens(tokenizer: WhisperTokenizer, decoding: Decoding, *, language: str, task: Task) -> list[int]:
    """Return the tokens that every window starts with. The text follows without timestamp tokens.

    Raises `UnknownLanguage` if the model does not know the language.
    """
    told = _told(tokenizer, decoding, "en" if task == "translate" else language)
    previous = [tokenizer.sot_prev, *told] if told else []
    return [*previous, *tokenizer.sot_sequence(language, task), tokenizer.no_timestamps]


def is_truncated(tokenizer: WhisperTokenizer, decoding: Decoding, language: str) -> bool:
    """Whether hotwords and prompts together are longer than what fits; the text is written in `language`."""
    hotwords, style = _encoded(tokenizer, decoding.hotwords), _encoded(tokenizer, _style(decoding, language))
    return len(hotwords) + len(style) > PROMPT_TOKENS


def _told(tokenizer: WhisperTokenizer, decoding: Decoding, language: str) -> list[int]:
    """Hotwords keep their first tokens, the initial prompt its last: what stands nearest to the text counts most."""
    hotwords = _encoded(tokenizer, decoding.hotwords)[:PROMPT_TOKENS]
    style = _encoded(tokenizer, _style(decoding, language))
    room = PROMPT_TOKENS - len(hotwords)
    return [*hotwords, *style[max(len(style) - room, 0) :]]


def _style(decoding: Decoding, language: str) -> str:
    fillers = PROMPTS.get(language, "") if decoding.verbatim else ""
    return f"{decoding.initial_prompt or ''} {fillers}".strip()


def _encoded(tokenizer: WhisperTokenizer, text: str | None) -> list[int]:
    return tokenizer.encode(" " + text.strip()) if text and text.strip() else []


def suppressed_tokens(tokenizer: WhisperTokenizer, decoding: Decoding) -> list[int]:
    """Return the tokens that must not be written; -1 in the options stands for the list of symbols."""
    suppressed = set(tokenizer.control_tokens) | {token for token in decoding.suppress_tokens if token >= 0}
    if -1 in decoding.suppress_tokens:
        suppressed.update(tokenizer.non_speech_tokens)
    if decoding.suppress_numerals:
        suppressed.update(tokenizer.numeral_tokens)
    return sorted(suppressed)
