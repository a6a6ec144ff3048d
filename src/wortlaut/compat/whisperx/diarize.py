"""`DiarizationPipeline` and `assign_word_speakers`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from string import ascii_uppercase
from typing import Any, TypeVar

from wortlaut.assembly import Transcriber
from wortlaut.attribution import attribute
from wortlaut.compat.request import count_speakers
from wortlaut.compat.whisperx.asr import settings_for
from wortlaut.compat.whisperx.audio import Sound, open_sound
from wortlaut.compat.whisperx.log_utils import get_logger
from wortlaut.compat.whisperx.schema import ProgressCallback
from wortlaut.compat.whisperx.turn_table import COLUMNS, TurnTable
from wortlaut.diarization.pyannote.diarizer import one_at_a_time
from wortlaut.stages import Advance, ignore
from wortlaut.transcript import Turn, Word

logger = get_logger("whisperx.diarize")

Result = TypeVar("Result", bound=MutableMapping[str, Any])
Embeddings = dict[str, list[float]]


class DiarizationPipeline:
    """Who speaks when, by the built-in diarizer, which needs neither a token nor pyannote.

    `model_name`, `token` and `use_auth_token` are taken and not used.
    """

    def __init__(
        self,
        model_name: str | None = None,
        token: str | bool | None = None,
        device: object = "cpu",
        cache_dir: str | None = None,
        *,
        use_auth_token: str | bool | None = None,
    ) -> None:
        if model_name is not None:
            logger.warning("The diarization model %s is not used; the built-in diarizer is.", model_name)
        if token or use_auth_token:
            logger.info("The built-in diarizer needs no token; the one given is not used.")
        device = device if str(device).partition(":")[0] in ("cpu", "cuda") else "auto"
        self._transcriber = Transcriber(settings_for(device, models_dir=cache_dir and Path(cache_dir)))
        with self._transcriber.diarizer():
            pass  # loaded now, and kept

    def __call__(
        self,
        audio: Sound,
        num_speakers: int | None = None,
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        return_embeddings: bool = False,
        progress_callback: ProgressCallback = None,
    ) -> Any:  # noqa: ANN401 a DataFrame where pandas is installed
        """Return the turns: a pandas DataFrame with segment, label, speaker, start and end, or a `TurnTable`.

        Turns of different speakers may overlap. With `return_embeddings` a second value comes, which is None.
        """
        speakers = count_speakers(num_speakers or min_speakers, num_speakers or max_speakers)
        sound = open_sound(audio)
        advance = _advance(sound.duration, progress_callback) if progress_callback else ignore
        with self._transcriber.diarizer() as diarizer:
            diarization = diarizer.diarize(sound, speakers=speakers, advance=advance)
        for notice in diarization.notices:
            logger.warning("%s [%s]", notice.message, notice.code)
        table = _table(diarization.turns)
        if not return_embeddings:
            return table
        logger.warning("The built-in diarizer gives no speaker embeddings.")
        return table, None


def _advance(duration: float, callback: Callable[[float], None]) -> Advance:
    return lambda done: callback(min(100 * done / duration, 100.0) if duration else 100.0)


def _table(turns: Iterable[Turn]) -> Any:  # noqa: ANN401 a DataFrame where pandas is installed
    """Return the turns as whisperX does, or without pandas as what has the same keys and iterators."""
    rows = [
        {"segment": turn, "label": _label(number), "speaker": turn.speaker, "start": turn.start, "end": turn.end}
        for number, turn in enumerate(turns)
    ]
    if find_spec("pandas") is None:
        return TurnTable(rows)
    return import_module("pandas").DataFrame(rows, columns=list(COLUMNS))


def _label(number: int) -> str:
    """Name a turn A, B ... Z, AA, AB ... as pyannote does."""
    letters = ""
    while number >= 0:
        letters = ascii_uppercase[number % len(ascii_uppercase)] + letters
        number = number // len(ascii_uppercase) - 1
    return letters


def assign_word_speakers(
    diarize_df: Any,  # noqa: ANN401 a DataFrame, ours or anybody's, or a TurnTable
    transcript_result: Result,
    speaker_embeddings: Embeddings | None = None,
    fill_nearest: bool = False,  # noqa: ARG001 nobody is left without a speaker in any case
) -> Result:
    """Name the speaker of every word and segment, in the result that was given, and return it.

    A word belongs to the turn it shares the most time with, or to the nearest, and where turns overlap to the
    longer one; a segment to whoever speaks longest in it. Without any turn nothing changes.
    """
    turns = one_at_a_time(
        Turn(float(row["start"]), float(row["end"]), str(row["speaker"])) for _, row in _rows(diarize_df)
    )
    for segment in transcript_result.get("segments", []) if turns else []:
        words = segment.get("words") or []
        for word, speaker in zip(words, _speakers(words, segment, turns), strict=True):
            word["speaker"] = speaker
        segment["speaker"] = _longest(words) or _speakers([segment], segment, turns)[0]
    for word in transcript_result.get("word_segments", []) if turns else []:
        word["speaker"] = _speakers([word], word, turns)[0]
    if speaker_embeddings is not None:
        transcript_result["speaker_embeddings"] = speaker_embeddings
    return transcript_result


def _rows(table: Any) -> Iterable[tuple[object, Mapping[str, Any]]]:  # noqa: ANN401 see above
    rows: Iterable[tuple[object, Mapping[str, Any]]] = () if table is None else table.iterrows()
    return rows


def _speakers(words: Iterable[Mapping[str, Any]], segment: Mapping[str, Any], turns: Sequence[Turn]) -> list[str]:
    """Return who says each word; one without times of its own counts as said anywhere in its segment."""
    start, end = segment.get("start", 0.0), segment.get("end", 0.0)
    spans = [Word("", word.get("start", start), word.get("end", end)) for word in words]
    return [str(word.speaker) for word in attribute(spans, turns)]


def _longest(words: Iterable[Mapping[str, Any]]) -> str | None:
    """Return who speaks longest; the first of equals, None where there are no words."""
    seconds: Counter[str] = Counter()
    for word in words:
        seconds[word["speaker"]] += word.get("end", 0.0) - word.get("start", 0.0)
    return max(seconds, key=seconds.__getitem__, default=None)
