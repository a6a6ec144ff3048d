"""The table of probes, and how they are run: at once, each at its own risk, all within one deadline."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from wortlaut.diagnosis.finding import Finding, Installation, Probe

DEADLINE_SECONDS = 13.0
"""For all probes together: a checkup is done in 15 s, whatever hangs."""

PROBES: Mapping[str, str] = MappingProxyType(
    {
        "Python": "system:look_at_python",
        "required packages": "packages:look_at_requirements",
        "packages that load": "packages:try_to_load",
        "optional packages": "packages:look_at_extras",
        "combinations of packages": "packages:look_at_combinations",
        "processors": "system:look_at_processors",
        "memory": "system:look_at_memory",
        "disk": "system:look_at_disk",
        "write permission": "system:look_at_write_permission",
        "CTranslate2 on the processor": "devices:try_ctranslate2_cpu",
        "CTranslate2 on the graphics card": "devices:try_ctranslate2_cuda",
        "ONNX Runtime": "devices:try_onnxruntime",
        "NVIDIA driver": "cuda:look_at_driver",
        "NVIDIA libraries": "cuda:look_at_nvidia_libraries",
        "service": "service:look_at_service",
        "default models": "stored_models:look_at_default_models",
        "other models": "stored_models:look_at_other_models",
        "token": "network:look_at_token",
        "model hub": "network:look_at_hub",
    }
)
"""Module and function. They are imported when they are run, so that a missing package breaks one probe and not all."""


def examine(
    installation: Installation, probes: Mapping[str, str | Probe] = PROBES, *, seconds: float = DEADLINE_SECONDS
) -> list[Finding]:
    """Run all probes and return their findings, in the order of the table. Never raises, never takes much longer."""
    examinations = [_Examination(name, probe, installation) for name, probe in probes.items()]
    ends = time.monotonic() + seconds
    for examination in examinations:
        examination.thread.start()
    for examination in examinations:
        examination.thread.join(max(0.0, ends - time.monotonic()))
    return [finding for examination in examinations for finding in examination.findings()]


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 if something prevents the main job, else 0."""
    return int(any(finding.state == "problem" for finding in findings))


def find_probe(probe: str | Probe) -> Probe:
    """Return the function that an entry of the table names."""
    if not isinstance(probe, str):
        return probe
    module, _, function = probe.partition(":")
    found: Probe = getattr(importlib.import_module(f"wortlaut.diagnosis.{module}"), function)
    return found


class _Examination:
    """One probe in a thread of its own, which is left behind if it hangs."""

    def __init__(self, name: str, probe: str | Probe, installation: Installation) -> None:
        self._name = name
        self._probe = probe
        self._installation = installation
        self._findings: list[Finding] | None = None
        self.thread = threading.Thread(target=self._run, name=f"doctor: {name}", daemon=True)

    def findings(self) -> list[Finding]:
        if self._findings is not None:
            return self._findings
        return [
            Finding(
                "doctor",
                self._name,
                "note",
                "did not answer in time",
                "Run `wortlaut doctor` again when the machine is less busy.",
            )
        ]

    def _run(self) -> None:
        try:
            self._findings = list(find_probe(self._probe)(self._installation))
        except Exception as error:  # noqa: BLE001 a doctor that crashes is of no use: what broke becomes a finding
            self._findings = [
                Finding(
                    "doctor",
                    self._name,
                    "note",
                    f"could not be looked at: {type(error).__name__}: {error}",
                    "Report this line; everything else was looked at.",
                )
            ]
