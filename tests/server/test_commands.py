"""`wortlaut serve`, `wortlaut worker` and `wortlaut keys`."""

from __future__ import annotations

import json
import logging
import resource
import sys

import httpx
import psycopg
import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from wortlaut.cli import keys
from wortlaut.cli import serve as commands
from wortlaut.cli.logs import JsonLines, PlainLines
from wortlaut.cli.serve import NotClosed, serve, worker
from wortlaut.errors import Cancelled
from wortlaut.jobs.errors import DatabaseTooNew

app = typer.Typer()
app.command()(serve)
app.command()(worker)
app.add_typer(keys.app, name="keys")


@pytest.fixture
def settings(make_settings, monkeypatch):
    """The environment of an installation without keys."""
    settings = make_settings()
    monkeypatch.setenv("WORTLAUT_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("WORTLAUT_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("WORTLAUT_PERFORMER", settings.performer)
    return settings


@pytest.fixture
def run(settings, monkeypatch):
    """Run a command; `serve` stops where it would begin to listen, and says with which options."""
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: print(json.dumps({**options, "app": app.title})))  # noqa: T201 read from stdout below
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)

    def run(*arguments):
        return CliRunner().invoke(app, arguments, catch_exceptions=True)

    return run


def test_a_service_that_is_stopped_has_not_failed(run, monkeypatch):
    def stopped(*_, **__):
        raise Cancelled

    monkeypatch.setattr(uvicorn, "run", stopped)
    monkeypatch.setattr(commands, "_work", stopped)
    assert run("serve").exit_code == 0
    assert run("worker").exit_code == 0


def test_the_service_may_have_more_files_open_than_is_usual(run):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, before[0]), before[1]))
    try:
        assert run("serve").exit_code == 0
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(commands.MOST_FILES, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_keys_are_created_listed_and_revoked(run, settings, serve):
    created = run("keys", "create", "bazarr", "--scopes", "submit,read", "--minutes-per-day", "90")
    secret = created.stdout.strip().splitlines()[-1]
    assert secret.startswith("wl_")
    key_id = run("keys", "list").stdout.split()[0]
    assert "usual a minute, 90 minutes a day" in run("keys", "list").stdout
    assert "bazarr" in run("keys", "list").stdout
    assert secret not in run("keys", "list").stdout
    with serve(settings) as url:
        headers = {"Authorization": f"Bearer {secret}"}
        assert httpx.get(f"{url}/v1/jobs", headers=headers).status_code == 200
        assert run("keys", "revoke", key_id).exit_code == 0
        assert httpx.get(f"{url}/v1/jobs", headers=headers).status_code == 401
    assert run("keys", "revoke", key_id).exit_code != 0
    assert "revoked" in run("keys", "list").stdout


def test_variables_of_the_old_services_that_change_nothing_are_named_at_the_start(run, monkeypatch, caplog):
    monkeypatch.setenv("ASR_ENGINE", "faster_whisper")
    run("serve")
    assert ["ASR_ENGINE has no effect here" in each.message for each in caplog.records] == [True]


def test_the_service_listens_elsewhere_only_with_a_key_or_when_told_to(run, monkeypatch):
    refused = run("serve", "--host", "0.0.0.0")
    assert isinstance(refused.exception, NotClosed)
    here = run("serve")
    assert json.loads(here.stdout.splitlines()[-1])["host"] == "127.0.0.1"
    assert "this machine only" in here.stderr
    monkeypatch.setenv("WORTLAUT_OPEN", "true")
    assert json.loads(run("serve", "--host", "0.0.0.0").stdout.splitlines()[-1])["host"] == "0.0.0.0"
    monkeypatch.delenv("WORTLAUT_OPEN")
    run("keys", "create", "first")
    assert json.loads(run("serve", "--host", "0.0.0.0", "--port", "9001").stdout.splitlines()[-1])["port"] == 9001


def test_what_keeps_the_service_from_starting_is_said_and_not_traced(settings, capfd):
    url = settings.database_url.get_secret_value()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE wortlaut_migrations (name text PRIMARY KEY, applied timestamptz)")
        connection.execute("INSERT INTO wortlaut_migrations VALUES ('9999_future', now())")
    result = CliRunner().invoke(app, ["serve", "--port", "0", "--workers", "0"])
    logging.basicConfig(force=True)
    assert isinstance(result.exception, DatabaseTooNew)
    assert "9999_future" in result.exception.message
    assert "Traceback" not in result.output + "".join(capfd.readouterr())


def record(**extra):
    try:
        raise ValueError("why")  # noqa: TRY301 a real traceback is needed
    except ValueError:
        made = logging.LogRecord("wortlaut.jobs", logging.INFO, "f", 1, "done in %d s", (3,), sys.exc_info())
    vars(made).update(extra)
    return made


def test_log_lines_carry_the_job():
    line = json.loads(JsonLines().format(record(job_id="j1", action="job_done")))
    assert (line["message"], line["job_id"], line["action"], line["level"]) == ("done in 3 s", "j1", "job_done", "info")
    assert "ValueError: why" in line["traceback"]
    assert PlainLines().format(record(job_id="j1")).startswith("info wortlaut.jobs [j1]: done in 3 s\nTraceback")


def test_a_service_without_its_extra_says_so(monkeypatch):
    from wortlaut.cli.service_settings import service_settings
    from wortlaut.errors import ExtraMissing

    monkeypatch.setitem(sys.modules, "procrastinate", None)
    with pytest.raises(ExtraMissing, match="server"):
        service_settings({})
