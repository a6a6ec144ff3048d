from __future__ import annotations

import ctypes
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from wortlaut import native
from wortlaut.diagnosis import cuda
from wortlaut.diagnosis.finding import Installation
from wortlaut.native import CUDA_PACKAGES, nvidia_libraries, preload_nvidia_libraries

HERE = Installation(Path(), Path())


@pytest.fixture
def play_driver(monkeypatch):
    """Play a driver that knows some version of CUDA, or none at all."""

    def make(version: int | None, status: int = 0) -> None:
        def load(name: str) -> SimpleNamespace:
            if version is None or name != "libcuda.so.1":
                raise OSError(name)

            def tell(place) -> int:
                place._obj.value = version
                return status

            return SimpleNamespace(cuDriverGetVersion=tell)

        monkeypatch.setattr(ctypes, "CDLL", load)
        monkeypatch.setattr(shutil, "which", lambda _: None)

    return make


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Play installed packages with some files."""
    packages: dict[str, list[str]] = {}

    def distribution(name: str) -> SimpleNamespace:
        if name not in packages:
            raise importlib.metadata.PackageNotFoundError(name)
        return SimpleNamespace(files=packages[name], locate_file=lambda file: tmp_path / file)

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "12.1")

    def add(name: str, **files: bytes | Path) -> None:
        packages[name] = []
        for file, content in files.items():
            path = f"{name}/lib/{file}"
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
            packages[name].append(path)

    return add


class TestDriver:
    @pytest.mark.parametrize(("version", "known"), [(13010, (13, 1)), (12040, (12, 4)), (11080, (11, 8)), (None, None)])
    def test_version(self, play_driver, version, known):
        play_driver(version)
        assert cuda.cuda_of_driver() == known

    def test_driver_that_does_not_answer(self, play_driver):
        play_driver(12040, status=999)
        assert cuda.cuda_of_driver() is None

    @pytest.mark.parametrize(("version", "state"), [(None, "ok"), (12040, "ok"), (11080, "note")])
    def test_finding(self, play_driver, version, state):
        play_driver(version)
        (finding,) = cuda.look_at_driver(HERE)
        assert finding.state == state

    def test_cards(self, monkeypatch):
        monkeypatch.setattr(shutil, "which", lambda _: "/bin/nvidia-smi")
        answer = SimpleNamespace(stdout="NVIDIA L4, 23034 MiB, 550.1\n\n")
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
        assert cuda.describe_cards() == "; NVIDIA L4, 23034 MiB, 550.1"

    def test_cards_that_do_not_answer(self, monkeypatch):
        def hang(*_: object, **__: object) -> None:
            raise subprocess.TimeoutExpired("nvidia-smi", 5)

        monkeypatch.setattr(shutil, "which", lambda _: "/bin/nvidia-smi")
        monkeypatch.setattr(subprocess, "run", hang)
        assert cuda.describe_cards() == ""


class TestLibraries:
    def test_none_and_none_needed(self, install, play_driver):
        play_driver(None)
        (finding,) = cuda.look_at_nvidia_libraries(HERE)
        assert (finding.state, finding.detail) == ("ok", "none, and none needed")

    def test_missing_beside_a_driver(self, install, play_driver):
        install("nvidia-cublas-cu12", **{"libcublas.so.12": b""})
        play_driver(12040)
        (finding,) = cuda.look_at_nvidia_libraries(HERE)
        assert finding.state == "note"
        assert "nvidia-cublas-cu12 12.1" in finding.detail
        assert "nvidia-cudnn-cu12" in finding.next_step
        assert "cublas" not in finding.next_step

    def test_complete(self, install, play_driver):
        for package, libraries in CUDA_PACKAGES:
            install(package, **dict.fromkeys(libraries, b""))
        play_driver(12040)
        assert [finding.state for finding in cuda.look_at_nvidia_libraries(HERE)] == ["ok"]


class TestPreload:
    def test_nothing_installed(self, install):
        assert preload_nvidia_libraries() == ()

    def test_loads_by_absolute_path_and_in_order(self, install, monkeypatch):
        loaded: list[str] = []
        monkeypatch.setattr(native.ctypes, "CDLL", lambda path, mode: loaded.append(path))
        monkeypatch.setattr(sys, "platform", "linux")
        install("nvidia-cublas-cu12", **{"libcublas.so.12": b"", "libcublasLt.so.12": b"", "libnvblas.so.12": b""})
        preloaded = preload_nvidia_libraries()
        assert [Path(path).name for path in loaded] == ["libcublasLt.so.12", "libcublas.so.12"]
        assert all(Path(path).is_absolute() for path in loaded)
        assert [library.error for library in preloaded] == [None, None]

    @pytest.mark.skipif(sys.platform != "linux", reason="shared objects of Linux")
    def test_real_library_and_a_broken_one(self, install):
        """A library that is already in this process stands in for one of NVIDIA's."""
        lines = Path("/proc/self/maps").read_text().splitlines()
        real = next(Path(line.split()[-1]) for line in lines if "libm.so" in line or "libz.so" in line)
        install("nvidia-cublas-cu12", **{"libcublas.so.12": real, "libcublasLt.so.12": b"no library"})
        errors = {library.library: library.error for library in preload_nvidia_libraries()}
        assert errors["libcublas.so.12"] is None
        assert errors["libcublasLt.so.12"]

    def test_elsewhere_nothing_is_done(self, install, monkeypatch):
        install("nvidia-cublas-cu12", **{"libcublas.so.12": b""})
        monkeypatch.setattr(sys, "platform", "darwin")
        assert preload_nvidia_libraries() == ()

    def test_files_that_were_deleted_are_left_out(self, install, tmp_path):
        install("nvidia-cublas-cu12", **{"libcublas.so.12": b""})
        (tmp_path / "nvidia-cublas-cu12/lib/libcublas.so.12").unlink()
        assert nvidia_libraries() == ()
