"""Health, readiness, figures, errors, and settings that are all documented."""

from __future__ import annotations

import re
import runpy
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from wortlaut import errors
from wortlaut.jobs.errors import all_errors
from wortlaut.localization.catalog import catalog
from wortlaut.server import problems
from wortlaut.server.app import create_app
from wortlaut.server.problems import STATUS, status_of
from wortlaut.server.settings import ServiceSettings, is_loopback

DOCS = Path(__file__).parents[2] / "docs"


def test_health_answers_while_every_worker_is_busy(http, base_url):
    job = http.post("/v1/jobs", files={"file": b"sleep 30"}).json()
    with ThreadPoolExecutor(8) as threads:
        waiting = [
            threads.submit(httpx.post, f"{base_url}/transcribe", files={"file": b"say wait"}, timeout=60)
            for _ in range(6)
        ]
        time.sleep(0.5)
        taken = []
        for _ in range(20):
            began = time.perf_counter()
            assert http.get("/health").json()["status"] == "healthy"
            taken.append(time.perf_counter() - began)
        http.post(f"/v1/jobs/{job['id']}/cancel")
        assert {each.result().status_code for each in waiting} == {200}
    assert max(taken) < 20  # long before the worker is free again


def test_health_says_what_the_performer_has_said(http):
    ready_by = time.monotonic() + 20
    while http.get("/ready").status_code != 200 and time.monotonic() < ready_by:
        time.sleep(0.1)
    health = http.get("/health").json()
    assert (health["models"], health["device"], health["compute_type"]) == ("warm", "cpu", "int8")
    assert health["diarization_available"] is True


def test_health_and_readiness_say_that_the_models_are_missing(make_settings, serve):
    with serve(make_settings(warms_up=True, model="tiny")) as url:  # with which the performer that obeys fails
        fails_by = time.monotonic() + 20
        while (health := httpx.get(f"{url}/health").json())["models"] != "failed":
            assert time.monotonic() < fails_by
            time.sleep(0.1)
        assert (health["status"], health["has_word_timestamps"], health["error"]["code"]) == (
            "degraded",
            False,
            "media-invalid",
        )
        answer = httpx.get(f"{url}/ready")
        assert answer.status_code == 503
        assert "as asked" in answer.json()["checks"]["models"]


def test_the_page_of_routes_needs_nobody_else(http):
    page = http.get("/docs").text
    assert not re.findall(r'(?:src|href)="https?://(?!127\.0\.0\.1)', page)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert http.get(path).status_code == 200, path


def test_ready_names_what_is_missing(make_settings, serve):
    settings = make_settings(workers=0)
    with serve(settings) as url:
        answer = httpx.get(f"{url}/ready")
        assert answer.status_code == 503
        checks = answer.json()["checks"]
        assert checks["database"] == checks["storage"] == "ok"
        assert "wortlaut worker" in checks["worker"]
        assert httpx.get(f"{url}/health").status_code == 200


def test_metrics_count_what_happened(http):
    http.post("/transcribe", files={"file": b"say hello"})
    http.post("/transcribe", files={"file": b"gibberish"})
    text = http.get("/metrics").text
    for line in (
        'wortlaut_attempts_total{code="done"}',
        'wortlaut_attempts_total{code="media-invalid"}',
        'wortlaut_jobs{state="queued"}',
        "wortlaut_waiting_seconds_count",
        "wortlaut_running_seconds_count",
        "wortlaut_workers 1.0",
        'wortlaut_real_time_factor_bucket{le="0.5",stage="recognize"}',
    ):
        assert line in text
    held = re.search(r'wortlaut_model_memory_bytes{process="0"} (\S+)', text)
    assert held
    assert float(held[1]) > 1_000_000


@pytest.mark.parametrize("kind", list(all_errors()))
def test_every_error_has_a_status_and_a_sentence(kind):
    error = kind()
    assert 400 <= status_of(error) < 600
    assert error.message
    assert error.hint


def test_faults_of_the_caller_are_4xx():
    for kind in all_errors(errors.InputError):
        assert status_of(kind()) < 500


def test_codes_are_unique():
    kinds = [kind for kind in all_errors() if "code" in vars(kind)]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_the_table_has_no_dead_lines():
    assert set(STATUS) <= set(all_errors())
    assert problems.MediaTooLarge in STATUS


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_reference_is_what_the_code_says(language: str):
    reference = runpy.run_path(str(DOCS / "make_service_reference.py"))
    assert reference["PAGES"][language].read_text("utf-8") == reference["page"](language), "run `make docs`"


def test_every_description_in_the_reference_has_its_german():
    """As a whole: a template that only fits by chance would leave half of it in English."""
    reference = runpy.run_path(str(DOCS / "make_service_reference.py"))
    asked: list[str] = []
    for part in ("_routes", "_parameters", "_settings"):
        list(reference[part](lambda text: asked.append(text) or text))
    known = reference["GERMAN"].keys() | catalog("de").sentences.keys()
    assert {text for text in asked if " " in text} - known == set()


def test_every_setting_and_every_route_is_documented():
    text = (DOCS / "service-reference.md").read_text("utf-8")
    for name in ServiceSettings.model_fields:
        alias = ServiceSettings.model_fields[name].validation_alias
        known = alias.choices[0] if alias else f"WORTLAUT_{name.upper()}"
        assert f"`{known}`" in text, known
    told = "".join(page.read_text("utf-8") for page in DOCS.glob("service*.md") if "reference" not in page.name)
    for path, methods in create_app(ServiceSettings()).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in told, path


def test_the_examples_in_the_documentation_compile():
    for page in DOCS.glob("service*.md"):
        for code in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            compile(code, page.name, "exec")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("example.org", False),
    ],
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected
    assert ServiceSettings(host=host).is_loopback is expected
