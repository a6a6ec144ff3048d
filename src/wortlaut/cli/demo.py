"""`wortlaut demo`: a real telephone conversation of two people, transcribed here and now."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

from wortlaut.cli.progress import progress_listener, say
from wortlaut.localization.choice import translator
from wortlaut.models.catalog import DEFAULT_MODELS
from wortlaut.options import Options
from wortlaut.settings import Settings
from wortlaut.transcript import Transcript

SAMPLE = "sample-conversation"


def demo() -> None:
    """Get the default models and a sample conversation, transcribe it and show what it cost."""
    from wortlaut.assembly import Transcriber  # noqa: PLC0415 the engines are not needed for --help

    with Transcriber(Settings()) as transcriber:
        with progress_listener("models", is_shown=True) as listener:
            sample, *_ = transcriber.fetch_all((SAMPLE, *DEFAULT_MODELS), listener)
            transcriber.warm_up(Options(), listener)
        media = sample / "sample.wav"
        say(f"Transcribing {media} ...")
        began, cpu = time.perf_counter(), _cpu_seconds()
        with progress_listener(media.name, is_shown=True) as listener:
            transcript = transcriber.transcribe(media, Options(), listener)
        wall, cpu = time.perf_counter() - began, _cpu_seconds() - cpu
    translate = translator().translate
    print("\n".join(_spoken(transcript)), end="\n\n")
    print("\n".join(map(translate, (*_report(transcript), _cost(transcript.duration, wall, cpu)))))


def _spoken(transcript: Transcript) -> Iterator[str]:
    for segment in transcript.segments:
        yield f"{segment.start:6.2f} – {segment.end:6.2f}  {segment.speaker}: {segment.text}"


def _report(transcript: Transcript) -> Iterator[str]:
    for speaker in transcript.speakers:
        spoken = sum(turn.end - turn.start for turn in transcript.turns if turn.speaker == speaker)
        words = sum(word.speaker == speaker for word in transcript.words)
        yield f"{speaker} speaks for {spoken:.1f} s and says {words} words."
    yield f"Language: {transcript.language}. Warnings: {len(transcript.warnings) or 'none'}."
    yield from (f"  {notice.message} [{notice.code}]" for notice in transcript.warnings)


def _cost(duration: float, wall: float, cpu: float) -> str:
    times = duration / wall
    if peak := _peak_mb():
        return (
            f"{duration:.0f} s of sound took {wall:.1f} s here ({times:.0f}x real time), "
            f"{cpu:.1f} s of processor time and {peak:.0f} MB of memory."
        )
    return f"{duration:.0f} s of sound took {wall:.1f} s here ({times:.0f}x real time), {cpu:.1f} s of processor time."


def _cpu_seconds() -> float:
    """Of this process and of those that have ended; Windows knows nothing of the latter."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak_mb() -> float | None:
    """Return the most memory this process has taken, None where the system keeps no count."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
