"""The one way through: media -> audio -> regions -> windows -> passages -> words and turns -> transcript.

`Pipeline` knows the seams only. Which implementations stand behind them is `assembly`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wortlaut.attribution import attribute
from wortlaut.audio import Audio, SpeechRegion, Window
from wortlaut.notice import Notice
from wortlaut.options import Options, Progress, Speakers
from wortlaut.splitting import split
from wortlaut.stages import Aligner, Decoder, Diarizer, LanguageGuess, Listener, Recognizer, SpeechDetector, ignore
from wortlaut.stopwatch import Stopwatch
from wortlaut.transcript import Diarization, Passage, Provenance, Transcript, Turn, Word
from wortlaut.trust.audit import Audited, Auditor
from wortlaut.trust.listening import Listen, by_detector, by_turns
from wortlaut.trust.spans import Span, union

Packer = Callable[[Audio, Sequence[SpeechRegion]], list[Window]]
Timed = list[tuple[Passage, list[Word]]]

UNCERTAIN_LANGUAGE = 0.5
"""Probability below which the language that was heard is more likely another one."""

NOT_FOUND = "speakers-not-found"

NO_LANGUAGE = "und"
"""ISO 639-2 for undetermined: the language of a recording in which nobody speaks."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one transcription, warm and ready. `diarizer` None: nobody asked who speaks.

    `second_look` listens to doubtful and to empty stretches alone; where the diarizer has found turns, these
    serve for that. `provenance` names versions, models and devices; the rest of it is filled in for every run.
    """

    decoder: Decoder
    detector: SpeechDetector
    pack: Packer
    recognizer: Recognizer
    aligner: Aligner
    diarizer: Diarizer | None = None
    second_look: SpeechDetector | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def transcribe(self, media: Path, options: Options, listener: Listener = ignore) -> Transcript:
        """Return who said what, when.

        `listener` hears of every step and may raise `Cancelled`. Raises the errors of the stages: a stage that
        fails fails the transcription, one that falls back says so in the transcript's warnings.
        """
        run = _Run(self, options, listener, Stopwatch())
        with run.clock.measure("decode"):
            audio = self.decoder.decode(media, advance=run.advance("decode", 0.0))
        with run.clock.measure("detect"):
            regions = self.detector.detect(audio, advance=run.advance("detect", audio.duration))
            windows = self.pack(audio, regions)
        guess = run.language(audio, windows)
        timed = run.timed(audio, windows, guess.language)
        diarization = run.diarize(audio, timed)
        audited = run.audit(audio, timed, guess.language, diarization)
        return run.transcript(audio, guess, audited, diarization)


@dataclass(frozen=True, slots=True)
class _Run:
    """One transcription on its way."""

    pipeline: Pipeline
    options: Options
    listener: Listener
    clock: Stopwatch

    def advance(self, stage: str, total: float) -> Callable[[float], None]:
        return lambda done: self.listener(Progress(stage, done, total))

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
        advance = self.advance("recognize", audio.duration)
        timed: Timed = []
        for passage, words in self.heard(audio, windows, language):
            timed.append((passage, words))
            advance(passage.end)
        advance(audio.duration)
        return timed

    def heard(self, audio: Audio, windows: Sequence[Window], language: str) -> Iterator[tuple[Passage, list[Word]]]:
        """Recognize and align window by window, so that the encoder's work is used while it is at hand."""
        heard: list[Passage] = []
        recognized = self.pipeline.recognizer.recognize(audio, windows, language=language)
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
        if not timed or not (turns or detector):
            return Audited(timed, (), ())
        listen = by_turns(turns) if turns or not detector else by_detector(audio, detector)
        spoken = turns or [region for passage, _ in timed for region in passage.regions]
        return Auditor(
            audio,
            self.options.decoding,
            self._measured(listen),
            self.pipeline.pack,
            lambda windows: list(self.heard(audio, windows, language)),
            union(spoken),
        ).audit(timed)

    def _measured(self, listen: Listen) -> Listen:
        def listen_to(span: Span) -> Sequence[SpeechRegion]:
            with self.clock.measure("audit"):
                return listen(span)

        return listen_to

    def transcript(self, audio: Audio, guess: LanguageGuess, audited: Audited, diarization: Diarization) -> Transcript:
        exclusive = diarization.exclusive
        labelled = [(passage, attribute(words, exclusive)) for passage, words in audited.timed]
        has_words = any(words for _, words in labelled)
        unaligned = [_not_aligned(words) for _, words in audited.timed if self.options.words and _are_spread(words)]
        notices = [notice for passage, _ in audited.timed for notice in passage.notices]
        if has_words and guess.probability < UNCERTAIN_LANGUAGE:
            notices.insert(0, _uncertain(guess))
        provenance = replace(self.pipeline.provenance, seconds=self.clock.seconds, decisions=audited.decisions)
        return Transcript(
            segments=tuple(split(labelled)),
            turns=diarization.turns,
            language=guess.language if has_words or self.options.language else NO_LANGUAGE,
            duration=audio.duration,
            provenance=provenance,
            warnings=(*audio.notices, *notices, *unaligned, *audited.notices, *diarization.notices),
        )


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


def _are_spread(words: Sequence[Word]) -> bool:
    """Whether the aligner has measured none of a passage's words."""
    return bool(words) and all(word.source == "interpolated" for word in words)


def _not_aligned(words: Sequence[Word]) -> Notice:
    message = "The words of this stretch could not be timed one by one; they are spread over its speech."
    return Notice("words-not-aligned", message, words[0].start, words[-1].end)


def _uncertain(guess: LanguageGuess) -> Notice:
    message = f"The language is uncertain: {guess.language} with a probability of {guess.probability:.0%}."
    return Notice("language-uncertain", message)


def _are_found(diarization: Diarization) -> bool:
    """Whether the turns come from the diarizer and were not made of the words."""
    return all(notice.code != NOT_FOUND for notice in diarization.notices)
