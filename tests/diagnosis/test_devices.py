from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from wortlaut.diagnosis import child as child_module
from wortlaut.diagnosis import devices
from wortlaut.diagnosis.child import ChildResult, describe_end, read_outcomes, run_self_test
from wortlaut.diagnosis.finding import Installation

HERE = Installation(Path(), Path())
WANTS_CUDA = Installation(Path(), Path(), device="cuda")

# As CTranslate2 and cuDNN put it.
NO_CUBLAS = "Library libcublas.so.12 is not found or cannot be loaded"
NO_CUDNN = "Unable to load any of {libcudnn_ops.so.9.1.0, libcudnn_ops.so.9.1, libcudnn_ops.so.9, libcudnn_ops.so}"
NO_CARD = "CUDA failed with error no CUDA-capable device is detected"
OLD_DRIVER = "CUDA failed with error CUDA driver version is insufficient for CUDA runtime version"
NO_SUPPORT = "This CTranslate2 package was not compiled with CUDA support"


@pytest.fixture
def play(monkeypatch):
    """Play what the child finds out."""

    def set_result(result: ChildResult) -> None:
        monkeypatch.setattr(devices, "run_self_test", lambda _engine, _device: result)

    return set_result


@pytest.fixture
def fake_python(tmp_path, monkeypatch):
    """Put a script in the place of the Python that runs the child."""

    def make(script: str) -> None:
        file = tmp_path / "python"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(file))

    return make


class TestProcessor:
    @pytest.mark.parametrize("probe", [devices.try_ctranslate2_cpu, devices.try_onnxruntime])
    @pytest.mark.parametrize(
        ("result", "state"),
        [
            (ChildResult({"float32": None, "int8": None}), "ok"),
            (ChildResult({"float32": None, "int8": "broken"}), "note"),
            (ChildResult({"int8": "broken"}), "problem"),
            (ChildResult({"float32": None}, "Aborted"), "problem"),
            (ChildResult({}, "exit code 1: No module named 'ctranslate2'"), "problem"),
            (ChildResult({}), "problem"),
            (ChildResult({}, is_late=True), "note"),  # a busy machine, or a library that hangs
            (ChildResult({"float32": None}, is_late=True), "ok"),
        ],
    )
    def test_means(self, play, probe, result, state):
        play(result)
        assert [finding.state for finding in probe(HERE)] == [state]


class TestCard:
    def cuda(self, installation=HERE):
        (finding,) = devices.try_ctranslate2_cuda(installation)
        return finding

    @pytest.mark.parametrize("said", [NO_CARD, OLD_DRIVER, NO_SUPPORT])
    def test_none_is_fine(self, play, said):
        play(ChildResult({}, f"exit code 1: RuntimeError: {said}"))
        assert self.cuda().state == "ok"

    def test_none_but_wanted(self, play):
        play(ChildResult({}, f"exit code 1: RuntimeError: {NO_CARD}"))
        assert self.cuda(WANTS_CUDA).state == "problem"

    def test_works(self, play):
        play(ChildResult({"float16": None, "int8_float16": None}))
        assert (self.cuda().state, self.cuda().detail) == ("ok", "computes in float16, int8_float16")

    @pytest.mark.parametrize(
        ("result", "package"),
        [
            (ChildResult({"float16": NO_CUBLAS}), "nvidia-cublas-cu12"),
            (ChildResult({}, f"Aborted: {NO_CUDNN}"), "nvidia-cudnn-cu12"),
            (ChildResult({}, "Aborted: libcudart.so.12: cannot open shared object file"), "nvidia-cuda-runtime-cu12"),
        ],
    )
    def test_names_the_package_of_a_missing_library_and_that_the_processor_is_used(self, play, result, package):
        play(result)
        finding = self.cuda()
        assert finding.state == "note"
        assert finding.next_step == f"Install the library: pip install {package}"

    def test_crash_without_a_word(self, play):
        play(ChildResult({"float32": None}, "Segmentation fault"))
        finding = self.cuda()
        assert "the processor is used" in finding.detail
        assert "nvidia-cudnn-cu12" in finding.next_step


class TestChild:
    def test_real_processor(self):
        result = run_self_test("ctranslate2", "cpu", seconds=60)
        assert result.crash is None
        assert {"float32", "int8"} <= set(result.outcomes)
        assert set(result.outcomes.values()) == {None}

    def test_real_onnxruntime(self):
        assert run_self_test("onnxruntime", "cpu", seconds=60) == ChildResult({"float32": None})

    def test_unknown_engine_is_a_crash_and_not_ours(self):
        result = run_self_test("abacus", "cpu", seconds=60)
        assert result.crash == "exit code 1: KeyError: 'abacus'"

    def test_abort_keeps_what_was_written_before(self, fake_python):
        fake_python("""echo '{"arithmetic": "float32", "error": null}'; echo 'libcudnn missing' >&2; kill -ABRT $$""")
        result = run_self_test("ctranslate2", "cuda")
        assert result.outcomes == {"float32": None}
        assert result.crash is not None
        assert "libcudnn missing" in result.crash
        assert "Abort" in result.crash

    def test_hang(self, fake_python):
        fake_python("""echo '{"arithmetic": "float32", "error": null}'; exec sleep 30""")
        result = run_self_test("ctranslate2", "cuda", seconds=0.3)
        assert result == ChildResult({"float32": None}, is_late=True)

    def test_no_python(self, monkeypatch):
        monkeypatch.setattr(child_module.sys, "executable", "/no/such/python")
        crash = run_self_test("ctranslate2", "cpu").crash
        assert crash is not None
        assert "could not be started" in crash

    def test_half_a_line_is_left_out(self):
        text = '{"arithmetic": "a", "error": null}\nOpenMP says hello\n{"arithm'
        assert read_outcomes(text) == {"a": None}

    @pytest.mark.parametrize(
        ("code", "stderr", "end"),
        [(0, "noise", None), (1, "", "exit code 1"), (3, "a\nb\n\n", "exit code 3: b"), (-9, "", "Killed")],
    )
    def test_end(self, code, stderr, end):
        assert describe_end(code, stderr) == end
