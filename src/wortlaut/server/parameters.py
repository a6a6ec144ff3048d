"""Parameters as clients really send them: in the query or in the form, under every name they have been given.

A parameter that has no effect here is answered with a warning, so that nobody believes it had one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from wortlaut.errors import InvalidOption, UnknownModel
from wortlaut.models.catalog import MODELS
from wortlaut.models.entry import HubSource, ModelEntry
from wortlaut.notice import Notice
from wortlaut.options import Channels, Decoding, Numerals, Options, Speakers, Task
from wortlaut.recognition.languages import parse_language

OPENAI_MODELS = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
)
"""Names that mean: the model of this service."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "language": ("language",),
    "languages": ("languages", "languages[]"),
    "model": ("model",),
    "task": ("task",),
    "words": ("words", "align", "align_words"),
    "speakers": ("speakers",),
    "diarize": ("diarize", "enable_diarization"),
    "min_speakers": ("min_speakers",),
    "max_speakers": ("max_speakers",),
    "num_speakers": ("num_speakers",),
    "initial_prompt": ("initial_prompt", "prompt"),
    "hotwords": ("hotwords", "keywords", "keywords[]"),
    "temperature": ("temperature",),
    "beam_size": ("beam_size",),
    "verbatim": ("verbatim",),
    "numerals": ("numerals",),
    "suppress_numerals": ("suppress_numerals",),
    "channels": ("channels",),
    "channel_labels": ("channel_labels", "channel_labels[]"),
    "format": ("response_format", "output", "output_format", "format"),
    "granularities": ("timestamp_granularities[]", "timestamp_granularities"),
    "stream": ("stream",),
    "url": ("url",),
    "cache": ("cache",),
    "upload": ("upload", "upload_id"),
    "webhook": ("webhook", "callback_url"),
    "encode": ("encode",),
    "word_timestamps": ("word_timestamps",),
}
"""What a parameter means, and what it is called by the clients of each API."""

ALWAYS_SO = frozenset({"vad_filter", "chunking_strategy", "batch_size"})
"""Speech is always found first and cut at pauses; the batch is a setting of the service."""

LARGEST = 100
"""Of anything that can be counted: more beams cost memory and gain nothing, more speakers cannot be told apart."""

_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})
_KNOWN = {spelling: meaning for meaning, spellings in ALIASES.items() for spelling in spellings}


@dataclass(frozen=True, slots=True)
class Parameters:
    """All parameters of a request by their meaning. `unknown` are names that mean nothing here."""

    values: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...] = ()

    @classmethod
    def gather(cls, given: Iterable[tuple[str, str]]) -> Parameters:
        """Sort what query and form have brought; what is empty counts as not given."""
        values: dict[str, tuple[str, ...]] = {}
        unknown = []
        for name, raw in given:
            value = raw.replace("\0", "")  # which no database can hold, and no language has
            if name not in _KNOWN:
                unknown.append(name)
            elif value.strip():
                meaning = _KNOWN[name]
                values[meaning] = (*values.get(meaning, ()), value.strip())
        return cls(values, tuple(unknown))

    def text(self, meaning: str) -> str | None:
        """Return the last value given: the form stands after the query."""
        return self.values[meaning][-1] if meaning in self.values else None

    def listed(self, meaning: str) -> tuple[str, ...]:
        """Return all values: repeated, or separated by commas."""
        given = (each.strip() for value in self.values.get(meaning, ()) for each in value.split(","))
        return tuple(each for each in given if each)

    def flag(self, meaning: str, *, default: bool) -> bool:
        text = self.text(meaning)
        if text is None:
            return default
        if text.lower() not in _TRUE | _FALSE:
            raise InvalidOption(f"{meaning}={text} is neither true nor false.", hint="Give true or false.")
        return text.lower() in _TRUE

    def number(self, meaning: str) -> int | None:
        text = self.text(meaning)
        if text is None:
            return None
        try:
            number = int(text)
        except ValueError:
            raise InvalidOption(f"{meaning}={text} is no whole number.", hint="Give a number such as 2.") from None
        if not 1 <= number <= LARGEST:
            raise InvalidOption(
                f"{meaning}={number} is not between 1 and {LARGEST}.", hint="Give one, or leave it out."
            )
        return number

    def fraction(self, meaning: str, low: float, high: float) -> float | None:
        text = self.text(meaning)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise InvalidOption(f"{meaning}={text} is not between {low:g} and {high:g}.", hint="Leave it out.")
        return value

    def notices(self) -> tuple[Notice, ...]:
        """Return a warning for each parameter that has no effect."""
        return tuple(
            Notice("parameter-ignored", f"The parameter {name!r} has no effect here.")
            for name in dict.fromkeys(self.unknown)
            if name not in ALWAYS_SO
        )


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a route does when nothing is said."""

    model: str
    speakers: Speakers | None = None
    task: Task = "transcribe"


def make_options(parameters: Parameters, defaults: Defaults) -> Options:
    """Return what is asked for. Raises `InputError`s."""
    language, task = parameters.text("language"), parameters.text("task") or defaults.task
    temperature = parameters.fraction("temperature", 0, 1)
    decoding = Decoding(
        beam_size=parameters.number("beam_size") or Decoding().beam_size,
        # OpenAI's 0 means: start there and rise while a window looks bad
        temperatures=(temperature,) if temperature else Decoding().temperatures,
        initial_prompt=parameters.text("initial_prompt"),
        hotwords=", ".join(parameters.values.get("hotwords", ())) or None,
        verbatim=parameters.flag("verbatim", default=False),
        suppress_numerals=parameters.flag("suppress_numerals", default=False),
    )
    if task not in ("transcribe", "translate"):
        raise InvalidOption(f"{task!r} is no task.", hint="The tasks are transcribe and translate.")
    return Options(
        model=find_model(parameters.text("model"), defaults.model),
        language=parse_language(language) if language and language.lower() != "auto" else None,
        languages=_languages(parameters),
        task="translate" if task == "translate" else "transcribe",
        words=parameters.flag("words", default=True),
        speakers=_speakers(parameters, defaults.speakers),
        decoding=decoding,
        numerals=cast("Numerals", parameters.text("numerals") or "as-is"),  # `Options` refuses what is none
        channels=cast("Channels", parameters.text("channels") or "mix"),
        channel_labels=parameters.listed("channel_labels"),
    )


def change_options(parameters: Parameters, options: Options) -> Options:
    """Return options in which only what is given is different. Raises `InputError`s."""
    asked = make_options(parameters, Defaults(options.model, options.speakers, options.task))
    given = {name for name, meanings in _SET_BY.items() if not meanings.isdisjoint(parameters.values)}
    decoding = {name: getattr(asked.decoding, name) for name in given & _IN_DECODING}
    changed = {name: getattr(asked, name) for name in given - _IN_DECODING}
    return replace(options, **changed, decoding=replace(options.decoding, **decoding))


_SET_BY: Mapping[str, frozenset[str]] = {
    "model": frozenset({"model"}),
    "language": frozenset({"language"}),
    "languages": frozenset({"languages"}),
    "task": frozenset({"task"}),
    "words": frozenset({"words"}),
    "speakers": frozenset({"speakers", "diarize", "num_speakers", "min_speakers", "max_speakers"}),
    "beam_size": frozenset({"beam_size"}),
    "temperatures": frozenset({"temperature"}),
    "initial_prompt": frozenset({"initial_prompt"}),
    "hotwords": frozenset({"hotwords"}),
    "verbatim": frozenset({"verbatim"}),
    "suppress_numerals": frozenset({"suppress_numerals"}),
    "numerals": frozenset({"numerals"}),
    "channels": frozenset({"channels"}),
    "channel_labels": frozenset({"channel_labels"}),
}
"""Which parameters set which field of the options."""
_IN_DECODING = frozenset({"beam_size", "temperatures", "initial_prompt", "hotwords", "verbatim", "suppress_numerals"})


def _languages(parameters: Parameters) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_language(name) for name in parameters.listed("languages")))


def _speakers(parameters: Parameters, default: Speakers | None) -> Speakers | None:
    """Numbers ask for speakers too, unless diarization is switched off in so many words."""
    exact, low, high = (parameters.number(f"{which}_speakers") for which in ("num", "min", "max"))
    named = parameters.text("speakers")
    wants = default is not None or any(number is not None for number in (exact, low, high))
    is_wanted = parameters.flag("diarize", default=wants)
    if named is not None:
        return Speakers.parse(named)
    if not is_wanted:
        return None
    if exact is not None:
        return Speakers(exact, exact)
    return Speakers(low if low is not None else 1, high)


def find_model(asked: str | None, default: str) -> str:
    """Return the catalog's name of a model. A caller cannot name folders of the server or models of its choice.

    Raises `UnknownModel`.
    """
    if asked is None or asked in OPENAI_MODELS or asked == default:
        return default
    for entry in recognition_models():
        if asked in names_of(entry):
            return entry.name
    raise UnknownModel(
        f"There is no model {asked!r}.", hint=f"GET /v1/models lists them; without one, {default} is used."
    )


def recognition_models() -> Sequence[ModelEntry]:
    """Return all models that turn sound into text."""
    return [entry for entry in MODELS if entry.role == "recognition"]


def names_of(entry: ModelEntry) -> tuple[str, ...]:
    """Return every name a client may use for a model."""
    repos = tuple(source.repo for source in entry.sources if isinstance(source, HubSource))
    return (entry.name, *entry.aliases, *repos, f"openai/whisper-{entry.name}")
