"""What `wortlaut transcribe` is asked for, and where it shall compute: its options in two groups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import typer

from wortlaut.options import BUILT_IN, Decoding, Options, Speakers
from wortlaut.recognition.languages import parse_language
from wortlaut.settings import Settings


class TaskName(Enum):
    """What to write down: what is said, or an English translation of it."""

    transcribe = "transcribe"
    translate = "translate"


class EngineName(Enum):
    """Whose stages."""

    wortlaut = "wortlaut"
    whisperx = "whisperx"


class AlignerChoice(Enum):
    """What measures the times of words: Whisper's own attention, or a CTC network."""

    whisper = "whisper"
    ctc = "ctc"


class NumeralsName(Enum):
    """How to write numbers."""

    as_is = "as-is"
    words = "words"
    digits = "digits"


class ChannelsName(Enum):
    """What to do with the channels of a recording."""

    mix = "mix"
    split = "split"


class DeviceName(Enum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


Model = Annotated[str, typer.Option("--model", "-m", help="Whisper model, or a folder with one.")]
Language = Annotated[str | None, typer.Option("--language", "-l", help="Code or English name; detected when left out.")]
Languages = Annotated[
    str | None, typer.Option(help="Languages that may be detected, comma-separated; all when left out.")
]
Switching = Annotated[
    bool, typer.Option("--switching/--one-language", help="Follow a recording into another language.")
]
SpeakerCount = Annotated[str, typer.Option("--speakers", "-s", help="auto, off, a number, or a range 2-4.")]
DiarizerName = Annotated[str, typer.Option(help="built-in, pyannote, or the name or folder of a pyannote pipeline.")]
EngineChoice = Annotated[EngineName, typer.Option(help="wortlaut, or a whisperX that is installed beside it.")]
ChannelUse = Annotated[ChannelsName, typer.Option("--channels", help="split: each channel is one speaker.")]
ChannelLabels = Annotated[
    str | None, typer.Option(help="Names of the channels for --channels split, such as Agent,Customer.")
]
TaskChoice = Annotated[TaskName, typer.Option(help="transcribe, or translate into English.")]
WordTimes = Annotated[bool, typer.Option("--words/--no-words", help="Measure a time for every word.")]
WordAligner = Annotated[
    AlignerChoice, typer.Option("--aligner", help="What times words: Whisper's own attention, or a CTC network.")
]
AlignModel = Annotated[str | None, typer.Option(help="A CTC network, by hub name or folder; means --aligner ctc.")]
NumeralsChoice = Annotated[NumeralsName, typer.Option(help="Numbers as Whisper writes them, as words, or in digits.")]


@dataclass(frozen=True, slots=True)
class TranscriptOptions:
    """The options that, with a `Decoding`, make `Options`."""

    model: Model = "base"
    language: Language = None
    languages: Languages = None
    switching: Switching = True
    speakers: SpeakerCount = "auto"
    diarizer: DiarizerName = BUILT_IN
    engine: EngineChoice = EngineName.wortlaut
    channels: ChannelUse = ChannelsName.mix
    channel_labels: ChannelLabels = None
    task: TaskChoice = TaskName.transcribe
    words: WordTimes = True
    aligner: WordAligner = AlignerChoice.whisper
    align_model: AlignModel = None
    numerals: NumeralsChoice = NumeralsName.as_is

    def options(self, decoding: Decoding) -> Options:
        """Raises `InputError`s."""
        return Options(
            model=self.model,
            language=self.language,
            languages=tuple(map(parse_language, _listed(self.languages))),
            follows_switches=self.switching,
            task=self.task.value,
            words=self.words,
            aligner="ctc" if self.align_model else self.aligner.value,
            align_model=self.align_model,
            speakers=Speakers.parse(self.speakers),
            diarizer=self.diarizer,
            engine=self.engine.value,
            decoding=decoding,
            numerals=self.numerals.value,
            channels=self.channels.value,
            channel_labels=_listed(self.channel_labels),
        )


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(each.strip() for each in (text or "").split(",") if each.strip())


Device = Annotated[DeviceName | None, typer.Option(help="auto, cpu or cuda.")]
ComputeType = Annotated[str | None, typer.Option(help="int8, float16, float32 ...; auto fits the device.")]
Threads = Annotated[int | None, typer.Option(min=0, help="Processor threads; 0: all cores.")]
BatchSize = Annotated[int | None, typer.Option(min=0, help="Windows recognized at once; 0: fits the device.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]


@dataclass(frozen=True, slots=True)
class InstallationOptions:
    """The options that stand above the environment and the settings file."""

    device: Device = None
    compute_type: ComputeType = None
    threads: Threads = None
    batch_size: BatchSize = None
    offline: Offline = False

    def settings(self) -> Settings:
        """What was said on the command line beats environment and file; what was not said is left to them."""
        wanted = {
            "device": self.device and self.device.value,
            "compute_type": self.compute_type,
            "threads": self.threads,
            "batch_size": self.batch_size,
            "is_offline": self.offline or None,
        }
        return Settings.model_validate({name: value for name, value in wanted.items() if value is not None})
