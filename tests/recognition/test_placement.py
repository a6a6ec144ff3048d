from __future__ import annotations

import ctranslate2
import pytest

from wortlaut.errors import DeviceUnavailable, InvalidOption
from wortlaut.recognition import placement
from wortlaut.recognition.placement import MAXIMUM_WORKERS, Placement, available_cores, place


@pytest.fixture
def machine(monkeypatch):
    """Return a function that sets the number of cores, accelerators and their compute types."""

    def build(*, cores=4, accelerators=0, types=("int8", "int8_float32", "float32")):
        monkeypatch.setattr(placement, "available_cores", lambda: cores)
        monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: accelerators)
        monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda _device: set(types))

    return build


@pytest.mark.parametrize(
    ("cores", "workers", "threads", "expected"),
    [
        (1, 0, 0, (1, 1)),
        (2, 0, 0, (2, 1)),
        (8, 0, 0, (8, 1)),
        (32, 0, 0, (MAXIMUM_WORKERS, 4)),
        (4, 1, 0, (1, 4)),
        (4, 0, 2, (2, 2)),
        (2, 0, 8, (1, 8)),
        (2, 3, 0, (3, 1)),
    ],
)
def test_cores_are_shared_out(machine, cores, workers, threads, expected):
    machine(cores=cores)
    placed = place("cpu", "auto", workers, threads)
    assert (placed.workers, placed.threads) == expected


def test_auto_is_int8_on_a_cpu(machine):
    machine(cores=2)
    assert place("auto", "auto", 0, 0) == Placement("cpu", "int8", 2, 1)
    assert place("auto", "default", 0, 0).compute_type == "int8"


def test_auto_is_float16_on_an_accelerator(machine):
    machine(accelerators=1, types=("float16", "float32", "int8"))
    assert place("auto", "auto", 0, 0) == Placement("cuda", "float16", 1, 0)


def test_an_old_accelerator_gets_float32(machine):
    machine(accelerators=1, types=("float32",))
    assert place("cuda", "auto", 0, 0).compute_type == "float32"


def test_a_missing_accelerator_is_said(machine):
    machine(accelerators=0)
    with pytest.raises(DeviceUnavailable):
        place("cuda", "auto", 0, 0)


@pytest.mark.parametrize("compute_type", ["float16", "int4", ""])
def test_an_impossible_compute_type_names_the_possible_ones(machine, compute_type):
    machine()
    with pytest.raises(InvalidOption) as raised:
        place("cpu", compute_type, 0, 0)
    assert "int8" in raised.value.hint


@pytest.mark.parametrize(("device", "workers", "threads"), [("gpu", 0, 0), ("cpu", -1, 0), ("cpu", 0, -1)])
def test_nonsense_is_refused(machine, device, workers, threads):
    machine()
    with pytest.raises(InvalidOption):
        place(device, "auto", workers, threads)


@pytest.mark.parametrize(
    ("content", "expected"),
    [("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("max 100000", 64), ("odd", 64), (None, 64)],
)
def test_the_quota_of_a_container_counts(monkeypatch, tmp_path, content, expected):
    quota_file = tmp_path / "cpu.max"
    if content is not None:
        quota_file.write_text(content)
    monkeypatch.setattr(placement, "_CGROUP_QUOTA", quota_file)
    monkeypatch.setattr(placement.os, "sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    assert available_cores() == expected


def test_the_affinity_of_the_process_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(placement, "_CGROUP_QUOTA", tmp_path / "none")
    monkeypatch.setattr(placement.os, "sched_getaffinity", lambda _pid: {3, 5, 8}, raising=False)
    assert available_cores() == 3
