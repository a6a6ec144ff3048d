"""What a user sees where something is not installed as it should be: words, and the way to the doctor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def wortlaut(*arguments, before="", **environment):
    """Run the command line in a process of its own, after some code that breaks it."""
    code = f"import sys\n{before}\nfrom wortlaut.cli import main\nsys.argv = ['wortlaut', *{list(arguments)!r}]\nmain()"
    kept = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment}
    return subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("package", ["typer", "platformdirs"])
def test_a_package_that_cannot_be_loaded(package, tmp_path):
    media = tmp_path / "silence.wav"
    media.write_bytes(b"RIFF")
    done = wortlaut("transcribe", str(media), "--offline", before=f"sys.modules[{package!r}] = None")
    assert done.returncode == 5
    assert "[installation-broken]" in done.stderr
    assert "`wortlaut doctor`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_makes_no_sense():
    done = wortlaut("models", "list", WORTLAUT_DEVICE="gpu", WORTLAUT_HF_TOKEN="hf_secret")
    assert done.returncode == 2
    assert "device: Input should be 'auto', 'cpu' or 'cuda'. [invalid-setting]" in done.stderr
    assert "`wortlaut doctor`" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hf_secret" not in done.stderr


def test_a_configuration_that_is_no_toml(tmp_path):
    (tmp_path / "config.toml").write_text("device = [")
    done = wortlaut("models", "list", WORTLAUT_CONFIG=str(tmp_path / "config.toml"))
    assert done.returncode == 2
    assert "[invalid-setting]" in done.stderr


def test_what_is_a_mistake_of_ours_is_not_hidden():
    done = wortlaut(
        "models", "list", before="import wortlaut.cli.models as m; m.store_from_settings = lambda: int('x')"
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
