"""Evaluation sets: folders of recordings with what is known about them.

A set is a folder with `manifest.jsonl`, one JSON object a line: `id`, `audio` (file name), `lang`, `duration`, and
optionally `silent`, `decode_error`, `no_audio_stream`, `note`. Beside each recording may lie

    <id>.ref.txt         what is said
    <id>.words.json      [{word, start, end}], seconds
    <id>.words.rttm      who speaks when, tight around the words; preferred to
    <id>.ref.rttm        who speaks when
    <id>.segments.json   [{speaker, start, end, text}]: who says what

Whatever is missing is not measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wortlaut.errors import InputError
from wortlaut.transcript import Turn, Word

MANIFEST = "manifest.jsonl"
READ_BY_EVERYONE = re.compile(r"_sa[12]$")
"""TIMIT's two dialect sentences, read by every speaker: one misheard word in them would count many times."""
NO_SPEECH_NOTE = re.compile(r"^silence$|\bno speech\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one speaker says in one go. `speaker` None: not told."""

    text: str
    start: float
    end: float
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One recording and its truth; an empty field is not known.

    `is_broken`: there is nothing to decode, an error is the right answer. `is_speechless`: nobody speaks, so every
    word is invented. `counts_for_wer` is False for texts that many speakers of the set read.
    """

    name: str
    media: Path
    duration: float = 0.0
    language: str | None = None
    text: str | None = None
    words: tuple[Word, ...] = ()
    turns: tuple[Turn, ...] = ()
    utterances: tuple[Utterance, ...] = ()
    is_broken: bool = False
    is_speechless: bool = False
    counts_for_wer: bool = True

    @property
    def speaker_count(self) -> int:
        """Speakers in the true turns; 0 where there are none."""
        return len({turn.speaker for turn in self.turns})


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    name: str
    items: tuple[Item, ...]

    def limited(self, count: int | None) -> EvaluationSet:
        """Return at most `count` items, spread evenly: neighbours often share a speaker."""
        if count is None or count >= len(self.items):
            return self
        picked = tuple(self.items[index * len(self.items) // count] for index in range(count))
        return replace(self, items=picked)


def find_sets(folders: Iterable[Path]) -> list[Path]:
    """Return the folders that are sets: those given, or the sets directly inside them.

    Raises `InputError` for a folder that neither is a set nor holds any.
    """
    found: list[Path] = []
    for folder in folders:
        inside = (
            [folder] if (folder / MANIFEST).is_file() else sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
        )
        if not inside:
            raise InputError(f"{folder} is no evaluation set: it has no {MANIFEST}, and neither has a folder in it.")
        found.extend(inside)
    return found


def load_set(folder: Path) -> EvaluationSet:
    """Read a set. Raises `InputError` where the manifest or a file of ground truth is malformed."""
    manifest = folder / MANIFEST
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
        items = tuple(_item(folder, json.loads(line)) for line in lines if line.strip())
    except OSError as error:
        raise InputError(f"{manifest} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"The set {folder.name} is malformed: {error!r}.") from error
    return EvaluationSet(folder.resolve().name, items)


def _item(folder: Path, entry: Mapping[str, Any]) -> Item:
    name = str(entry["id"])
    text = _text(folder / f"{name}.ref.txt")
    is_broken = bool(entry.get("decode_error") or entry.get("no_audio_stream"))
    return Item(
        name=name,
        media=folder / str(entry["audio"]),
        duration=float(entry.get("duration") or 0.0),
        language=_language(str(entry.get("lang", "?"))),
        text=text,
        words=_words(folder / f"{name}.words.json"),
        turns=_turns(folder / f"{name}.words.rttm") or _turns(folder / f"{name}.ref.rttm"),
        utterances=_utterances(folder / f"{name}.segments.json"),
        is_broken=is_broken,
        is_speechless=text is None and not is_broken and _nobody_speaks(entry),
        counts_for_wer=not READ_BY_EVERYONE.search(name),
    )


def _nobody_speaks(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("silent")) or entry.get("lang") == "-" or bool(NO_SPEECH_NOTE.search(entry.get("note", "")))


def _language(code: str) -> str | None:
    """Return the ISO 639 code of `en-AU`; None for unknown (`?`), unverified (`fr?`), mixed and no language."""
    return match[1] if (match := re.fullmatch(r"([a-z]{2,3})(-[A-Za-z]+)?", code)) else None


def _text(path: Path) -> str | None:
    return _spoken(path.read_text(encoding="utf-8")) if path.is_file() else None


def _spoken(text: str) -> str:
    """Take the marks of transcribers out: {laugh} is no word; ((words)) were hard to hear, but said."""
    return re.sub(r"\(\(|\)\)", " ", re.sub(r"\{[^}]*\}", " ", text)).strip()


def _words(path: Path) -> tuple[Word, ...]:
    return tuple(Word(str(entry["word"]), float(entry["start"]), float(entry["end"])) for entry in _json(path))


def _utterances(path: Path) -> tuple[Utterance, ...]:
    return tuple(
        Utterance(_spoken(str(entry["text"])), float(entry["start"]), float(entry["end"]), entry.get("speaker"))
        for entry in _json(path)
    )


def _json(path: Path) -> list[Mapping[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _turns(path: Path) -> tuple[Turn, ...]:
    """Read RTTM: SPEAKER <file> <channel> <start> <duration> <NA> <NA> <speaker> <NA> <NA>."""
    if not path.is_file():
        return ()
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    spoken = ((float(row[3]), float(row[4]), row[7]) for row in rows if row and row[0] == "SPEAKER")
    return tuple(Turn(start, start + length, speaker) for start, length, speaker in spoken if length > 0)
