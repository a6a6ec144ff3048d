"""pyannote.audio as a `Diarizer`."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

import numpy as np

from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.diarization.pyannote.files import PipelineFiles
from wortlaut.diarization.pyannote.loading import load_pipeline
from wortlaut.errors import ModelError, OutOfMemory
from wortlaut.notice import Notice
from wortlaut.options import Speakers
from wortlaut.stages import Advance, ignore
from wortlaut.transcript import Diarization, Turn

SHARES = {"segmentation": (0.0, 0.2), "embeddings": (0.2, 1.0)}
"""Which part of the time each step of the pipeline takes, as seen on one CPU: from, to."""


class PyannoteDiarizer:
    """Who speaks when, by pyannote.audio 3.3.2 or later: speaker-diarization-3.1, community-1 or a pipeline like them.

    The whole recording is held in memory as float32: 230 MB an hour. Loading raises what `load_pipeline` raises.
    """

    def __init__(self, files: PipelineFiles, *, device: str = "auto") -> None:
        self._pipeline = load_pipeline(files, device=device)
        self._turn = threading.Lock()  # pyannote does not promise that a pipeline may run twice at once

    def diarize(self, audio: Audio, /, *, speakers: Speakers, advance: Advance = ignore) -> Diarization:
        """Return who speaks when. A number of speakers that was not met is a notice.

        Raises `OutOfMemory`, or `ModelError` if pyannote fails; whatever `advance` raises passes through.
        """
        if not len(audio.samples):
            return Diarization()
        with self._turn:
            result = self._run(audio, bounds(speakers), advance)
        diarization = as_diarization(result)
        return Diarization(diarization.turns, diarization.exclusive, count_notices(diarization.turns, speakers))

    def _run(self, audio: Audio, asked: Mapping[str, int], advance: Advance) -> object:
        torch = importlib.import_module("torch")
        samples = np.require(audio.samples.read(0, len(audio.samples)), np.float32, ["C", "W"])
        file = {"waveform": torch.from_numpy(samples)[None], "sample_rate": SAMPLE_RATE, "uri": "recording"}
        try:
            result: object = self._pipeline(file, hook=progress_hook(audio.duration, advance), **asked)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory("The graphics memory is too small for pyannote.", hint="Use --device cpu.") from error
        except MemoryError as error:
            raise OutOfMemory from error
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            if asked and isinstance(error, ValueError):
                # community-1 fails where a short recording has fewer voice samples than speakers were asked for.
                # Asked without a number it answers; that the number was not met becomes a notice.
                return self._run(audio, {}, advance)
            raise ModelError(f"pyannote.audio failed: {error}.", hint="Try the built-in diarizer.") from error
        advance(audio.duration)
        return result


def bounds(speakers: Speakers) -> dict[str, int]:
    """Return the number of speakers as pyannote's keyword arguments."""
    if speakers.exact is not None:
        return {"num_speakers": speakers.exact}
    lower = {"min_speakers": speakers.minimum} if speakers.minimum > 1 else {}
    return lower if speakers.maximum is None else lower | {"max_speakers": speakers.maximum}


def progress_hook(duration: float, advance: Advance) -> Callable[..., None]:
    """Return a hook for pyannote's pipelines that reports seconds of the recording, never fewer than before."""
    reached = 0.0

    def hook(
        step: str, _artifact: object, *, total: int | None = None, completed: int | None = None, **_: object
    ) -> None:
        nonlocal reached
        if step in SHARES and total and completed is not None:
            start, end = SHARES[step]
            reached = max(reached, (start + (end - start) * min(completed / total, 1.0)) * duration)
            advance(reached)

    return hook


def as_diarization(result: object) -> Diarization:
    """Turn pyannote's result into ours: speakers named in order of appearance, one speaker at a time in `exclusive`.

    pyannote.audio 4 returns both; 3 returns an Annotation with overlaps only, so `exclusive` is made from it.
    """
    annotation = getattr(result, "speaker_diarization", result)
    turns = turns_of(annotation)
    names = {label: f"SPEAKER_{number:02d}" for number, label in enumerate(dict.fromkeys(t.speaker for t in turns))}
    named = _renamed(turns, names)
    exclusive = getattr(result, "exclusive_speaker_diarization", None)
    return Diarization(named, one_at_a_time(named) if exclusive is None else _renamed(turns_of(exclusive), names))


def turns_of(annotation: object) -> list[Turn]:
    """Return the turns of a pyannote.core Annotation, sorted by start, with its own labels."""
    tracks: Iterable[tuple[object, object, object]] = annotation.itertracks(yield_label=True)  # type: ignore[attr-defined]  # untyped
    turns = [
        Turn(max(float(segment.start), 0.0), float(segment.end), str(label))  # type: ignore[attr-defined]  # untyped
        for segment, _, label in tracks
    ]
    return sorted((turn for turn in turns if turn.end > turn.start), key=lambda turn: (turn.start, turn.end))


def _renamed(turns: Iterable[Turn], names: dict[str, str]) -> tuple[Turn, ...]:
    return tuple(Turn(turn.start, turn.end, names[turn.speaker]) for turn in turns)


def one_at_a_time(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Where turns overlap, leave the word to the longer one; the earlier one if both are as long."""
    waiting = sorted(turns, key=lambda turn: turn.start, reverse=True)
    edges = sorted({edge for turn in waiting for edge in (turn.start, turn.end)})
    speaking: list[Turn] = []
    exclusive: list[Turn] = []
    for start, end in pairwise(edges):
        speaking = [turn for turn in speaking if turn.end > start]
        while waiting and waiting[-1].start <= start:
            speaking.append(waiting.pop())
        if speaking:
            longest = max(speaking, key=lambda turn: (turn.end - turn.start, -turn.start))
            _extend(exclusive, Turn(start, end, longest.speaker))
    return tuple(exclusive)


def _extend(turns: list[Turn], turn: Turn) -> None:
    """Append a turn, joined with the last one if the same speaker goes on."""
    if turns and turns[-1].end == turn.start and turns[-1].speaker == turn.speaker:
        turns[-1] = Turn(turns[-1].start, turn.end, turn.speaker)
    else:
        turns.append(turn)


def count_notices(turns: Iterable[Turn], speakers: Speakers) -> tuple[Notice, ...]:
    """Say so if pyannote found another number of speakers than was asked for."""
    found = len({turn.speaker for turn in turns})
    if speakers.minimum <= found <= (speakers.maximum or found) or (found == 0 and speakers == Speakers()):
        return ()
    return (
        Notice(
            "speaker-count-not-met",
            f"{speakers} speakers were asked for, and pyannote.audio found {found} in the recording.",
        ),
    )
