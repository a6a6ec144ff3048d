"""Keys: who may do what, and who sees which job."""

from __future__ import annotations

import asyncio

import httpx
import openai
import psycopg
import pytest

from wortlaut.errors import InvalidOption
from wortlaut.jobs.database import open_pool
from wortlaut.server.access import Keys


def with_keys(settings, act):
    """Do something with the keys of a service's database."""

    async def run():
        async with open_pool(settings.database_url.get_secret_value()) as pool:
            return await act(Keys(pool))

    return asyncio.run(run())


@pytest.fixture(scope="module")
def guarded(make_settings, serve):
    """A service with keys: its settings, its URL, and a secret for each scope (and one more for submit)."""
    settings = make_settings()
    with serve(settings) as url:
        secrets = {
            name: with_keys(settings, lambda keys, name=name: keys.create(name, [name.rstrip("2")]))[1]
            for name in ("read", "submit", "submit2", "admin")
        }
        yield settings, url, secrets


@pytest.fixture
def call(guarded):
    _, url, secrets = guarded

    def call(method, path, who=None, headers=None, **given):
        headers = {**(headers or {}), **({"Authorization": f"Bearer {secrets.get(who, who)}"} if who else {})}
        return httpx.request(method, url + path, headers=headers, timeout=30, **given)

    return call


def submit(call, who):
    return call("POST", "/v1/jobs", who, files={"file": b"say secret"})


def test_without_a_valid_key_nothing_is_to_be_had(call):
    for who in (None, "wl_wrong", "x" * 5000):
        for method, path in (("GET", "/v1/jobs"), ("POST", "/transcribe"), ("GET", "/v1/models"), ("GET", "/metrics")):
            answer = call(method, path, who)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert call("GET", "/health").status_code == 200


def test_scopes(call):
    assert submit(call, "read").status_code == 403
    assert submit(call, "submit").status_code == 202
    assert call("GET", "/v1/jobs", "read").status_code == 200
    assert call("GET", "/v1/jobs", "submit").status_code == 200
    assert call("GET", "/metrics", "submit").status_code == 403
    assert call("GET", "/metrics", "admin").status_code == 200


def test_a_job_is_visible_to_its_key_and_to_admins(call):
    job = submit(call, "submit").json()
    for method, path in (("GET", ""), ("GET", "/result"), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")):
        assert call(method, f"/v1/jobs/{job['id']}{path}", "submit2").status_code == 404
    assert job["id"] not in call("GET", "/v1/jobs", "submit2").text
    assert job["id"] in call("GET", "/v1/jobs", "admin").text
    assert call("GET", f"/v1/jobs/{job['id']}", "submit").status_code == 200
    assert call("DELETE", f"/v1/jobs/{job['id']}", "admin").status_code == 204


def test_openais_client_sends_its_key(guarded):
    _, url, secrets = guarded
    with openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            client.models.list()
        assert client.with_options(api_key=secrets["submit"]).models.list().data


def test_a_revoked_key_is_worthless_at_once_and_opens_nothing(guarded, call):
    settings, _, _ = guarded
    key, secret = with_keys(settings, lambda keys: keys.create("short-lived", ["submit"]))
    assert call("GET", "/v1/jobs", secret).status_code == 200
    assert with_keys(settings, lambda keys: keys.revoke(key.id))
    assert not with_keys(settings, lambda keys: keys.revoke(key.id))
    assert call("GET", "/v1/jobs", secret).status_code == 401


def test_the_database_does_not_know_the_secrets(guarded):
    settings, _, secrets = guarded
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        stored = str(connection.execute("SELECT * FROM wortlaut_keys").fetchall())
    assert not any(secret in stored for secret in secrets.values())
    with pytest.raises(InvalidOption):
        with_keys(settings, lambda keys: keys.create("x", ["root"]))


def test_without_keys_pages_of_others_are_refused(http):
    assert http.get("/v1/jobs", headers={"Host": "evil.example"}).status_code == 403
    assert http.get("/v1/jobs", headers={"Origin": "https://evil.example"}).status_code == 403
    assert http.get("/v1/jobs", headers={"Origin": str(http.base_url).rstrip("/")}).status_code == 200
    assert "Access-Control-Allow-Origin" not in http.get("/v1/jobs").headers


def test_errors_are_told_in_the_language_of_the_caller(call):
    answer = call("GET", "/v1/jobs", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.json()["detail"] == "Das braucht einen gültigen Schlüssel."
    assert call("GET", "/v1/jobs").json()["detail"] == "This needs a valid key."


def test_what_the_framework_says_of_a_parameter_is_german_too(http):
    answer = http.get("/v1/jobs?limit=many", headers={"Accept-Language": "de"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-option")
    assert answer.json()["detail"] == "limit: Der Wert muss eine ganze Zahl sein."
