# ruff: noqa: INP001 - a script, no package
"""Run faster-whisper: `plain` (text alone), `words` (VAD, word times), `batched` or `batched-words` (eight at once)."""

from __future__ import annotations

from collections.abc import Callable

from watch import Result, Watch, arguments, run

chosen = arguments()


def load(_: Watch) -> Callable[[str, Watch], Result]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415 loading is measured

    model = WhisperModel(chosen.model, device="cpu", compute_type="int8", cpu_threads=chosen.threads)
    asked = {"language": chosen.language, "beam_size": 5}
    asked |= {"vad_filter": chosen.variant != "plain", "word_timestamps": chosen.variant.endswith("words")}
    is_batched = chosen.variant.startswith("batched")
    if is_batched:
        asked |= {"batch_size": 8}
    program = BatchedInferencePipeline(model) if is_batched else model

    def work(file: str, watch: Watch) -> Result:
        with watch.measure("recognize"):
            segments = list(program.transcribe(file, **asked)[0])
        words = [word for segment in segments for word in segment.words or ()]
        return {
            "text": " ".join(segment.text.strip() for segment in segments),
            "words": [{"text": word.word, "start": word.start, "end": word.end} for word in words],
        }

    return work


run(load, chosen)
