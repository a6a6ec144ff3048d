"""The one way through: media -> audio -> regions -> windows -> passages -> words and turns -> transcript.

`Pipeline` knows the seams only. Which implementations stand behind them is `assembly`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wortlaut.attribution import attribute
from wortlaut.audio import Audio, SpeechRegion, Window
from wortlaut.channels import IDENTICAL, Voice, copy_notices, distinct, speaker_names, voice_turns, without_crosstalk
from wortlaut.errors import NoSeparateChannels
from wortlaut.notice import Notice
from wortlaut.numerals import in_digits, numeral_notices
from wortlaut.options import Options, Progress, Speakers
from wortlaut.recognition.verbatim import verbatim_notices
from wortlaut.speech.gathering import grouped
from wortlaut.splitting import split
from wortlaut.stages import (
    Advance,
    Aligner,
    Decoder,
    Diarizer,
    LanguageGuess,
    Listener,
    Recognizer,
    SpeechDetector,
    ignore,
)
from wortlaut.stopwatch import Stopwatch
from wortlaut.transcript import Decision, Diarization, Passage, Provenance, Segment, Transcript, Turn, Word
from wortlaut.trust.audit import Audited, Auditor
from wortlaut.trust.gathered import heard_together
from wortlaut.trust.listening import Listen, by_detector, by_turns
from wortlaut.trust.spans import Span, union
from wortlaut.trust.two_languages import IN_ANOTHER

Packer = Callable[[Audio, Sequence[SpeechRegion]], list[Window]]
Timed = list[tuple[Passage, list[Word]]]

UNCERTAIN_LANGUAGE = 0.5
"""Probability below which the language that was heard is more likely another one."""
UNCERTAIN_FROM_LITTLE = 0.8
"""The same for recordings with less than LITTLE_SPEECH in their words: a few words sound like many languages. Most such
recordings in the right language had 0.92 and more, those in a wrong one 0.3 to 0.7."""
LITTLE_SPEECH = 5.0
"""Seconds."""

NOT_FOUND = "speakers-not-found"

NO_LANGUAGE = "und"
"""ISO 639-2 for undetermined: the language of a recording in which nobody speaks."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one transcription, warm and ready. `diarizer` None: nobody asked who speaks.

    `second_look` listens to doubtful and to empty stretches alone; where the diarizer has found turns, these
    serve for that. What they hear and no word covers is recognized by `second_hearing` (None: by `recognizer`).
    `gathers`: short windows far apart are heard several at once.
    `is_audited` False: nobody looks a second time, and texts stay as they were recognized.
    `provenance` names versions, models and devices; the rest of it is filled in for every run.
    """

    decoder: Decoder
    detector: SpeechDetector
    pack: Packer
    recognizer: Recognizer
    aligner: Aligner
    diarizer: Diarizer | None = None
    second_look: SpeechDetector | None = None
    second_hearing: Recognizer | None = None
    provenance: Provenance = field(default_factory=Provenance)
    is_audited: bool = True
    gathers: bool = False

    def transcribe(self, media: Path, options: Options, listener: Listener = ignore) -> Transcript:
        """Return who said what, when.

        `listener` hears of every step and may raise `Cancelled`. Raises the errors of the stages: a stage that
        fails fails the transcription, one that falls back says so in the transcript's warnings.
        """
        run = _Run(self, options, listener, Stopwatch())
        if options.channels == "mix":
            with run.clock.measure("decode"):
                audio = self.decoder.decode(media, advance=run.advance("decode", 0.0))
            return run.mixed(audio)
        with run.clock.measure("decode"):
            channels = self.decoder.decode_channels(media, advance=run.advance("decode", 0.0))
        if len(channels) == 1:
            raise NoSeparateChannels(f"{media.name!r} has one channel only.")
        return run.separate(channels)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of a recording in the end, apart from its language and length."""

    segments: tuple[Segment, ...]
    turns: tuple[Turn, ...]
    notices: tuple[Notice, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """One transcription on its way. Of several channels, this is channel `index` of `count`, for the listener."""

    pipeline: Pipeline
    options: Options
    listener: Listener
    clock: Stopwatch
    index: int = 0
    count: int = 1

    def advance(self, stage: str, total: float) -> Callable[[float], None]:
        before = self.index * total
        return lambda done: self.listener(Progress(stage, before + done, self.count * total))

    def mixed(self, audio: Audio) -> Transcript:
        """Return the transcript of a recording whose voices are told apart by how they sound."""
        windows = self.windows(audio)
        guess = self.language(audio, windows)
        timed = self.timed(audio, windows, guess.language)
        diarization = self.diarize(audio, timed)
        audited = self.audit(audio, timed, guess.language, diarization)
        labelled = [(passage, attribute(words, diarization.exclusive)) for passage, words in audited.timed]
        notices = (*self.said_of(audited.timed), *audited.notices, *diarization.notices)
        told = _Told(tuple(split(labelled)), diarization.turns, notices, audited.decisions)
        return self.transcript(audio, guess, told)

    def separate(self, channels: Sequence[Audio]) -> Transcript:
        """Return the transcript of channels that are one speaker each."""
        names = speaker_names(self.options.channel_labels, len(channels))
        with self.clock.measure("compare"):
            kept = distinct(channels)
        if len(kept) == 1:
            return self.mixed(replace(channels[0], notices=(*channels[0].notices, IDENTICAL)))
        audios = [channels[number] for number in kept]
        guess, audited = self.heard_apart(audios)
        voices, leaks = without_crosstalk(
            [Voice(audio, names[number], one.timed) for number, audio, one in zip(kept, audios, audited, strict=True)]
        )
        notices = [notice for voice in voices for notice in self.said_of(voice.timed)]
        told = _Told(
            segments=tuple(sorted((each for voice in voices for each in _segments(voice)), key=_start)),
            turns=tuple(sorted((turn for voice in voices for turn in voice_turns(voice)), key=_start)),
            notices=(
                *notices,
                *(notice for one in audited for notice in one.notices),
                *leaks,
                *copy_notices(kept, len(channels)),
                *_unused(self.options.speakers),
            ),
            decisions=tuple(sorted((each for one in audited for each in one.decisions), key=_start)),
        )
        return self.transcript(audios[0], guess, told)

    def heard_apart(self, audios: Sequence[Audio]) -> tuple[LanguageGuess, list[Audited]]:
        """Recognize each channel by itself. The one with the most speech decides on the language of the recording."""
        parts = [replace(self, index=index, count=len(audios)) for index in range(len(audios))]
        windows = [part.windows(audio) for part, audio in zip(parts, audios, strict=True)]
        talkative = max(range(len(audios)), key=lambda index: _speech_seconds(windows[index]))
        guess = self.language(audios[talkative], windows[talkative])
        timed = [
            part.timed(audio, its, guess.language) for part, audio, its in zip(parts, audios, windows, strict=True)
        ]
        return guess, [
            self.audit(audio, its, guess.language, Diarization()) for audio, its in zip(audios, timed, strict=True)
        ]

    def windows(self, audio: Audio) -> list[Window]:
        with self.clock.measure("detect"):
            regions = self.pipeline.detector.detect(audio, advance=self.advance("detect", audio.duration))
            return self.pipeline.pack(audio, regions)

    def language(self, audio: Audio, windows: Sequence[Window]) -> LanguageGuess:
        if self.options.language:
            return LanguageGuess(self.options.language, 1.0)
        if not windows:
            return LanguageGuess(NO_LANGUAGE, 1.0)
        with self.clock.measure("language"):
            return self.pipeline.recognizer.detect_language(audio, windows)

    def timed(self, audio: Audio, windows: Sequence[Window], language: str) -> Timed:
        if not windows:
            return []
        advance = _onwards(self.advance("recognize", audio.duration))
        timed, alone = self.heard_together(audio, windows, language, advance)
        for passage, words in self.heard(audio, alone, language, self.pipeline.recognizer) if alone else ():
            timed.append((passage, words))
            advance(passage.end)
        advance(audio.duration)
        return sorted(timed, key=lambda one: one[0].start)

    def heard_together(
        self, audio: Audio, windows: Sequence[Window], language: str, advance: Advance
    ) -> tuple[Timed, Sequence[Window]]:
        """Recognize and align short windows several at once; return also those that remain."""
        if not self.pipeline.gathers:
            return [], windows

        def hear(sound: Audio, some: Sequence[Window]) -> Iterator[tuple[Passage, list[Word]]]:
            return self.heard(sound, some, language, self.pipeline.recognizer)

        def may_join(window: Window) -> bool:
            advance(0.0)  # a sign of life: with a large model, asking all of them takes its time
            return self.speaks(audio, window, language)

        groups = grouped(windows, may_join)
        timed, let_go = heard_together(audio, [group for group in groups if len(group) > 1], hear, advance=advance)
        alone = [window for group in groups if len(group) == 1 for window in group]
        return timed, sorted([*alone, *let_go], key=lambda window: window.start)

    def speaks(self, audio: Audio, window: Window, language: str) -> bool:
        """Whether a window is in the language of the recording, as far as windows may be in others."""
        if self.options.language or not self.options.follows_switches:
            return True
        with self.clock.measure("language"):
            return self.pipeline.recognizer.detect_language(audio, [window]).language == language

    def heard(
        self, audio: Audio, windows: Sequence[Window], language: str, recognizer: Recognizer
    ) -> Iterator[tuple[Passage, list[Word]]]:
        """Recognize and align window by window, so that the encoder's work is used while it is at hand."""
        heard: list[Passage] = []
        recognized = recognizer.recognize(audio, windows, language=language)
        passages = _kept(self.clock.timed("recognize", recognized), heard)
        aligned = self.clock.timed("align", self.pipeline.aligner.align(audio, passages), within="recognize")
        for index, words in enumerate(aligned):
            yield heard[index], words

    def diarize(self, audio: Audio, timed: Timed) -> Diarization:
        if self.pipeline.diarizer is None or self.options.speakers is None or not any(words for _, words in timed):
            return Diarization()
        with self.clock.measure("diarize"):
            advance = self.advance("diarize", audio.duration)
            found = self.pipeline.diarizer.diarize(audio, speakers=self.options.speakers, advance=advance)
        return found if found.exclusive else _one_speaker(timed, self.options.speakers)

    def audit(self, audio: Audio, timed: Timed, language: str, diarization: Diarization) -> Audited:
        """Let go of what nobody said, and hear again what no word covers."""
        turns = diarization.turns if _are_found(diarization) else ()
        detector = self.pipeline.second_look
        if not self.pipeline.is_audited or not timed or not (turns or detector):
            return Audited(timed, (), ())
        listen = by_turns(turns) if turns or not detector else by_detector(audio, detector)
        hearing = self.pipeline.second_hearing or self.pipeline.recognizer
        spoken = turns or [region for passage, _ in timed for region in passage.regions]
        return Auditor(
            audio,
            self.options.decoding,
            self._measured(listen),
            self.pipeline.pack,
            lambda windows: list(self.heard(audio, windows, language, hearing)),
            lambda window: self.is_in_another(audio, window, language, hearing),
            union(spoken),
        ).audit(timed)

    def is_in_another(self, audio: Audio, window: Window, language: str, recognizer: Recognizer) -> bool:
        """Whether a window is rather in another language than the recording."""
        with self.clock.measure("language"):
            guess = recognizer.detect_language(audio, [window])
        return guess.language != language and guess.probability > IN_ANOTHER

    def _measured(self, listen: Listen) -> Listen:
        def listen_to(span: Span) -> Sequence[SpeechRegion]:
            with self.clock.measure("audit"):
                return listen(span)

        return listen_to

    def said_of(self, timed: Timed) -> list[Notice]:
        """Return what the stages say of their text, and where it got no times of its own."""
        notices = [notice for passage, _ in timed for notice in passage.notices]
        if self.options.words:
            notices += [_not_aligned(words) for _, words in timed if _are_spread(words)]
        return notices

    def transcript(self, audio: Audio, guess: LanguageGuess, told: _Told) -> Transcript:
        segments = told.segments
        notices = [*_uncertain(guess, told.segments), *told.notices] if segments else list(told.notices)
        if self.options.numerals == "digits":
            segments = tuple(in_digits(segments))
        if self.options.decoding.verbatim:
            notices += verbatim_notices(segment.language for segment in segments)
        notices += numeral_notices(segments, self.options.numerals)
        provenance = replace(self.pipeline.provenance, seconds=self.clock.seconds, decisions=told.decisions)
        return Transcript(
            segments=segments,
            turns=told.turns,
            language=guess.language if segments or self.options.language else NO_LANGUAGE,
            duration=audio.duration,
            provenance=provenance,
            warnings=tuple(dict.fromkeys((*audio.notices, *notices))),  # each channel says the same of its prompt
        )


def _onwards(advance: Advance) -> Advance:
    """Report progress that never goes back: windows that were let go are heard a second time."""
    furthest = 0.0

    def go_on(done: float) -> None:
        nonlocal furthest
        furthest = max(furthest, done)
        advance(furthest)

    return go_on


def _kept(passages: Iterator[Passage], heard: list[Passage]) -> Iterator[Passage]:
    """Pass the passages on and keep them: the aligner answers with words alone."""
    for passage in passages:
        heard.append(passage)
        yield passage


def _one_speaker(timed: Timed, speakers: Speakers) -> Diarization:
    """Make one turn a passage for a recording whose words no turn explains (very short, very noisy)."""
    turns = tuple(Turn(words[0].start, words[-1].end, "SPEAKER_00") for _, words in timed if words)
    notice = Notice(
        NOT_FOUND,
        f"The voices could not be told apart (asked for: {speakers}); every word is given to SPEAKER_00.",
    )
    return Diarization(turns, turns, (notice,))


def _uncertain(guess: LanguageGuess, segments: Sequence[Segment]) -> Iterator[Notice]:
    spoken = sum(word.end - word.start for segment in segments for word in segment.words)
    if guess.probability < (UNCERTAIN_FROM_LITTLE if spoken < LITTLE_SPEECH else UNCERTAIN_LANGUAGE):
        message = f"The language is uncertain: {guess.language} with a probability of {guess.probability:.0%}."
        yield Notice("language-uncertain", message)


def _unused(speakers: Speakers | None) -> Iterator[Notice]:
    if speakers not in (None, Speakers()):
        message = f"Each channel is one speaker; the number of speakers asked for ({speakers}) was not used."
        yield Notice("speakers-unused", message)


def _segments(voice: Voice) -> list[Segment]:
    return split(
        [(passage, [replace(word, speaker=voice.speaker) for word in words]) for passage, words in voice.timed]
    )


def _speech_seconds(windows: Sequence[Window]) -> float:
    return sum(region.end - region.start for window in windows for region in window.regions)


def _start(placed: Segment | Turn | Decision) -> float:
    return placed.start


def _are_spread(words: Sequence[Word]) -> bool:
    """Whether the aligner has measured none of a passage's words."""
    return bool(words) and all(word.source == "interpolated" for word in words)


def _not_aligned(words: Sequence[Word]) -> Notice:
    message = "The words of this stretch could not be timed one by one; they are spread over its speech."
    return Notice("words-not-aligned", message, words[0].start, words[-1].end)


def _are_found(diarization: Diarization) -> bool:
    """Whether the turns come from the diarizer and were not made of the words."""
    return all(notice.code != NOT_FOUND for notice in diarization.notices)
