"""The whole main job on a machine without a network, and the proof that nobody tried to reach one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WATCH = """
import os, sys

def watch(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo"):
        with open(os.environ["SOCKETS_LOG"], "a") as log:
            print(os.getpid(), event, args[1:], file=log)

sys.addaudithook(watch)
with open(os.environ["SOCKETS_LOG"] + ".python", "a") as log:
    print(os.getpid(), file=log)
"""
"""Becomes `sitecustomize`, which every Python process runs at its start, also those that Wortlaut starts."""

OUTSIDE = re.compile(r"\b(?:connect|sendto|sendmsg)\([^\n]*\bAF_INET6?\b|\bsocket\(AF_INET6?\b")
"""What strace shows of a socket that could lead outside."""


@pytest.fixture(scope="module")
def isolation():
    """The command that runs another one in a network namespace with nothing in it, not even loopback."""
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if (
            shutil.which("unshare")
            and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        ):
            return command
    pytest.skip("network namespaces cannot be made here")


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": f"{tmp_path / 'watch'}:{ROOT / 'src'}",
        "SOCKETS_LOG": str(tmp_path / "sockets"),
        "WORTLAUT_MODELS_DIR": str(tmp_path / "models"),
    }


def run(environment, *command):
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    return done.stdout


def bundle(environment, models_dir, target):
    with_models = {**environment, "WORTLAUT_MODELS_DIR": str(models_dir), "WORTLAUT_OFFLINE": "1"}
    run(with_models, sys.executable, "-m", "wortlaut", "models", "bundle", "-o", str(target))


@pytest.mark.slow
@pytest.mark.models
def test_the_main_job_needs_no_network_and_asks_for_none(
    isolation, environment, models_dir, sample_conversation, tmp_path
):
    """Neither `--offline` nor HF_HUB_OFFLINE is given: nothing reaches out by itself."""
    bundle(environment, models_dir, tmp_path / "models.tar")
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-qq", "-e", "trace=network", "-o", str(trace)] if shutil.which("strace") else []
    wortlaut = [*isolation, *strace, sys.executable, "-m", "wortlaut"]
    run(environment, *wortlaut, "models", "import", str(tmp_path / "models.tar"))
    written = run(environment, *wortlaut, "transcribe", str(sample_conversation), "-f", "json")
    assert "originally from Chicago" in written
    assert {segment["speaker"] for segment in json.loads(written)["segments"]} == {"SPEAKER_00", "SPEAKER_01"}
    watched = (tmp_path / "sockets.python").read_text().split()
    assert len(set(watched)) >= 3, "the decoder's process and both commands were to be watched"
    assert not (tmp_path / "sockets").exists(), (tmp_path / "sockets").read_text()
    assert not (tmp_path / "home" / ".cache" / "Microsoft").exists()  # where ONNX Runtime's telemetry keeps its id
    if strace:
        assert not OUTSIDE.findall(trace.read_text())


def test_the_proof_would_notice(isolation, environment, tmp_path):
    """The hook and the pattern see a program that does reach out."""
    code = "import socket; s = socket.socket(); s.settimeout(1); s.connect_ex(('192.0.2.1', 80))"
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-qq", "-e", "trace=network", "-o", str(trace)] if shutil.which("strace") else []
    run(environment, *isolation, *strace, sys.executable, "-c", code)
    assert "socket.connect ('192.0.2.1', 80)" in (tmp_path / "sockets").read_text().replace("(('", "('").replace(
        "),)", ")"
    )
    if strace:
        assert OUTSIDE.findall(trace.read_text())


@pytest.mark.parametrize(("given", "then"), [({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")])
def test_telemetry_is_off_unless_it_is_wanted(environment, given, then):
    code = "import wortlaut, os, sys; print(os.environ['ORT_DISABLE_TELEMETRY'], 'onnxruntime' in sys.modules)"
    assert run({**environment, **given}, sys.executable, "-c", code).split() == [then, "False"]


def test_without_models_and_without_a_network_it_is_said_what_to_do(isolation, environment, tmp_path):
    media = tmp_path / "silence.wav"
    media.write_bytes(b"RIFF")
    command = [*isolation, sys.executable, "-m", "wortlaut", "transcribe", str(media), "--offline"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 4
    assert "wortlaut models bundle" in done.stderr
    assert "wortlaut models import" in done.stderr
