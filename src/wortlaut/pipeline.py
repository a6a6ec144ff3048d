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
from wortlaut.stages import Aligner, Decoder, Diarizer, Listener, Recognizer, SpeechDetector, ignore
from wortlaut.stopwatch import Stopwatch
from wortlaut.transcript import Diarization, Passage, Provenance, Transcript, Turn, Word

Packer = Callable[[Audio, Sequence[SpeechRegion]], list[Window]]
Timed = list[tuple[Passage, list[Word]]]

NO_LANGUAGE = "und"
"""ISO 639-2 for undetermined: the language of a recording in which nobody speaks."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one transcription, warm and ready. `diarizer` None: nobody asked who speaks.

    `provenance` names versions, models and devices; options and seconds are filled in for every run.
    """

    decoder: Decoder
    detector: SpeechDetector
    pack: Packer
    recognizer: Recognizer
    aligner: Aligner
    diarizer: Diarizer | None = None
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
        language = run.language(audio, windows)
        timed = run.timed(audio, windows, language)
        diarization = run.diarize(audio, timed)
        return run.transcript(audio, language, timed, diarization)


@dataclass(frozen=True, slots=True)
class _Run:
    """One transcription on its way."""

    pipeline: Pipeline
    options: Options
    listener: Listener
    clock: Stopwatch

    def advance(self, stage: str, total: float) -> Callable[[float], None]:
        return lambda done: self.listener(Progress(stage, done, total))

    def language(self, audio: Audio, windows: Sequence[Window]) -> str:
        if self.options.language:
            return self.options.language
        if not windows:
            return NO_LANGUAGE
        with self.clock.measure("language"):
            return self.pipeline.recognizer.detect_language(audio, windows).language

    def timed(self, audio: Audio, windows: Sequence[Window], language: str) -> Timed:
        """Recognize and align window by window, so that the encoder's work is used while it is at hand."""
        if not windows:
            return []
        heard: list[Passage] = []
        recognized = self.pipeline.recognizer.recognize(audio, windows, language=language)
        passages = _kept(self.clock.timed("recognize", recognized), heard)
        aligned = self.clock.timed("align", self.pipeline.aligner.align(audio, passages), within="recognize")
        advance = self.advance("recognize", audio.duration)
        timed: Timed = []
        for words in aligned:
            passage = heard[len(timed)]
            timed.append((passage, words))
            advance(passage.end)
        advance(audio.duration)
        return timed

    def diarize(self, audio: Audio, timed: Timed) -> Diarization:
        if self.pipeline.diarizer is None or self.options.speakers is None or not any(words for _, words in timed):
            return Diarization()
        with self.clock.measure("diarize"):
            advance = self.advance("diarize", audio.duration)
            found = self.pipeline.diarizer.diarize(audio, speakers=self.options.speakers, advance=advance)
        return found if found.exclusive else _one_speaker(timed, self.options.speakers)

    def transcript(self, audio: Audio, language: str, timed: Timed, diarization: Diarization) -> Transcript:
        exclusive = diarization.exclusive
        labelled = [(passage, attribute(words, exclusive)) for passage, words in timed]
        notices = [notice for passage, _ in timed for notice in passage.notices]
        return Transcript(
            segments=tuple(split(labelled)),
            turns=diarization.turns,
            language=language,
            duration=audio.duration,
            provenance=replace(self.pipeline.provenance, seconds=self.clock.seconds),
            warnings=(*audio.notices, *notices, *diarization.notices),
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
        "speakers-not-found",
        f"The voices could not be told apart (asked for: {speakers}); every word is given to SPEAKER_00.",
    )
    return Diarization(turns, turns, (notice,))
