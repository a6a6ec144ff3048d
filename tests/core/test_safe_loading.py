"""The guard around torch.load, with a torch that is played. With the real one: test_pyannote_torch.py."""

from __future__ import annotations

import collections
import pickle
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from wortlaut import safe_loading
from wortlaut.errors import CheckpointRefused, ExtraMissing, ModelCorrupt
from wortlaut.safe_loading import SAFE_GLOBALS, guarded_loading, refuse_code

NAME = "collections.OrderedDict"
ENTRY = (collections.OrderedDict, NAME)


class Torch(SimpleNamespace):
    """Plays torch.load, and the list of safe globals that the whole process shares."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed: set[object] = set()
        self.seen: list[tuple[set[object], dict[str, Any]]] = []  # the list and the arguments at each load
        self.answer: object = {}
        self.serialization = SimpleNamespace(
            load=self.read, get_safe_globals=lambda: list(self.allowed), safe_globals=self.widened
        )
        self.load = self.read

    def read(self, file: object, **options: object) -> object:
        self.seen.append((set(self.allowed), options))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def widened(self, added: list[object]):
        torch = self

        class Widened:
            def __enter__(self) -> None:
                torch.allowed |= set(added)

            def __exit__(self, *_: object) -> None:
                torch.allowed -= set(added)

        return Widened()


@pytest.fixture
def torch(monkeypatch) -> Torch:
    played = Torch()
    monkeypatch.setitem(sys.modules, "torch", played)
    return played


class TestGuard:
    @pytest.mark.parametrize("asked", [{}, {"weights_only": False}, {"weights_only": None}, {"map_location": "cpu"}])
    def test_always_weights_only(self, torch, asked):
        with guarded_loading([NAME]):
            torch.load("file", **asked)
        ((allowed, options),) = torch.seen
        assert options == asked | {"weights_only": True}
        assert allowed == {ENTRY}

    def test_the_list_is_wide_during_the_load_only(self, torch):
        with guarded_loading([NAME]):
            assert torch.allowed == set()
            torch.load("file")
            assert torch.allowed == set()

    def test_what_others_allowed_stays(self, torch):
        torch.allowed = {ENTRY, "theirs"}
        with guarded_loading([NAME]):
            torch.load("file")
        assert torch.allowed == {ENTRY, "theirs"}

    @pytest.mark.parametrize("failure", [None, pickle.UnpicklingError("?"), KeyboardInterrupt()])
    def test_put_back(self, torch, failure):
        before, torch.answer = torch.load, failure or {}
        try:
            with guarded_loading([NAME]):
                torch.load("file")
        except (ModelCorrupt, KeyboardInterrupt):
            pass
        assert torch.load == before
        assert torch.allowed == set()

    def test_a_session_within_a_session(self, torch):
        before = torch.load
        with guarded_loading([NAME]), guarded_loading([]):
            torch.load("file")
        assert torch.seen[0][0] == set()
        assert torch.load == before

    def test_patches_of_others_are_passed_by(self, torch):
        torch.load = patched = lambda file, **options: torch.read(file, **(options | {"weights_only": False}))
        with guarded_loading([]):
            torch.load("file")
        assert torch.seen[0][1] == {"weights_only": True}
        assert torch.load is patched

    def test_other_threads_load_as_ever_and_never_under_our_list(self, torch):
        is_loading, may_go_on = threading.Event(), threading.Event()
        ours = torch.serialization.load

        def slow(file: object, **options: object) -> object:
            is_loading.set()
            may_go_on.wait(0.2)  # the other thread would go first if it could
            return ours(file, **options)

        def load_elsewhere() -> None:
            is_loading.wait(10)
            torch.load("theirs", weights_only=False)
            may_go_on.set()

        torch.serialization.load = slow
        other = threading.Thread(target=load_elsewhere)
        with guarded_loading([NAME]):
            other.start()
            torch.load("ours")
            other.join(10)
        assert torch.seen == [({ENTRY}, {"weights_only": True}), (set(), {"weights_only": False})]

    def test_sessions_wait_for_each_other(self, torch):
        order: list[str] = []

        def session() -> None:
            with guarded_loading([]):
                order.append("second")

        other = threading.Thread(target=session)
        with guarded_loading([]):
            other.start()
            other.join(0.1)
            order.append("first")
        other.join(10)
        assert order == ["first", "second"]


class TestRefusal:
    @pytest.mark.parametrize(
        ("said", "name"),
        [
            ("Unsupported global: GLOBAL posix.system was not an allowed global by default.", "posix.system"),
            ("Unsupported global: GLOBAL int was not an allowed global by default.", "int"),
            ("Trying to load unsupported GLOBAL os.system whose module os is blocked.", "os.system"),
            ("Weights only load failed. (1) In PyTorch 2.6 ...\n\tUnsupported global: GLOBAL a.b.C was not", "a.b.C"),
        ],
    )
    def test_names_what_was_refused(self, torch, said, name):
        torch.answer = pickle.UnpicklingError(said)
        with guarded_loading([]), pytest.raises(CheckpointRefused) as refused:
            torch.load("some.bin")
        assert refused.value.message == f"some.bin names {name}, which reading weights does not need; it was not run."
        assert "`wortlaut models inspect some.bin`" in refused.value.hint

    @pytest.mark.parametrize(
        "failure", [pickle.UnpicklingError("pickle data was truncated"), RuntimeError("zip"), EOFError()]
    )
    def test_damage_is_no_refusal(self, torch, failure):
        torch.answer = failure
        with guarded_loading([]), pytest.raises(ModelCorrupt) as damaged:
            torch.load("some.bin")
        assert not isinstance(damaged.value, CheckpointRefused)


class TestCodeBesideThePickle:
    @pytest.mark.parametrize("module", ["pyannote.audio.models.segmentation.PyanNet", "pyannote.audio.models"])
    def test_models_of_pyannote(self, module):
        refuse_code({"pyannote.audio": {"architecture": {"module": module}}}, "file")

    @pytest.mark.parametrize("module", ["os", "pyannote.audio.modelsx", "pyannote.audio", "", None])
    def test_other_modules(self, module):
        with pytest.raises(CheckpointRefused):
            refuse_code({"pyannote.audio": {"architecture": {"module": module}}}, "file")

    @pytest.mark.parametrize("key", ["hyper_parameters", "hparams", "module_arguments"])
    def test_functions_for_lightning_to_call(self, key):
        with pytest.raises(CheckpointRefused, match=r"os\.system"):
            refuse_code({key: {"_instantiator": "os.system"}}, "file")

    @pytest.mark.parametrize("harmless", [{}, [], None, {"hyper_parameters": {"lr": 0.1}}, {"state_dict": {}}])
    def test_everything_else(self, harmless):
        refuse_code(harmless, "file")


class TestNames:
    def test_omegaconf_is_stood_in_for(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "omegaconf", None)
        monkeypatch.setitem(sys.modules, "omegaconf.listconfig", None)
        stand_in, name = safe_loading._resolve("omegaconf.listconfig.ListConfig")
        assert isinstance(stand_in, type)
        assert (stand_in.__module__, stand_in.__qualname__) == ("omegaconf.listconfig", "ListConfig")
        assert name == "omegaconf.listconfig.ListConfig"

    def test_others_are_not(self):
        with pytest.raises(ExtraMissing):
            safe_loading._resolve("no_such_package.Thing")

    def test_families(self):
        assert [len(names) for names in SAFE_GLOBALS.values()] == [4, 14]
        assert set(SAFE_GLOBALS["segmentation-3.0"]) < set(SAFE_GLOBALS["whisperx-vad"])
