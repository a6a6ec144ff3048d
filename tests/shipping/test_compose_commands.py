"""The compose lines of the pages, given to podman-compose: it reads the files and says what an engine would be told.

The engine is a script that notes down what it is asked for and does nothing.
"""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from wortlaut.jobs.settings import translate_old_names
from wortlaut.server.settings import ServiceSettings
from wortlaut.settings import Settings

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
ENGINE = """#!/bin/sh
# Note every call down, an argument a line and an empty line behind it; there are no containers yet.
printf '%s\\n' "$@" "" >> "$(dirname "$0")/calls"
case "$*" in
  *--version*) echo "podman version 5.0.0" ;;
  *ps*--format*json*) echo "[]" ;;
esac
"""
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docker-compose*.yml"), ROOT / ".env.example"]
LINE = re.compile(r"docker compose ((?:-f \S+ )*(?:up|run|restart|pull|logs|stop)(?![:\w])[^`#\n]*)")
LINES = sorted({match.strip() for path in TEXTS for match in LINE.findall(path.read_text(encoding="utf-8"))})
SECRETS = {"POSTGRES_PASSWORD": "word", "S3_ACCESS_KEY": "key", "S3_SECRET_KEY": "secret"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the engine is a script for a shell of Unix")


@dataclass(frozen=True)
class Place:
    """A folder with the compose files, and an engine that notes down what it is told."""

    folder: Path
    engine: Path

    def configure(self, **settings):
        """Take the # away in a copy of the example, as its first line says, and change the values."""
        text = EXAMPLE
        for name, value in settings.items():
            assert f"\n# {name}=" in text, name
            text = re.sub(rf"^# {name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        (self.folder / ".env").write_text(text, encoding="utf-8")

    def compose(self, line):
        """Run a line; return what the engine was asked for, call by call."""
        (self.engine / "calls").unlink(missing_ok=True)
        command = [str(Path(sys.executable).parent / "podman-compose"), "--podman-path", str(self.engine / "podman")]
        line = line.replace("$PWD", str(self.folder))
        done = subprocess.run(
            [*command, *shlex.split(line)],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        calls = (self.engine / "calls").read_text(encoding="utf-8").split("\n\n")
        return [call.strip("\n").split("\n") for call in calls if call]


@pytest.fixture
def place(tmp_path):
    for file in [*ROOT.glob("docker-compose*.yml"), *ROOT.glob("docker/*.Dockerfile")]:
        target = tmp_path / "here" / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    engine = tmp_path / "engine"
    engine.mkdir()
    (engine / "podman").write_text(ENGINE)
    (engine / "podman").chmod(0o755)
    return Place(tmp_path / "here", engine)


def started(calls, service="whisperx"):
    """The call that makes a container of the service."""
    (found,) = [call for call in calls if {"create", "run"} & set(call[:2]) and any(f"_{service}_" in w for w in call)]
    return found


def values(call, flag):
    """What follows this flag in a call."""
    return [word for before, word in itertools.pairwise(call) if before == flag]


def environment_in(call):
    """What the container finds in its environment; what stands later wins."""
    return dict(pair.split("=", 1) for pair in values(call, "-e"))


def settings_in(monkeypatch, call):
    """What the service in that container is set to."""
    for name, value in translate_old_names(environment_in(call)).items():
        monkeypatch.setenv(name, value)
    return Settings(), ServiceSettings()


def test_there_are_lines_to_run():
    assert "restart whisperx" in LINES
    assert len(LINES) >= 5


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_pages_is_understood(line, place):
    place.configure(**SECRETS)
    assert place.compose(line)


def test_the_sentence_that_people_know_restarts_the_container(place):
    assert ["restart", "-t", "30", "wortlaut_whisperx_1"] in place.compose("restart whisperx")


def test_without_env_the_defaults_reach_the_service(place, monkeypatch):
    call = started(place.compose("up --detach"))
    settings, service = settings_in(monkeypatch, call)
    assert values(call, "-p") == ["127.0.0.1:9000:9000"]
    assert "--read-only" in call
    assert (service.host, service.port, service.is_open) == ("0.0.0.0", 9000, True)
    assert (service.model, settings.device, settings.hf_token) == ("base", "auto", None)


def test_what_is_written_into_env_reaches_the_service(place, monkeypatch):
    place.configure(
        WORTLAUT_OPEN="false",
        PUBLISH="0.0.0.0",
        HF_TOKEN="hf_secret",
        WORTLAUT_MODEL="large-v3-turbo",
        WORTLAUT_DEVICE="cpu",
        WORTLAUT_RETENTION_HOURS="1.5",
        MEMORY_LIMIT="3g",
        WHISPER_MODELS_VOLUME="conductor_whisper_models",
    )
    call = started(place.compose("up --detach"))
    settings, service = settings_in(monkeypatch, call)
    assert values(call, "-p") == ["0.0.0.0:9000:9000"]
    assert values(call, "-m") == ["3g"]
    cache = "type=volume,source=conductor_whisper_models,destination=/home/wortlaut/.cache/huggingface"
    assert cache in values(call, "--mount")
    assert (service.is_open, service.model, service.retention_hours) == (False, "large-v3-turbo", 1.5)
    assert (settings.device, settings.hf_token.get_secret_value()) == ("cpu", "hf_secret")


@pytest.mark.parametrize("prefix", ["WHISPER", "WHISPERX"])
def test_the_names_of_the_old_container_reach_the_service(prefix, place, monkeypatch):
    old = {"MODEL": "small", "DEVICE": "cuda", "COMPUTE_TYPE": "int8", "BATCH_SIZE": "4"}
    place.configure(**{f"{prefix}_{name}": value for name, value in old.items()})
    call = started(place.compose("-f docker-compose.yml -f docker-compose.gpu.yml up --detach"))
    settings, service = settings_in(monkeypatch, call)
    assert "wortlaut:cuda" in call
    assert (service.model, settings.device, settings.compute_type, settings.batch_size) == ("small", "cuda", "int8", 4)


def test_with_everything_switched_on_as_it_stands_the_service_starts(place, monkeypatch):
    """The whole example without its #: the values are the defaults, so nothing changes."""
    names = re.findall(r"^# ([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)
    (place.folder / ".env").write_text(re.sub(r"^# ([A-Z0-9_]+=)", r"\1", EXAMPLE, flags=re.MULTILINE))
    call = started(place.compose("up --detach"))
    assert set(names) <= set(environment_in(call))
    settings, service = settings_in(monkeypatch, call)
    assert (service.model, service.port, settings.batch_size) == ("base", 9000, 0)


def test_workers_get_the_database_and_the_storage(place, monkeypatch):
    place.configure(**SECRETS)
    calls = place.compose("-f docker-compose.scale.yml up --detach --scale worker=3")
    workers = [call for call in calls if "create" in call[:2] and any("_worker_" in word for word in call)]
    made = {word.removeprefix("--name=") for call in workers for word in call if word.startswith("--name=")}
    assert made == {f"wortlaut-scale_worker_{number}" for number in (1, 2, 3)}
    _, service = settings_in(monkeypatch, workers[0])
    assert service.database_url.get_secret_value() == "postgresql://wortlaut:word@postgres:5432/wortlaut"
    assert service.storage_url == "s3://wortlaut/jobs"


@pytest.mark.parametrize("missing", SECRETS)
def test_without_its_secrets_nothing_grows(missing, place):
    place.configure(**{name: value for name, value in SECRETS.items() if name != missing})
    with pytest.raises(AssertionError, match=f"{missing} is missing a value: set it in .env"):
        place.compose("-f docker-compose.scale.yml up --detach")
