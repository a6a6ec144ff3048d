"""The transcript and what it is made of. Times are float seconds from the start of the recording, half-open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from wortlaut.audio import SpeechRegion
from wortlaut.notice import Notice

WordSource = Literal["aligned", "interpolated"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One of the texts that a window was given, and what spoke against it.

    `way` says how it was decoded: as usual, without prompt, cut in 2, temperature 0.4 ... `doubts` is empty for a
    text that was believed.
    """

    way: str
    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    doubts: tuple[str, ...] = ()


Outcome = Literal["kept", "doubted", "dropped", "recovered"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a stretch of the recording, and why.

    kept: the text is believed. doubted: it is in the transcript and reported as doubtful. dropped: it is not, because
    nobody speaks. recovered: it was found in a second look at speech without words. More than one trial
    means that the window was decoded again.
    """

    start: float
    end: float
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """What was recognized in one window; its words have no times yet.

    `regions` are the speech regions of the window. `tokens` are Whisper's text tokens. The four that follow are
    Whisper's own measures of doubt; `temperature` is the one at which this text was decoded. `trials` are all
    texts that were tried, in order; `doubts` is what still speaks against the one that is left.
    `other_language_share` is how probable another language is by the sound, 0 where nobody asked.
    """

    start: float
    end: float
    text: str
    language: str
    regions: tuple[SpeechRegion, ...] = ()
    tokens: tuple[int, ...] = ()
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    compression_ratio: float = 1.0
    temperature: float = 0.0
    notices: tuple[Notice, ...] = ()
    trials: tuple[Trial, ...] = ()
    doubts: tuple[str, ...] = ()
    other_language_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its time.

    `text` keeps its leading space where the script has one, so that joined words are the text. `confidence`
    is in [0, 1], or None where nobody knows. `source` says whether the time was measured (aligned) or put
    between its neighbours (interpolated).
    """

    text: str
    start: float
    end: float
    confidence: float | None = None
    speaker: str | None = None
    source: WordSource = "aligned"


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one speaker speaks. Turns of different speakers may overlap."""

    start: float
    end: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who speaks when.

    `turns` may overlap where people talk at once. `exclusive` names one speaker at a time, the louder or
    longer one, and is what words are labelled by. Both are sorted by start.
    """

    turns: tuple[Turn, ...] = ()
    exclusive: tuple[Turn, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, or a piece of one, by one speaker. Start, end, text and speaker follow from its words."""

    words: tuple[Word, ...]
    language: str
    avg_logprob: float | None = None

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError("a segment has at least one word")

    @property
    def start(self) -> float:
        """Seconds."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """Seconds."""
        return self.words[-1].end

    @property
    def text(self) -> str:
        """The words joined, without the space before the first."""
        return "".join(word.text for word in self.words).strip()

    @property
    def speaker(self) -> str | None:
        """The speaker of the first word: segments are split where the speaker changes."""
        return self.words[0].speaker


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a transcript came about, so that it can be made again.

    `versions` maps packages to versions, `models` a role (recognition, alignment, ...) to name and checksum,
    `options` is what was asked, `devices` maps a stage to where it ran, `seconds` to its wall time.
    `decisions` say of every window what became of it. `reused` says how much of a stage, (0, 1], was not computed for
    this transcript but taken from an earlier attempt or job on the same recording.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    reused: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transcript:
    """Who said what, when."""

    segments: tuple[Segment, ...]
    turns: tuple[Turn, ...]
    language: str
    duration: float
    provenance: Provenance = field(default_factory=Provenance)
    warnings: tuple[Notice, ...] = ()

    @property
    def text(self) -> str:
        """The segments, one a line."""
        return "\n".join(segment.text for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in order."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def speakers(self) -> tuple[str, ...]:
        """The names of all speakers, sorted."""
        named = {turn.speaker for turn in self.turns} | {word.speaker for word in self.words if word.speaker}
        return tuple(sorted(named))
