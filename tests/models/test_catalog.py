"""The catalog is complete and contradicts itself nowhere."""

from __future__ import annotations

import re

import pytest

from wortlaut.errors import UnknownModel
from wortlaut.models.catalog import DEFAULT_MODELS, MODELS, find_entry
from wortlaut.models.entry import HubSource, WheelSource

WHISPER_NAMES = """
tiny tiny.en base base.en small small.en medium medium.en large-v1 large-v2 large-v3 large large-v3-turbo turbo
distil-small.en distil-medium.en distil-large-v2 distil-large-v3 distil-large-v3.5
"""


@pytest.mark.parametrize("name", WHISPER_NAMES.split())
def test_every_name_that_faster_whisper_knows_is_known(name):
    entry = find_entry(name)
    assert entry.role == "recognition"
    assert {"model.bin", "config.json", "tokenizer.json"} <= {file.name for file in entry.files}


def test_names_folders_and_aliases_are_unique():
    names = [name for entry in MODELS for name in (entry.name, *entry.aliases)]
    assert len(set(names)) == len(names)
    assert len({entry.folder for entry in MODELS}) == len(MODELS)


@pytest.mark.parametrize("entry", MODELS, ids=lambda entry: entry.name)
def test_every_entry_can_be_fetched_and_checked(entry):
    for file in entry.files:
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
    for source in entry.sources:
        if isinstance(source, WheelSource):  # an index names no checksums of what is in a wheel
            assert set(source.members) == {file.name for file in entry.files}
            assert all(file.sha256 for file in entry.files)
        elif entry.name != "distil-large-v2":
            assert re.fullmatch("[0-9a-f]{40}", source.revision)
    if entry.conversion:
        assert entry.conversion.checkpoint in {file.name for file in entry.files}
        assert [file.name for file in entry.kept_files] == [entry.conversion.product]


def test_the_default_models_are_known_and_pinned():
    for name in DEFAULT_MODELS:
        assert all(file.sha256 for file in find_entry(name).files)


def test_a_hub_id_is_the_model_of_that_name_or_any_repository():
    assert find_entry("Systran/faster-whisper-base").name == "base"
    entry = find_entry("somebody/whisper-of-ours")
    assert entry.folder == "somebody--whisper-of-ours"
    assert entry.sources == (HubSource("somebody/whisper-of-ours", "main"),)


@pytest.mark.parametrize("name", ["", "bas", "a/b/c", "../b", "a/..", "-a/b", "a/b c"])
def test_nonsense_is_unknown(name):
    with pytest.raises(UnknownModel):
        find_entry(name)
