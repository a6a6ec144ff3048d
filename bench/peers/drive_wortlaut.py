# ruff: noqa: INP001 - a script, no package
"""Run Wortlaut: variant `words` (text and word times) or `speakers` (and who speaks).

Its stopwatch counts processor seconds here. Recognition works a batch ahead while words are aligned, so some of its
seconds count as the aligner's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from watch import Result, Watch, arguments, cpu_seconds, run, turns

chosen = arguments()


def load(_: Watch) -> Callable[[str, Watch], Result]:
    from wortlaut import pipeline  # noqa: PLC0415 loading is measured
    from wortlaut.assembly import Transcriber  # noqa: PLC0415
    from wortlaut.options import Options, Speakers  # noqa: PLC0415
    from wortlaut.settings import Settings  # noqa: PLC0415
    from wortlaut.stopwatch import Stopwatch  # noqa: PLC0415

    pipeline.Stopwatch = partial(Stopwatch, cpu_seconds)

    speakers = Speakers() if chosen.variant == "speakers" else None
    options = Options(model=chosen.model, language=chosen.language, speakers=speakers)
    transcriber = Transcriber(Settings(threads=chosen.threads))
    transcriber.warm_up(options)

    def work(file: str, watch: Watch) -> Result:
        transcript = transcriber.transcribe(Path(file), options)
        watch.stages |= {stage: {"cpu": seconds} for stage, seconds in transcript.provenance.seconds.items()}
        return {
            "duration": transcript.duration,
            "text": transcript.text.replace("\n", " "),
            "words": [
                {"text": word.text, "start": word.start, "end": word.end, "speaker": word.speaker}
                for word in transcript.words
            ],
            "turns": turns([(turn.start, turn.end, turn.speaker) for turn in transcript.turns]),
        }

    return work


run(load, chosen)
