"""The compose files are valid, and .env.example names every setting."""

from __future__ import annotations

import importlib.resources
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from wortlaut.jobs.settings import OLD_NAMES, translate_old_names
from wortlaut.server.settings import ServiceSettings
from wortlaut.settings import Settings

ROOT = Path(__file__).parents[2]
FILES = sorted(ROOT.glob("docker-compose*.yml"))
EXAMPLE = (ROOT / ".env.example").read_text()
EXAMPLES = dict(re.findall(r"^# ([A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE))


@pytest.fixture(scope="module")
def schema():
    package = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return json.loads(package.read_text())


def load(name):
    return yaml.safe_load((ROOT / name).read_text())


def variables(text):
    return set(re.findall(r"\$\{([A-Z0-9_]+)", text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_what_compose_reads(path, schema):
    import jsonschema

    jsonschema.validate(load(path.name), schema)


def test_the_schema_refuses_what_compose_does_not_know(schema):
    import jsonschema

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"whisperx": {"imagee": "wortlaut"}}}, schema)


def test_one_service_under_the_name_and_port_that_clients_know():
    services = load("docker-compose.yml")["services"]
    assert list(services) == ["whisperx"]
    service = services["whisperx"]
    assert service["ports"] == ["${PUBLISH:-127.0.0.1}:9000:9000"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert any(
        volume.startswith("whisper_models:") and volume.endswith("/huggingface") for volume in service["volumes"]
    )


def test_everything_that_is_written_to_is_a_volume():
    text = (ROOT / "docker" / "cpu.Dockerfile").read_text()
    written = {*re.findall(r"(?:DATA_DIR|MODELS_DIR|HF_HOME)=(/\S+)", text.split("FROM base AS final")[1]), "/tmp"}
    for name in ("docker-compose.yml",):
        mounted = {volume.split(":")[-1] for volume in load(name)["services"]["whisperx"]["volumes"]}
        assert written == mounted


def test_a_card_is_asked_for_in_a_file_of_its_own():
    (service,) = load("docker-compose.gpu.yml")["services"].values()
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert device["capabilities"] == ["gpu"]
    assert service["build"]["dockerfile"] == "docker/cuda.Dockerfile"


def test_growing_has_a_database_a_storage_and_workers():
    services = load("docker-compose.scale.yml")["services"]
    assert set(services) == {"whisperx", "worker", "postgres", "storage", "bucket"}
    for name in ("whisperx", "worker"):
        environment = services[name]["environment"]
        assert environment["WORTLAUT_DATABASE_URL"].startswith("postgresql://")
        assert environment["WORTLAUT_STORAGE_URL"].startswith("s3://")
    assert services["whisperx"]["environment"]["WORTLAUT_WORKERS"] == "0"
    assert services["worker"]["deploy"]["replicas"] > 1
    assert services["worker"]["command"] == ["worker"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_a_file_names_exists(path):
    for service in load(path.name)["services"].values():
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()
        for volume in service.get("volumes", []):
            name = volume.split(":")[0]
            assert name.startswith("/") or name in load(path.name)["volumes"]


VERBS = "up|run|restart|pull|logs|stop"
COMPOSE = re.compile(rf"docker compose ((?:-f \S+ )*(?:{VERBS})(?![:\w])[^`#\n]*)")


def compose_commands():
    """Every `docker compose ...` of the pages and of the files themselves, cut into words."""
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *FILES, ROOT / ".env.example"]
    return [(path.name, shlex.split(command)) for path in texts for command in COMPOSE.findall(path.read_text())]


@pytest.mark.parametrize(("page", "words"), compose_commands(), ids=str)
def test_a_compose_command_names_files_and_services_that_exist(page, words):
    named = [words[place + 1] for place, word in enumerate(words) if word == "-f"] or ["docker-compose.yml"]
    services = {name for file in named for name in load(file)["services"]}
    verb = next(word for word in words if re.fullmatch(VERBS, word))
    rest = words[words.index(verb) + 1 :]
    scaled = {word.partition("=")[0] for word in rest if re.fullmatch(r"\w+=\d+", word)}
    assert scaled <= services
    if verb in ("run", "restart"):
        assert services & set(rest), words


def test_the_sentence_that_people_know_still_works():
    assert ("moving-from-conductor.md", ["restart", "whisperx"]) in compose_commands()
    assert ("moving-from-conductor.de.md", ["restart", "whisperx"]) in compose_commands()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_secret_has_a_default(path):
    for name, default in re.findall(r"\$\{([A-Z0-9_]*(?:PASSWORD|KEY|TOKEN))([^}]*)\}", path.read_text()):
        assert default.startswith(":?"), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_is_in_the_example(path):
    assert variables(path.read_text()) <= set(EXAMPLES)


def names_of(field_name, field):
    alias = field.validation_alias
    return [str(choice) for choice in alias.choices] if alias else [f"WORTLAUT_{field_name.upper()}"]


FIELDS = [(name, field) for model in (Settings, ServiceSettings) for name, field in model.model_fields.items()]


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_setting_is_in_the_example(name, field):
    assert set(names_of(name, field)) & set(EXAMPLES), name


def test_nothing_in_the_example_is_unknown():
    known = {name for pair in FIELDS for name in names_of(*pair)} | set(OLD_NAMES) | {"WORTLAUT_CONFIG"}
    for path in FILES:
        known |= variables(path.read_text())
    assert set(EXAMPLES) <= known


def test_all_of_it_is_commented_out():
    assert not [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_values_in_the_example_are_the_defaults(name, field):
    if name in ("models_dir", "data_dir", "spool_dir", "database_url", "storage_url"):
        return  # they depend on the machine
    (spelling, *_) = [name for name in names_of(name, field) if name in EXAMPLES]
    value = EXAMPLES[spelling]
    default = field.get_default(call_default_factory=True)
    if spelling == "WORTLAUT_OPEN":
        assert load("docker-compose.yml")["services"]["whisperx"]["environment"][spelling].endswith(f":-{value}}}")
    elif default is None:
        assert value == ""
    elif isinstance(default, bool):
        assert value == str(default).lower()
    else:
        assert type(default)(value) == default


def test_the_example_can_be_used_with_everything_switched_on(monkeypatch):
    for name, value in EXAMPLES.items():
        monkeypatch.setenv(name, value)
    ServiceSettings()
    Settings()


@pytest.mark.parametrize("prefix", ["WHISPER", "WHISPERX"])
def test_the_old_names_mean_what_they_meant(prefix, monkeypatch):
    old = {"MODEL": "small", "DEVICE": "cpu", "COMPUTE_TYPE": "int8", "BATCH_SIZE": "4"}
    environment = {f"{prefix}_{name}": value for name, value in old.items()}
    translated = translate_old_names(environment)
    for name, value in {**translated, "HF_TOKEN": "hf_secret"}.items():
        monkeypatch.setenv(name, value)
    assert ServiceSettings().model == "small"
    settings = Settings()
    assert (settings.device, settings.compute_type, settings.batch_size) == ("cpu", "int8", 4)
    assert settings.hf_token.get_secret_value() == "hf_secret"


def test_a_name_without_a_value_sets_nothing(monkeypatch):
    for name in ("WHISPER_MODEL", "WORTLAUT_DEVICE", "HF_TOKEN", "WORTLAUT_BATCH_SIZE", "WORTLAUT_OFFLINE"):
        monkeypatch.setenv(name, "")
    assert ServiceSettings().model == "base"
    assert (Settings().device, Settings().hf_token, Settings().is_offline) == ("auto", None, False)
    assert translate_old_names({"WHISPER_DEVICE": "cpu", "WORTLAUT_DEVICE": ""})["WORTLAUT_DEVICE"] == "cpu"
    assert translate_old_names({"WHISPER_DEVICE": "cpu", "WORTLAUT_DEVICE": "cuda"})["WORTLAUT_DEVICE"] == "cuda"
