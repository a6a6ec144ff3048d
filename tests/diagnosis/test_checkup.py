from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wortlaut.diagnosis.checkup import PROBES, examine, exit_code, find_probe
from wortlaut.diagnosis.finding import Finding, Installation
from wortlaut.diarization.pyannote.token import Token

SECRET = "hf_ThisMustNeverBeSeenAnywhere"  # a fake


@pytest.fixture
def installation(tmp_path) -> Installation:
    return Installation(tmp_path / "models", tmp_path, is_offline=True)


def well(_: Installation) -> list[Finding]:
    return [Finding("area", "well", "ok", "fine")]


class TestFinding:
    def test_what_is_not_ok_has_a_next_step(self):
        for state in ("note", "problem"):
            with pytest.raises(ValueError, match="next step"):
                Finding("area", "thing", state, "detail")

    def test_installation_hides_the_token(self, tmp_path):
        assert SECRET not in repr(Installation(tmp_path, tmp_path, token=Token(SECRET)))


class TestExamine:
    def test_keeps_the_order_of_the_table(self, installation):
        def slow(_: Installation) -> list[Finding]:
            is_over.wait(5)
            return [Finding("area", "slow", "ok", "fine")]

        def fast(_: Installation) -> list[Finding]:
            is_over.set()
            return [Finding("area", "fast", "ok", "fine")]

        is_over = threading.Event()
        assert [finding.name for finding in examine(installation, {"a": slow, "b": fast})] == ["slow", "fast"]

    def test_a_probe_that_raises_becomes_a_finding(self, installation):
        def broken(_: Installation) -> list[Finding]:
            raise ZeroDivisionError("by nothing")

        findings = examine(installation, {"broken": broken, "well": well})
        assert [finding.state for finding in findings] == ["note", "ok"]
        assert "ZeroDivisionError: by nothing" in findings[0].detail

    def test_a_probe_that_breaks_on_the_way_too(self, installation):
        def broken(_: Installation):
            yield Finding("area", "first", "ok", "fine")
            raise OSError("gone")

        assert "gone" in examine(installation, {"broken": broken})[0].detail

    def test_a_probe_that_cannot_be_imported_too(self, installation):
        findings = examine(installation, {"lost": "no_such_module:probe", "well": well})
        assert "no_such_module" in findings[0].detail
        assert findings[1].state == "ok"

    def test_a_probe_that_hangs_is_left_behind(self, installation):
        forever = threading.Event()
        findings = examine(installation, {"stuck": lambda _: forever.wait(), "well": well}, seconds=0.2)
        forever.set()
        assert "in time" in findings[0].detail
        assert findings[1].state == "ok"

    def test_every_entry_of_the_table_is_there(self):
        assert all(callable(find_probe(probe)) for probe in PROBES.values())


@pytest.mark.parametrize(("states", "code"), [((), 0), (("ok", "note"), 0), (("ok", "problem", "note"), 1)])
def test_exit_code(states, code):
    assert exit_code([Finding("area", "thing", state, "detail", "do it") for state in states]) == code


def test_torch_is_not_imported_into_the_doctor(tmp_path):
    """With a torch on the path that would be noticed, and a token that would be seen."""
    (tmp_path / "torch.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()")
    script = (
        "import sys; from pathlib import Path; from wortlaut.diagnosis.checkup import examine\n"
        "from wortlaut.diagnosis.finding import Installation\n"
        f"place = Path({str(tmp_path)!r})\n"
        "found = examine(Installation(place, place, is_offline=True), seconds=60)\n"
        "assert 'torch' not in sys.modules and len(found) > 15\n"
        "print(*found, sep='\\n')\n"
    )
    search_path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2] / "src")])
    environment = os.environ | {"PYTHONPATH": search_path, "HF_TOKEN": SECRET}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "imported").exists()
    assert SECRET not in done.stdout + done.stderr
    assert "could not be looked at" not in done.stdout
