"""Every error that a broken environment causes sends the user to `wortlaut doctor`, and no other does."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import wortlaut
from wortlaut.errors import WortlautError

OF_THE_ENVIRONMENT = {
    "checkpoint-refused",
    "device-unavailable",
    "download-failed",
    "extra-missing",
    "installation-broken",
    "invalid-setting",
    "model-corrupt",
    "model-missing",
    "out-of-memory",
    "output-unwritable",
    "worker-crashed",
}
"""What the doctor looks at: packages, and whether they load, settings, devices, memory, disk, models, the hub."""

OF_WHAT_WAS_GIVEN = {
    "address-failed",
    "address-refused",
    "answer-too-long",
    "bundle-invalid",
    "decoding-failed",
    "idempotency-conflict",
    "input",
    "invalid-option",
    "media-invalid",
    "media-missing",
    "media-not-found",
    "media-too-large",
    "media-too-long",
    "media-unreadable",
    "no-audio-stream",
    "no-separate-channels",
    "not-acceptable",
    "protocol-mismatch",
    "subtitles-invalid",
    "transcript-invalid",
    "unknown-format",
    "unknown-language",
    "unknown-model",
    "wrong-content-type",
}
OF_THE_SERVICE_AND_ITS_NEIGHBOURS = {
    "data-folder-in-use",
    "database-too-new",
    "database-unavailable",
    "forbidden",
    "job-not-found",
    "job-unfinished",
    "limit-reached",
    "model-not-found",
    "not-closed",
    "object-missing",
    "port-taken",
    "queue-full",
    "too-many-uploads",
    "storage-unavailable",
    "unauthorized",
    "upload-conflict",
    "upload-not-found",
    "worker-hung",
    "worker-lost",
}
"""Keys, databases, storages and other processes: the hint names the setting; the doctor knows nothing of them."""

OF_AN_ACCOUNT = {"terms-not-accepted", "token-missing", "token-rejected"}
"""The hint says where it is put right."""

NEITHER = {"cancelled", "job", "model", "resource"}
"""The caller's wish, and families that are never raised themselves."""


@pytest.fixture(scope="module")
def kinds():
    """Every class of error, wherever in the source it stands."""
    for module in pkgutil.walk_packages(wortlaut.__path__, "wortlaut."):
        if not module.name.endswith((".__main__", ".child", "_test")):
            importlib.import_module(module.name)

    def below(kind):
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    return {kind.code: kind for kind in below(WortlautError) if kind.__module__.startswith("wortlaut.")}


def test_every_code_has_its_place(kinds):
    """Whoever adds an error says whether a broken environment can cause it."""
    groups = (OF_THE_ENVIRONMENT, OF_WHAT_WAS_GIVEN, OF_THE_SERVICE_AND_ITS_NEIGHBOURS, OF_AN_ACCOUNT, NEITHER)
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert set(kinds) == set().union(*groups)


def test_the_doctor_is_named_where_it_can_help_and_nowhere_else(kinds):
    assert {code for code, kind in kinds.items() if "`wortlaut doctor`" in kind().hint} == OF_THE_ENVIRONMENT


def test_a_hint_of_its_own_does_not_lose_it(kinds):
    for code in OF_THE_ENVIRONMENT:
        assert "`wortlaut doctor`" in kinds[code]("It is broken.", hint="Do this.").hint


def test_families_are_never_raised(kinds):
    for code in NEITHER - {"cancelled"}:
        assert kinds[code].__subclasses__()
