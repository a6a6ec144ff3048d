from __future__ import annotations

import json
from pathlib import Path

import pytest

from wortlaut.errors import InputError
from wortlaut.evaluation.sets import EvaluationSet, Item, Utterance, find_sets, load_set
from wortlaut.transcript import Turn, Word


def write_set(folder: Path, *entries: dict[str, object]) -> Path:
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"audio": f"{entry['id']}.wav", **entry}) for entry in entries]
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def only(folder: Path) -> Item:
    (item,) = load_set(folder).items
    return item


def test_everything_that_can_be_known(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "talks", {"id": "a", "lang": "en-AU", "duration": 2.5})
    (folder / "a.ref.txt").write_text("Hello {laugh} ((over)) there.\n", encoding="utf-8")
    (folder / "a.words.json").write_text('[{"word": "hello", "start": 0.5, "end": 1}]', encoding="utf-8")
    (folder / "a.ref.rttm").write_text("SPEAKER a 1 0.0 2.5 <NA> <NA> loose <NA> <NA>\n", encoding="utf-8")
    (folder / "a.words.rttm").write_text(
        "SPEAKER a 1 0.5 0.5 <NA> <NA> anna <NA> <NA>\n\nSPKR-INFO a 1 <NA> <NA> <NA> unknown anna <NA>\n",
        encoding="utf-8",
    )
    (folder / "a.segments.json").write_text(
        '[{"text": "Hello", "start": 0.5, "end": 1, "speaker": "anna"}]', encoding="utf-8"
    )
    loaded = load_set(folder)
    item = only(folder)
    assert loaded.name == "talks"
    assert item.media == folder / "a.wav"
    assert (item.duration, item.language) == (2.5, "en")
    assert item.text is not None
    assert item.text.split() == ["Hello", "over", "there."]
    assert item.words == (Word("hello", 0.5, 1.0),)
    assert item.turns == (Turn(0.5, 1.0, "anna"),)
    assert item.utterances == (Utterance("Hello", 0.5, 1.0, "anna"),)
    assert item.speaker_count == 1
    assert (item.is_broken, item.is_speechless, item.counts_for_wer) == (False, False, True)


def test_nothing_known_but_the_sound(tmp_path: Path) -> None:
    item = only(write_set(tmp_path, {"id": "a", "lang": "?"}))
    assert (item.text, item.words, item.turns, item.utterances, item.language) == (None, (), (), (), None)


@pytest.mark.parametrize(
    ("code", "language"), [("de", "de"), ("en-AU", "en"), ("el?", None), ("-", None), ("multi", None)]
)
def test_unverified_languages_are_unknown(tmp_path: Path, code: str, language: str | None) -> None:
    assert only(write_set(tmp_path, {"id": "a", "lang": code})).language == language


@pytest.mark.parametrize(
    ("entry", "is_speechless"),
    [
        ({"silent": True}, True),
        ({"lang": "-"}, True),
        ({"note": "silence"}, True),
        ({"note": "be silent: no speech expected"}, True),
        ({"note": "60 s silence, speech, 60 s silence"}, False),
        ({"lang": "-", "decode_error": "InvalidDataError"}, False),
        ({}, False),
    ],
)
def test_where_nobody_speaks(tmp_path: Path, entry: dict[str, object], is_speechless: bool) -> None:
    assert only(write_set(tmp_path, {"id": "a", **entry})).is_speechless == is_speechless


def test_files_broken_on_purpose_are_known_as_such(tmp_path: Path) -> None:
    folder = write_set(tmp_path, {"id": "a", "decode_error": "x"}, {"id": "b", "no_audio_stream": True}, {"id": "c"})
    assert [item.is_broken for item in load_set(folder).items] == [True, True, False]


def test_sentences_that_all_speakers_of_timit_read_are_no_words_of_the_set(tmp_path: Path) -> None:
    folder = write_set(tmp_path, {"id": "dr1-fvmh0_sa1"}, {"id": "dr1-fvmh0_sa2"}, {"id": "dr1-fvmh0_si2096"})
    assert [item.counts_for_wer for item in load_set(folder).items] == [False, False, True]


def test_a_folder_of_sets_is_all_its_sets(tmp_path: Path) -> None:
    first, second = write_set(tmp_path / "a", {"id": "x"}), write_set(tmp_path / "b", {"id": "x"})
    assert find_sets([tmp_path]) == [first, second]
    assert find_sets([second]) == [second]


def test_a_folder_without_sets_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no evaluation set"):
        find_sets([tmp_path])


@pytest.mark.parametrize("line", ["{", "{}", '{"id": "a"}', "[]"])
def test_a_malformed_manifest_is_said_to_be_so(tmp_path: Path, line: str) -> None:
    (tmp_path / "manifest.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match="malformed"):
        load_set(tmp_path)


def test_malformed_truth_is_said_to_be_so(tmp_path: Path) -> None:
    folder = write_set(tmp_path, {"id": "a"})
    (folder / "a.words.json").write_text('[{"word": "x"}]', encoding="utf-8")
    with pytest.raises(InputError, match="malformed"):
        load_set(folder)


def test_a_limit_takes_items_from_everywhere() -> None:
    whole = EvaluationSet("talks", tuple(Item(str(number), Path(str(number))) for number in range(10)))
    assert [item.name for item in whole.limited(3).items] == ["0", "3", "6"]
    assert whole.limited(None) == whole.limited(99) == whole


def test_the_sets_at_hand_can_be_read(eval_dir: Path) -> None:
    sets = {folder.name: load_set(folder) for folder in find_sets([eval_dir])}
    assert all(item.media.is_file() for entry in sets.values() for item in entry.items)
    assert all(item.words and item.text for item in sets["timit-nltk"].items)
    assert all(item.speaker_count for item in sets["ami-30s"].items)
    assert sum(item.is_broken for item in sets["hard-media"].items) == 4
    assert "jfk_in_long_silence" not in {item.name for item in sets["hard-media"].items if item.is_speechless}
