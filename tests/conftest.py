"""Fixtures that every room's tests share."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from hypothesis import settings

# A deadline would assert the speed of the machine. The same examples every time: a red run is caused by the change
# it judges. `make explore` draws new ones.
settings.register_profile("wortlaut", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("wortlaut")

EVAL = Path(__file__).parents[1] / ".." / "shared" / "eval"


@pytest.fixture(autouse=True, scope="session")
def _english() -> Iterator[None]:
    """Messages are compared in English, whatever the locale of the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORTLAUT_LANG", "en")
        yield


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Undo what a command did to the log: it would go on writing to a stream that has been closed since."""
    root = logging.getLogger()
    handlers, level = set(root.handlers), root.level
    yield
    root.setLevel(level)
    for handler in set(root.handlers) - handlers:
        if type(handler) is logging.StreamHandler:  # and not pytest's own, which come and go
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder with the real default models; tests that need them fail, and do not skip, without them."""
    folder = Path(os.environ.get("WORTLAUT_MODELS_DIR") or Path(platformdirs.user_data_dir("wortlaut")) / "models")
    if not (folder / "whisper-base" / "model.bin").is_file():
        pytest.fail("The default models are missing: run `make models` first.")
    return folder


@pytest.fixture(scope="session")
def eval_dir() -> Path:
    """The folder with evaluation audio that lies beside the checkout and is not part of it."""
    if not EVAL.is_dir():
        pytest.skip("the evaluation audio is not beside this checkout")
    return EVAL


@pytest.fixture(scope="session")
def sample_conversation(models_dir: Path) -> Path:
    """Thirty seconds of two people on the telephone; sample.rttm with the true turns lies beside it."""
    file = models_dir / "sample-conversation" / "sample.wav"
    if not file.is_file():
        pytest.fail("The sample conversation is missing: run `make models` first.")
    return file


@pytest.fixture(scope="session")
def open_postgres():
    """Return what starts a PostgreSQL in a folder of its own and stops it at the end of a `with` block."""
    from wortlaut.jobs.embedded import EmbeddedDatabase

    @contextmanager
    def running():
        # Not in pytest's folder: every run makes that passable for its own user only, and PostgreSQL is never root.
        with tempfile.TemporaryDirectory(prefix="wortlaut-tests-", ignore_cleanup_errors=True) as folder:
            database = EmbeddedDatabase(Path(folder) / "database")
            database.start()
            yield database
            os.kill(database.pid, signal.SIGQUIT)  # at once: what nobody reads again need not reach the disk
            database.stop()

    return running


@pytest.fixture(scope="session")
def postgres(open_postgres):
    """The one PostgreSQL of all tests; whoever needs a database makes one of its own in it."""
    with open_postgres() as database:
        yield database


@pytest.fixture(scope="session")
def s3_server():
    """The address of an S3 stand-in on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_bucket(s3_server, monkeypatch):
    """A new bucket, s3://..., reached by the usual environment variables."""
    given = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ALLOW_HTTP": "true",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{uuid.uuid4().hex}"
    request = urllib.request.Request(f"{s3_server}/{bucket}", method="PUT")
    urllib.request.urlopen(request, timeout=20).close()
    return f"s3://{bucket}"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
