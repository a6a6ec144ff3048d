"""Access to pyannote's models, against a hub of our own on this machine."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import logging
import pickle
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from wortlaut.diarization.pyannote.access import PipelineAccess, require_packages
from wortlaut.diarization.pyannote.deadline import DeadlinePassed, within
from wortlaut.diarization.pyannote.files import HUB_PIPELINES, PipelineFiles
from wortlaut.diarization.pyannote.token import Token, find_token
from wortlaut.errors import (
    TOKEN_PAGE,
    DownloadFailed,
    ExtraMissing,
    ModelMissing,
    TermsNotAccepted,
    TokenMissing,
    TokenRejected,
    UnknownModel,
    WortlautError,
)
from wortlaut.notice import ANNOUNCEMENTS

COMMUNITY_1 = "pyannote/speaker-diarization-community-1"
V3_1 = "pyannote/speaker-diarization-3.1"
SEGMENTATION = "pyannote/segmentation-3.0"
EMBEDDING = "pyannote/wespeaker-voxceleb-resnet34-LM"
SECRET = "hf_ThisMustNeverBeSeenAnywhere"  # a fake
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Plays the model hub: one good token, and repositories whose terms are accepted or not."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.accepted = {COMMUNITY_1, V3_1, SEGMENTATION}
        self.gated = {COMMUNITY_1, V3_1, SEGMENTATION}
        self.unknown: set[str] = set()
        self.status: int | None = None  # answers everything with it
        self.stall_seconds = 0.0
        self.redirect: str | None = None
        self.requests: list[tuple[str, str, str | None]] = []
        self.released = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        body = self.answer()
        if body is not None:
            self.wfile.write(body)

    def answer(self) -> bytes | None:
        hub = self.server
        token = self.headers.get("Authorization")
        hub.requests.append((self.command, self.path, token))
        hub.released.wait(hub.stall_seconds)
        repository = "/".join(self.path.split("/")[1:3])
        if hub.status:
            return self.refuse(hub.status)
        if repository in hub.gated and token != f"Bearer {SECRET}":
            # The hub repeats in words what was wrong; here it even quotes the token.
            return self.refuse(401, message=f"Invalid credentials in Authorization header: {token}")
        if repository in hub.unknown:
            return self.refuse(404, code="RepoNotFound")
        if repository in hub.gated - hub.accepted:
            return self.refuse(403, code="GatedRepo", message=f"Access to {repository} is restricted")
        if hub.redirect:
            return self.refuse(302, location=hub.redirect)
        body = f"contents of {self.path}".encode()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    def refuse(self, status: int, *, code: str = "", message: str = "", location: str = "") -> None:
        self.send_response(status)
        for name, value in {"X-Error-Code": code, "X-Error-Message": message, "Location": location}.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.released.set()
    for late in [thread for thread in threading.enumerate() if thread.name == "deadline"]:
        late.join(10)
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def installed(monkeypatch) -> dict[str, str]:
    """Versions as if the extra were installed."""
    versions = {"pyannote.audio": "4.0.7", "torch": "2.13.0+cpu"}
    real_version = importlib.metadata.version

    def version(package: str) -> str:
        if package not in ("pyannote.audio", "torch"):
            return real_version(package)
        if package not in versions:
            raise importlib.metadata.PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(importlib.metadata, "version", version)
    return versions


@pytest.fixture
def ask(hub, tmp_path):
    """Make an access to the hub of this test."""

    def make(source: str = V3_1, **options: object) -> PipelineAccess:
        defaults = {"cache_dir": tmp_path / "cache", "endpoint": hub.endpoint, "token": Token(SECRET)}
        return PipelineAccess(source, **(defaults | options))

    return make


def fill_cache(cache: Path, source: str) -> None:
    for file in HUB_PIPELINES[source].files:
        folder = cache / f"models--{file.repository.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True, exist_ok=True)
        (folder / "refs" / "main").write_text(COMMIT)
        target = folder / "snapshots" / COMMIT / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.path)


class TestPreflight:
    @pytest.mark.parametrize("source", HUB_PIPELINES)
    def test_passes_with_a_good_token_and_accepted_terms(self, hub, ask, source):
        ask(source).preflight()
        asked = {path.split("/resolve/")[0][1:] for _, path, _ in hub.requests}
        assert asked == {file.repository for file in HUB_PIPELINES[source].gated}

    def test_downloads_nothing(self, hub, ask, tmp_path):
        ask().preflight()
        assert {method for method, _, _ in hub.requests} == {"HEAD"}
        assert not (tmp_path / "cache").exists()

    def test_no_token(self, hub, ask):
        with pytest.raises(TokenMissing) as missing:
            ask(token=None).preflight()
        assert V3_1 in missing.value.message
        assert TOKEN_PAGE in missing.value.hint
        assert f"https://huggingface.co/{SEGMENTATION}" in missing.value.hint
        assert not hub.requests

    def test_wrong_token(self, ask):
        with pytest.raises(TokenRejected) as rejected:
            ask(token=Token("hf_wrong")).preflight()
        assert TOKEN_PAGE in rejected.value.hint

    def test_terms_not_accepted_names_every_page_at_once(self, hub, ask):
        hub.accepted.clear()
        with pytest.raises(TermsNotAccepted) as closed:
            ask().preflight()
        assert f"https://huggingface.co/{V3_1}" in closed.value.hint
        assert f"https://huggingface.co/{SEGMENTATION}" in closed.value.hint

    def test_terms_of_one_model_only(self, hub, ask):
        hub.accepted.remove(SEGMENTATION)
        with pytest.raises(TermsNotAccepted) as closed:
            ask().preflight()
        assert SEGMENTATION in closed.value.message
        assert V3_1 not in closed.value.message + closed.value.hint

    def test_token_without_the_permission(self, hub, ask):
        hub.status = 403
        with pytest.raises(TokenRejected, match="may not read"):
            ask().preflight()

    def test_gone_from_the_hub(self, hub, ask):
        hub.unknown.add(COMMUNITY_1)
        with pytest.raises(UnknownModel):
            ask(COMMUNITY_1).preflight()

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_hub_in_trouble(self, hub, ask, status):
        hub.status = status
        with pytest.raises(DownloadFailed, match=str(status)):
            ask().preflight()

    def test_hub_that_never_answers(self, hub, ask):
        hub.stall_seconds = 30
        started = time.monotonic()
        with pytest.raises(DownloadFailed, match="does not answer"):
            ask(answer_seconds=0.3).preflight()
        assert time.monotonic() - started < 10

    def test_no_hub_at_all(self, ask):
        with pytest.raises(DownloadFailed, match="does not answer") as failed:
            ask(endpoint="http://127.0.0.1:1").preflight()
        assert "built-in diarizer" in failed.value.hint

    def test_a_redirect_is_a_yes_and_not_followed(self, hub, ask):
        elsewhere = Hub()  # never serves: a request would stall
        hub.redirect = f"{elsewhere.endpoint}/somewhere"
        ask().preflight()
        elsewhere.server_close()

    def test_offline_and_not_here(self, hub, ask):
        with pytest.raises(ModelMissing):
            ask(is_offline=True).preflight()
        assert not hub.requests

    @pytest.mark.parametrize("source", HUB_PIPELINES)
    def test_in_the_cache_needs_neither_token_nor_network(self, hub, ask, tmp_path, source):
        fill_cache(tmp_path / "cache", source)
        for is_offline in (True, False):
            cached = ask(source, is_offline=is_offline, token=None)
            cached.preflight()
            assert isinstance(cached.fetch(), PipelineFiles)
        assert not hub.requests

    def test_half_in_the_cache_is_not_here(self, ask, tmp_path):
        fill_cache(tmp_path / "cache", V3_1)
        next((tmp_path / "cache").rglob("*segmentation-3.0/snapshots/*/pytorch_model.bin")).unlink()
        with pytest.raises(ModelMissing):
            ask(is_offline=True).preflight()

    def test_unknown_pipeline(self, ask):
        with pytest.raises(UnknownModel) as unknown:
            ask("pyannote/speaker-diarization").preflight()
        assert V3_1 in unknown.value.hint


class TestFetch:
    def test_brings_every_file_and_keeps_the_token_from_open_repositories(self, hub, ask):
        files = ask(V3_1).fetch()
        assert files.plda is None
        for file in (files.config, files.segmentation, files.embedding):
            assert file.read_text().startswith("contents of /")
        assert all(token is None for _, path, token in hub.requests if EMBEDDING in path)
        assert any(EMBEDDING in path for _, path, _ in hub.requests)

    def test_community_1_lies_in_one_folder(self, ask):
        files = ask(COMMUNITY_1).fetch()
        assert files.plda is not None
        assert {file.name for file in files.plda.iterdir()} == {"plda.npz", "xvec_transform.npz"}
        assert files.segmentation.parent.parent == files.config.parent

    def test_second_time_needs_no_network(self, hub, ask):
        first = ask().fetch()
        hub.requests.clear()
        assert ask(is_offline=True).fetch() == first
        assert not hub.requests

    def test_says_what_it_fetches_once(self, ask, tmp_path, caplog):
        caplog.set_level(logging.INFO, logger=ANNOUNCEMENTS)
        for _ in range(2):
            ask(V3_1).fetch()
        (said,) = [record.getMessage() for record in caplog.records if record.name == ANNOUNCEMENTS]
        assert f"  {V3_1} (speakers, 33 MB)" in said
        assert str(tmp_path / "cache") in said
        assert "built-in diarizer" in said

    def test_stalls_in_the_middle(self, hub, ask, monkeypatch):
        access = ask(file_seconds=0.3)
        access.preflight()
        hub.stall_seconds = 30
        monkeypatch.setattr(PipelineAccess, "_ask", lambda *_: None)
        with pytest.raises(DownloadFailed, match="could not be downloaded"):
            access.fetch()

    def test_terms_withdrawn_in_the_middle(self, hub, ask, monkeypatch):
        hub.accepted.clear()
        monkeypatch.setattr(PipelineAccess, "_ask", lambda *_: None)
        with pytest.raises(TermsNotAccepted) as closed:
            ask().fetch()
        assert f"https://huggingface.co/{V3_1}" in closed.value.hint


class TestPackages:
    def test_present(self):
        require_packages(HUB_PIPELINES[COMMUNITY_1])

    @pytest.mark.parametrize(
        ("package", "version"),
        [("pyannote.audio", None), ("torch", None), ("pyannote.audio", "3.1.1"), ("torch", "2.5.1+cpu")],
    )
    def test_missing_or_too_old(self, ask, installed, package, version):
        if version:
            installed[package] = version
        else:
            del installed[package]
        with pytest.raises(ExtraMissing) as missing:
            ask().preflight()
        assert package in missing.value.message
        assert (version or "not installed").split("+")[0] in missing.value.message
        assert "wortlaut[pyannote]" in missing.value.hint

    def test_community_1_needs_pyannote_4(self, ask, installed):
        installed["pyannote.audio"] = "3.4.0"
        ask(V3_1).preflight()
        with pytest.raises(ExtraMissing, match=r"pyannote\.audio 4"):
            ask(COMMUNITY_1).preflight()


class TestTheTokenIsNeverSeen:
    def every_failure(self, hub, ask) -> Iterator[WortlautError]:
        for accepted, status, token in (
            (set(), None, SECRET),
            (set(), 403, SECRET),
            (set(), 500, SECRET),
            (set(), None, f"{SECRET}x"),
        ):
            hub.accepted, hub.status = accepted, status
            for call in (ask(token=Token(token)).preflight, ask(token=Token(token)).fetch):
                with pytest.raises(WortlautError) as failed:
                    call()
                yield failed.value

    def test_in_errors_and_their_tracebacks(self, hub, ask):
        for failure in self.every_failure(hub, ask):
            frames = [frame for frame, _ in traceback.walk_tb(failure.__traceback__)]
            ours = [frame.f_locals for frame in frames if "/wortlaut/" in frame.f_code.co_filename]
            assert ours
            shown = "".join(traceback.format_exception(failure))
            assert SECRET not in shown + repr(failure) + failure.hint + failure.message + repr(ours)

    def test_in_errors_of_the_download_itself(self, hub, ask, monkeypatch):
        monkeypatch.setattr(PipelineAccess, "_ask", lambda *_: None)
        for status, token in ((403, SECRET), (404, SECRET), (None, f"{SECRET}x")):
            hub.status = status
            with pytest.raises(WortlautError) as failed:
                ask(token=Token(token)).fetch()
            assert SECRET not in "".join(traceback.format_exception(failed.value))
            assert failed.value.__suppress_context__

    def test_in_logs(self, hub, ask, caplog):
        with caplog.at_level(logging.DEBUG):
            list(self.every_failure(hub, ask))
            hub.accepted, hub.status = set(hub.gated), None
            ask().fetch()
        assert SECRET not in caplog.text

    def test_in_values(self, ask):
        token = Token(SECRET)
        assert SECRET not in f"{token} {token!r} {ask()!r} {[token]}"
        with pytest.raises(TypeError):
            json.dumps(token)
        with pytest.raises(TypeError):
            pickle.dumps(token)
        assert json.dumps({"token": token}, default=str) == '{"token": "Token(hidden)"}'


class TestFindToken:
    @pytest.fixture(autouse=True)
    def nobody_is_logged_in(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")

    def found(self, *arguments: str, **options: object) -> str | None:
        token = find_token(*arguments, **options)
        return token and token.reveal()

    def test_none(self, tmp_path):
        assert find_token(environment={}, folder=tmp_path) is None

    def test_order(self, tmp_path):
        login = tmp_path / "home" / ".cache" / "huggingface" / "token"
        login.parent.mkdir(parents=True)
        login.write_text("login\n")
        assert self.found(environment={}, folder=tmp_path) == "login"
        (tmp_path / ".env").write_text("OTHER=1\nHF_TOKEN='dotenv'  # mine\n")
        assert self.found(environment={}, folder=tmp_path) == "dotenv"
        assert self.found(environment={"HF_TOKEN": "environment"}, folder=tmp_path) == "environment"
        assert self.found("configured", environment={"HF_TOKEN": "environment"}, folder=tmp_path) == "configured"

    @pytest.mark.parametrize("variable", ["HF_HOME", "HF_TOKEN_PATH", "XDG_CACHE_HOME"])
    def test_login_where_the_hub_puts_it(self, tmp_path, variable):
        place = {"HF_HOME": "token", "HF_TOKEN_PATH": ".", "XDG_CACHE_HOME": "huggingface/token"}[variable]
        named = tmp_path / "named"
        file = named / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("login")
        assert self.found(environment={variable: str(named)}, folder=tmp_path) == "login"

    def test_agrees_with_the_client_of_the_hub(self, tmp_path, monkeypatch):
        huggingface_hub = pytest.importorskip("huggingface_hub")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        (tmp_path / "token").write_text("login\n")
        constants = importlib.import_module("huggingface_hub.constants")
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        environment = {"HF_TOKEN_PATH": str(tmp_path / "token")}
        assert self.found(environment=environment, folder=tmp_path) == huggingface_hub.get_token()

    @pytest.mark.parametrize("empty", ["", "  ", "\n"])
    def test_empty_is_none(self, tmp_path, empty):
        assert find_token(empty, environment={"HF_TOKEN": empty}, folder=tmp_path) is None

    def test_a_newline_from_a_file_does_no_harm(self, tmp_path):
        assert self.found("hf_x\n", environment={}, folder=tmp_path) == "hf_x"


class TestDeadline:
    def test_hands_on_results_and_errors(self):
        assert within(10, lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            within(10, lambda: 1 // 0)

    def test_does_not_wait_longer(self):
        forever = threading.Event()
        with pytest.raises(DeadlinePassed):
            within(0.05, forever.wait)
        forever.set()

    def test_none_is_a_result(self):
        assert within(10, lambda: None) is None
