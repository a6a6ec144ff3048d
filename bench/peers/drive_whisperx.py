# ruff: noqa: INP001 - a script, no package
"""Run whisperX: variant `recognize` (its own VAD, text), `words` (and alignment) or `speakers` (and diarization).

Its alignment weights are not always to be had and pyannote's need a token, so networks of the same shapes with random
weights take their places: the cost is the same, the results mean nothing and are left out. The same goes for the
sentence splitter's data.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watch import Result, Watch, arguments, run

chosen = arguments()
LABELS = "-|ETAONIHSRDLUMWCFGYPBVK'XJQZ"
"""The labels of torchaudio's WAV2VEC2_ASR_BASE_960H, in its order."""
CHUNK_SECONDS = 10.0
"""What pyannote's segmentation sees at once, and the share of it that it moves on by."""
BATCH_SIZE = 32
"""The batch size that community-1 asks for."""
SPEAKER_BIAS = 5.0
"""Makes the random segmentation hear one speaker everywhere: in silence, no voice would be looked at."""
XVECTOR, LDA = 256, 128
"""Dimensions of the speaker embedding and of the PLDA."""


def random_aligner() -> tuple[Any, dict[str, Any]]:
    """Return a model of the right shape and the metadata that whisperX hands on with it."""
    import torchaudio  # noqa: PLC0415 loading is measured

    model = torchaudio.models.wav2vec2_base(aux_num_out=len(LABELS)).eval()
    dictionary = {label.lower(): index for index, label in enumerate(LABELS)}
    return model, {"language": chosen.language, "dictionary": dictionary, "type": "torchaudio"}


def random_diarizer() -> Any:  # noqa: ANN401 a peer's pipeline
    """Return pyannote's pipeline in the shape of community-1, which whisperX asks for."""
    import torch  # noqa: PLC0415
    from pyannote.audio.models.embedding import WeSpeakerResNet34  # noqa: PLC0415
    from pyannote.audio.pipelines import SpeakerDiarization  # noqa: PLC0415

    torch.manual_seed(0)
    pipeline = SpeakerDiarization(
        segmentation=random_segmentation(),
        segmentation_batch_size=BATCH_SIZE,
        embedding=WeSpeakerResNet34().eval(),
        embedding_batch_size=BATCH_SIZE,
        embedding_exclude_overlap=True,
        plda=random_plda(),
    )
    return pipeline.instantiate(pipeline.default_parameters())


def random_segmentation() -> Any:  # noqa: ANN401 a peer's model
    """Return a network in the shape of segmentation-3.0: seven classes of up to three speakers, two at once."""
    import torch  # noqa: PLC0415
    from pyannote.audio.core.task import Problem, Resolution, Specifications  # noqa: PLC0415
    from pyannote.audio.models.segmentation import PyanNet  # noqa: PLC0415

    model = PyanNet(
        sincnet={"stride": 10},
        lstm={"hidden_size": 128, "num_layers": 4, "bidirectional": True, "monolithic": True},
        linear={"hidden_size": 128, "num_layers": 2},
    )
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=CHUNK_SECONDS,
        classes=["speaker 1", "speaker 2", "speaker 3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.build()
    with torch.no_grad():
        model.classifier.bias[1] += SPEAKER_BIAS
    return model.eval()


def random_plda() -> Any:  # noqa: ANN401 a peer's model
    import numpy as np  # noqa: PLC0415
    from pyannote.audio.core.plda import PLDA  # noqa: PLC0415

    lda = np.random.default_rng(0).normal(size=(XVECTOR, LDA))
    with tempfile.TemporaryDirectory() as name:
        transform, plda = Path(name) / "transform.npz", Path(name) / "plda.npz"
        np.savez(transform, mean1=np.zeros(XVECTOR), mean2=np.zeros(LDA), lda=lda)
        np.savez(plda, mu=np.zeros(LDA), tr=np.eye(LDA), psi=np.linspace(2.0, 0.1, LDA))
        return PLDA(transform, plda)


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
    diarizer = random_diarizer() if chosen.variant == "speakers" else None

    def work(file: str, watch: Watch) -> Result:
        with watch.measure("decode"):
            audio = decode(file)
        with watch.measure("recognize"):
            found = recognizer.transcribe(audio, batch_size=8)
        text = " ".join(segment["text"].strip() for segment in found["segments"])
        if aligner is not None:
            with watch.measure("align"):
                found = whisperx.align(found["segments"], aligner, metadata, audio, "cpu")
        if diarizer is not None:
            with watch.measure("diarize"):
                label(diarizer, audio, found)
        return {"text": text, "has_random_weights": chosen.variant != "recognize"}

    return work


def label(diarizer: Any, audio: Any, found: Any) -> None:  # noqa: ANN401 the peer's own types
    """Do what whisperX's DiarizationPipeline and assign_word_speakers do, with a pipeline that is at hand."""
    import whisperx  # noqa: PLC0415
    from whisperx.diarize import DiarizationPipeline  # noqa: PLC0415

    pipeline = DiarizationPipeline.__new__(DiarizationPipeline)  # its constructor would ask the hub for weights
    pipeline.model = diarizer
    whisperx.assign_word_speakers(pipeline(audio), found)


run(load, chosen)
