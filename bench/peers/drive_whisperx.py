# ruff: noqa: INP001 - a script, no package
"""Run whisperX: recognition with its own VAD, then alignment.

Its alignment weights are not always to be had, so a network of the same shape (wav2vec2 base, 29 labels) with random
weights takes their place: the cost is the same, the word times mean nothing and are left out. The same goes for the
sentence splitter's data. Diarization needs gated weights and is not run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from watch import Result, Watch, arguments, run

chosen = arguments()
LABELS = "-|ETAONIHSRDLUMWCFGYPBVK'XJQZ"
"""The labels of torchaudio's WAV2VEC2_ASR_BASE_960H, in its order."""


def random_aligner() -> tuple[Any, dict[str, Any]]:
    """Return a model of the right shape and the metadata that whisperX hands on with it."""
    import torchaudio  # noqa: PLC0415 loading is measured

    model = torchaudio.models.wav2vec2_base(aux_num_out=len(LABELS)).eval()
    dictionary = {label.lower(): index for index, label in enumerate(LABELS)}
    return model, {"language": chosen.language, "dictionary": dictionary, "type": "torchaudio"}


def split_sentences_untrained() -> None:
    """Let whisperX cut sentences by plain rules instead of downloading nltk's trained ones."""
    import nltk  # noqa: PLC0415 comes with whisperX
    import whisperx.alignment  # noqa: PLC0415

    whisperx.alignment.nltk_load = lambda _: nltk.tokenize.punkt.PunktSentenceTokenizer()


def decode(file: str) -> Any:  # noqa: ANN401 numpy is the peer's
    import whisperx  # noqa: PLC0415

    if shutil.which("ffmpeg"):
        return whisperx.load_audio(file)
    from faster_whisper.audio import decode_audio  # noqa: PLC0415 comes with whisperX, which wants a program otherwise

    return decode_audio(file)


def load(_: Watch) -> Callable[[str, Watch], Result]:
    import torch  # noqa: PLC0415 loading is measured
    import whisperx  # noqa: PLC0415

    torch.set_num_threads(chosen.threads)
    recognizer = whisperx.load_model(
        chosen.model, "cpu", compute_type="int8", language=chosen.language, threads=chosen.threads
    )
    split_sentences_untrained()
    aligner, metadata = (None, {}) if chosen.variant == "recognize" else random_aligner()

    def work(file: str, watch: Watch) -> Result:
        with watch.measure("decode"):
            audio = decode(file)
        with watch.measure("recognize"):
            segments = recognizer.transcribe(audio, batch_size=8)["segments"]
        if aligner is not None:
            with watch.measure("align"):
                whisperx.align(segments, aligner, metadata, audio, "cpu")
        return {"text": " ".join(segment["text"].strip() for segment in segments), "has_random_aligner": bool(aligner)}

    return work


run(load, chosen)
