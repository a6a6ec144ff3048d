"""Whether the engines compute, and on what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wortlaut.diagnosis.child import CHILD_SECONDS, ChildResult, run_self_test
from wortlaut.diagnosis.finding import Finding, Installation, State
from wortlaut.native import CUDA_PACKAGES

AREA = "devices"
REINSTALL = "Install it again: pip install --force-reinstall {package}"


def try_ctranslate2_cpu(_: Installation) -> Iterator[Finding]:
    """Try Whisper on the processor."""
    yield judge("CTranslate2, cpu", run_self_test("ctranslate2", "cpu"), REINSTALL.format(package="ctranslate2"))


def try_onnxruntime(_: Installation) -> Iterator[Finding]:
    """Try what the detectors and embeddings run on."""
    yield judge("ONNX Runtime, cpu", run_self_test("onnxruntime", "cpu"), REINSTALL.format(package="onnxruntime"))


def try_ctranslate2_cuda(installation: Installation) -> Iterator[Finding]:
    """Try Whisper on the graphics card. Where there is none, that is only a problem if it was asked for."""
    result = run_self_test("ctranslate2", "cuda")
    name, is_wanted = "CTranslate2, cuda", installation.device == "cuda"
    if has_no_card(result):
        if is_wanted:
            yield Finding(
                AREA, name, "problem", "no CUDA device", "Set the device to auto or cpu, or install the driver."
            )
        else:
            yield Finding(AREA, name, "ok", "no CUDA device; recognition runs on the processor")
        return
    state: State = "problem" if is_wanted else "note"
    yield judge(name, result, next_step_for_cuda(result), failure=state, afterwards="; the processor is used")


def judge(
    name: str, result: ChildResult, next_step: str, *, failure: State = "problem", afterwards: str = ""
) -> Finding:
    """Say what a self-test means. An arithmetic that fails is left to those that work."""
    working = [arithmetic for arithmetic, error in result.outcomes.items() if error is None]
    broken = [f"{arithmetic}: {error}" for arithmetic, error in result.outcomes.items() if error]
    if result.is_late and not working:
        again = "Run `wortlaut doctor` again when the machine is less busy."
        return Finding(AREA, name, "note", f"self-test did not end in {CHILD_SECONDS:.0f} s", again)
    if result.crash:
        return Finding(AREA, name, failure, f"self-test crashed: {result.crash}{afterwards}", next_step)
    if not working:
        return Finding(AREA, name, failure, "; ".join(broken) or f"no arithmetic works{afterwards}", next_step)
    if broken:
        return Finding(AREA, name, "note", f"works: {', '.join(working)}; fails: {'; '.join(broken)}", next_step)
    return Finding(AREA, name, "ok", f"computes in {', '.join(working)}")


def has_no_card(result: ChildResult) -> bool:
    """Return whether the self-test failed because there is no card, no driver or no CUDA in CTranslate2."""
    said = " ".join([result.crash or "", *(error or "" for error in result.outcomes.values())])
    reasons = (
        r"no CUDA-capable device|CUDA driver version is insufficient|not compiled with CUDA|no CUDA device|libcuda\.so"
    )
    return bool(re.search(reasons, said))


def next_step_for_cuda(result: ChildResult) -> str:
    """Name the package that has a library that was not found."""
    said = " ".join([result.crash or "", *(error or "" for error in result.outcomes.values())])
    for package, libraries in CUDA_PACKAGES:
        stems = {library.split(".")[0].split("_")[0] for library in libraries} | {libraries[0].split(".")[0]}
        if any(stem in said for stem in stems):
            return f"Install the library: pip install {package}"
    packages = " ".join(package for package, _ in CUDA_PACKAGES)
    return f"Install the CUDA libraries (pip install {packages}) or set the device to cpu."
