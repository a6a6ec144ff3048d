"""Which CTC network aligns which language: whisperX's table, as repositories of the model hub.

whisperX takes the networks of the first five languages from torchaudio. They are fairseq's, and the same weights are
on the hub under the names here (Transformers' conversions by the publisher).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

CTC_MODELS: Mapping[str, str] = MappingProxyType(
    {
        "en": "facebook/wav2vec2-base-960h",
        "fr": "facebook/wav2vec2-base-10k-voxpopuli-ft-fr",
        "de": "facebook/wav2vec2-base-10k-voxpopuli-ft-de",
        "es": "facebook/wav2vec2-base-10k-voxpopuli-ft-es",
        "it": "facebook/wav2vec2-base-10k-voxpopuli-ft-it",
        "ja": "jonatasgrosman/wav2vec2-large-xlsr-53-japanese",
        "zh": "jonatasgrosman/wav2vec2-large-xlsr-53-chinese-zh-cn",
        "nl": "jonatasgrosman/wav2vec2-large-xlsr-53-dutch",
        "uk": "Yehor/wav2vec2-xls-r-300m-uk-with-small-lm",
        "pt": "jonatasgrosman/wav2vec2-large-xlsr-53-portuguese",
        "ar": "jonatasgrosman/wav2vec2-large-xlsr-53-arabic",
        "cs": "comodoro/wav2vec2-xls-r-300m-cs-250",
        "ru": "jonatasgrosman/wav2vec2-large-xlsr-53-russian",
        "pl": "jonatasgrosman/wav2vec2-large-xlsr-53-polish",
        "hu": "jonatasgrosman/wav2vec2-large-xlsr-53-hungarian",
        "fi": "jonatasgrosman/wav2vec2-large-xlsr-53-finnish",
        "fa": "jonatasgrosman/wav2vec2-large-xlsr-53-persian",
        "el": "jonatasgrosman/wav2vec2-large-xlsr-53-greek",
        "tr": "mpoyraz/wav2vec2-xls-r-300m-cv7-turkish",
        "da": "saattrupdan/wav2vec2-xls-r-300m-ftspeech",
        "he": "imvladikon/wav2vec2-xls-r-300m-hebrew",
        "vi": "nguyenvulebinh/wav2vec2-base-vi-vlsp2020",
        "ko": "kresnik/wav2vec2-large-xlsr-korean",
        "ur": "kingabzpro/wav2vec2-large-xls-r-300m-Urdu",
        "te": "anuragshas/wav2vec2-large-xlsr-53-telugu",
        "hi": "theainerd/Wav2Vec2-large-xlsr-hindi",
        "ca": "softcatala/wav2vec2-large-xlsr-catala",
        "ml": "gvs/wav2vec2-large-xlsr-malayalam",
        "no": "NbAiLab/nb-wav2vec2-1b-bokmaal-v2",
        "nn": "NbAiLab/nb-wav2vec2-1b-nynorsk",
        "sk": "comodoro/wav2vec2-xls-r-300m-sk-cv8",
        "sl": "anton-l/wav2vec2-large-xlsr-53-slovenian",
        "hr": "classla/wav2vec2-xls-r-parlaspeech-hr",
        "ro": "gigant/romanian-wav2vec2",
        "eu": "stefan-it/wav2vec2-large-xlsr-53-basque",
        "gl": "ifrz/wav2vec2-large-xlsr-galician",
        "ka": "xsway/wav2vec2-large-xlsr-georgian",
        "lv": "jimregan/wav2vec2-large-xlsr-latvian-cv",
        "tl": "Khalsuu/filipino-wav2vec2-l-xls-r-300m-official",
        "sv": "KBLab/wav2vec2-large-voxrex-swedish",
        "id": "cahya/wav2vec2-large-xlsr-indonesian",
    }
)

_TORCHAUDIO_NAMES = {
    "WAV2VEC2_ASR_BASE_960H": "facebook/wav2vec2-base-960h",
    "WAV2VEC2_ASR_LARGE_960H": "facebook/wav2vec2-large-960h",
    "WAV2VEC2_ASR_LARGE_LV60K_960H": "facebook/wav2vec2-large-960h-lv60",
    "VOXPOPULI_ASR_BASE_10K_FR": "facebook/wav2vec2-base-10k-voxpopuli-ft-fr",
    "VOXPOPULI_ASR_BASE_10K_DE": "facebook/wav2vec2-base-10k-voxpopuli-ft-de",
    "VOXPOPULI_ASR_BASE_10K_ES": "facebook/wav2vec2-base-10k-voxpopuli-ft-es",
    "VOXPOPULI_ASR_BASE_10K_IT": "facebook/wav2vec2-base-10k-voxpopuli-ft-it",
}


_EXTRA = ("torch", "transformers", "safetensors")


def can_run(name: str) -> bool:
    """Whether this installation can run the network: it is exported to ONNX, or the extra `ctc` is installed."""
    return (Path(name).expanduser() / "model.onnx").is_file() or all(find_spec(package) for package in _EXTRA)


def find_ctc_model(language: str, asked: str | None = None) -> str | None:
    """Return the repository or folder for a language, None if there is none; what was asked for beats the table."""
    if asked:
        return _TORCHAUDIO_NAMES.get(asked, asked)
    return CTC_MODELS.get(language)
