"""`make image-test`: build the images, run them as they will be run, and see that they work.

Each image is built and started with a root file system that may only be read, as its own user; the sample is
transcribed through the port; the container is stopped and started anew, and the job must still be there. Once that is
done with the models inside the image, and no others.

With a Docker engine that is what Docker does, on the real bases. Without one, buildah builds on a stand-in for the base
(Debian from debootstrap), and the container's command is started from its configuration with unshare and chroot; this
needs root. Graphics cards are not needed: the CUDA image is then built with the lock of the CPU image, without PyTorch
and CUDA's libraries, which its label says.

`--arch arm64` builds the CPU image for that architecture and starts it twice. On a machine of another one QEMU does
that (qemu-user-static, registered as the interpreter of such programs), and nobody waits for a transcription there.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "image-test"
URL = "http://127.0.0.1:9000"
USER_ID = 10001
MOST_BYTES = 900_000_000
"""What the CPU image may take without models, its base included."""

DEFAULT_MODELS = "base silero-vad segmentation-3.0 campplus"
"""What is put into an image that brings its models along."""

SLOW_START = 900
"""Seconds within which the service must answer where QEMU runs it."""

SPEAKERS = 2
SAID = "originally from Chicago"
"""Who is heard in the sample, and some of what is said."""

STAND_IN = "localhost/wortlaut-stand-in"
PACKAGES = "python3,python3-venv,ca-certificates"
SLIM = (
    "usr/share/doc/*/*",
    *(f"usr/share/{folder}/*" for folder in ("info", "lintian", "locale", "man")),
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
)
"""What the slim images of Debian do not have; the copyright of each package stays, as it does there."""

APT_KEEPS_NOTHING = """\
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
"""As in Debian's images, so that a layer with a package holds the package."""

TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_CONFIGURATIONS = (Path("~/.config/pip/pip.conf"), Path("/etc/pip.conf"))
ENVIRONMENT = {"WORTLAUT_OPEN": "true", "WORTLAUT_OFFLINE": "true"}
"""What the container is told: there are no keys, and everything must work without a network."""


class Engine(Protocol):
    """What builds and runs containers."""

    name: str

    def build(self, dockerfile: str, tag: str, arguments: Mapping[str, str]) -> None: ...

    def base(self, dockerfile: str) -> str: ...

    def size_bytes(self, tag: str) -> int: ...

    def running(self, tag: str, mounts: Mapping[str, Path]) -> AbstractContextManager[None]: ...


@dataclass(frozen=True)
class Docker:
    """A Docker engine."""

    platform: tuple[str, ...] = ()
    name: str = "docker"

    def build(self, dockerfile: str, tag: str, arguments: Mapping[str, str]) -> None:
        given = [*self.platform, *(f"--build-arg={name}={value}" for name, value in arguments.items())]
        _run("docker", "build", *_pip_secret(), *given, "-f", f"docker/{dockerfile}", "-t", tag, ".")

    def base(self, dockerfile: str) -> str:
        lines = (ROOT / "docker" / dockerfile).read_text().splitlines()
        base = next(line.removeprefix("ARG BASE=") for line in lines if line.startswith("ARG BASE="))
        _run("docker", "pull", *self.platform, base)
        return base

    def size_bytes(self, tag: str) -> int:
        return int(_run("docker", "image", "inspect", "--format", "{{.Size}}", tag))

    @contextmanager
    def running(self, tag: str, mounts: Mapping[str, Path]) -> Iterator[None]:
        settings = [f"--env={name}={value}" for name, value in ENVIRONMENT.items()]
        modes = {"/models": ":ro"}
        volumes = [f"--volume={there}:{here}{modes.get(here, '')}" for here, there in mounts.items()]
        limits = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--publish=127.0.0.1:9000:9000"]
        container = _run(
            "docker", "run", "--detach", *self.platform, *limits, *volumes, "--volume=/tmp", *settings, tag
        ).strip()
        try:
            yield
        finally:
            _run("docker", "stop", "--time=30", container)
            _say(_run("docker", "logs", container))
            _run("docker", "rm", "--volumes", container)


@dataclass(frozen=True)
class Buildah:
    """buildah, debootstrap, unshare and chroot: no daemon, no registry."""

    arch: str | None = None
    name: str = "buildah"

    @property
    def stand_in(self) -> str:
        return f"{STAND_IN}-{self.arch}" if self.arch else STAND_IN

    def build(self, dockerfile: str, tag: str, arguments: Mapping[str, str]) -> None:
        self._make_stand_in()
        given = [f"--build-arg={name}={value}" for name, value in {"BASE": self.stand_in, **arguments}.items()]
        self._bud("--layers", *_pip_secret(), *given, "-f", f"docker/{dockerfile}", "-t", tag, ".")

    def base(self, dockerfile: str) -> str:  # noqa: ARG002 all are built on the stand-in
        return self.stand_in

    def size_bytes(self, tag: str) -> int:
        with self._mounted(tag) as root:
            return int(_run("du", "--summarize", "--bytes", "--one-file-system", str(root)).split()[0])

    @contextmanager
    def _mounted(self, tag: str) -> Iterator[Path]:
        container = self._buildah("from", tag).strip()
        try:
            yield Path(self._buildah("mount", container).strip())
        finally:
            self._buildah("rm", container)

    @contextmanager
    def running(self, tag: str, mounts: Mapping[str, Path]) -> Iterator[None]:
        image = json.loads(self._buildah("inspect", "--type=image", tag))["Docker"]["config"]
        with self._mounted(tag) as root, _contained(root, image, mounts):
            yield

    def _make_stand_in(self) -> None:
        if self.stand_in in self._buildah("images", "--format={{.Name}}").split():
            return
        folder = WORK / "stand-in"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = ["--variant=minbase", f"--include={PACKAGES}", *([f"--arch={self.arch}"] if self.arch else [])]
        _run("debootstrap", *options, "bookworm", str(folder / "rootfs"))
        shutil.copyfile(TRUST, folder / "rootfs" / TRUST.relative_to("/"))  # certificates that this machine trusts
        _slim(folder / "rootfs")
        (folder / "Dockerfile").write_text("FROM scratch\nADD rootfs /\n")
        self._bud("-t", self.stand_in, str(folder))
        shutil.rmtree(folder)

    def _bud(self, *arguments: str) -> None:
        arch = [f"--arch={self.arch}"] if self.arch else []
        self._buildah("bud", "--isolation=chroot", "--format=docker", *arch, *arguments)

    def _buildah(self, *arguments: str) -> str:
        storage = (f"--storage-driver={_driver()}", f"--root={WORK / 'storage'}", f"--runroot={WORK / 'run'}")
        return _run("buildah", *storage, *arguments)


def _slim(root: Path) -> None:
    """Leave out of a Debian what the `slim` images leave out, and let apt keep no more than it does there."""
    for path in [path for pattern in SLIM for path in root.glob(pattern) if path.name != "copyright"]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # one folder may be a link to another
    (root / "etc/apt/apt.conf.d/docker-clean").write_text(APT_KEEPS_NOTHING)


@cache
def _driver() -> str:
    """Prefer overlay, which copies nothing; vfs works everywhere, also inside a container."""
    trial = ["buildah", "--storage-driver=overlay", f"--root={WORK / 'trial'}", f"--runroot={WORK / 'run'}", "info"]
    return "vfs" if subprocess.run(trial, capture_output=True, check=False).returncode else "overlay"


@contextmanager
def _contained(root: Path, image: Mapping[str, Any], mounts: Mapping[str, Path]) -> Iterator[None]:
    """Run an image's command: own mounts and processes, a root that may only be read, its user, its environment."""
    settings = [*image["Env"], *(f"{name}={value}" for name, value in ENVIRONMENT.items())]
    command = [*image["Entrypoint"], *image["Cmd"]]
    inside = ["env", "-i", f"--chdir={image['WorkingDir']}", *settings, *command]
    lines = [
        "set -e",
        f"mount --bind {root} {root}",
        f"mount --rbind /dev {root}/dev",
        f"mount -t proc proc {root}/proc",
        f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp",
        *(f"mount --bind {shlex.quote(str(there))} {root}{here}" for here, there in mounts.items()),
        f"mount -o remount,bind,ro {root}",
        f"exec chroot --userspec={image['User']} --groups= {root} {shlex.join(inside)}",
    ]
    isolation = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
    with subprocess.Popen([*isolation, "sh", "-c", "\n".join(lines)], stdout=sys.stderr) as process:
        try:
            yield
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the container's first process to end, as an engine does, and wait."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def main() -> None:
    """Try both images, and the first once more with models in it."""
    arguments = _arguments()
    engine = _engine(arguments.arch)
    _say(f"With {engine.name}.")
    if arguments.arch:
        _try_start(engine, "cpu.Dockerfile", f"localhost/wortlaut:cpu-{arguments.arch}", arguments.models)
        return
    _try_image(engine, "cpu.Dockerfile", "localhost/wortlaut:cpu", arguments, MOST_BYTES)
    with_models = {"MODELS": DEFAULT_MODELS}
    _try_image(engine, "cpu.Dockerfile", "localhost/wortlaut:cpu-with-models", arguments, None, with_models)
    trial = {"LOCK": "requirements.lock"}
    _try_image(engine, "cuda.Dockerfile", "localhost/wortlaut:cuda-trial", arguments, None, trial)
    print("The CUDA image was tried without PyTorch and CUDA's libraries, and without a graphics card.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True, help="folder with the default models and the sample")
    parser.add_argument("--arch", help="build and start the CPU image for another architecture, such as arm64")
    return parser.parse_args()


def _engine(arch: str | None) -> Engine:
    if _has_docker():
        return Docker((f"--platform=linux/{arch}",) if arch else ())
    return Buildah(arch)


def _has_docker() -> bool:
    return (
        bool(shutil.which("docker"))
        and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    )


def _try_image(
    engine: Engine,
    dockerfile: str,
    tag: str,
    arguments: argparse.Namespace,
    most_bytes: int | None,
    build_arguments: Mapping[str, str] = MappingProxyType({}),
) -> None:
    _build(engine, dockerfile, tag, most_bytes, build_arguments)
    data = _new_data()
    mounts = {"/data": data} if "MODELS" in build_arguments else {"/data": data, "/models": arguments.models}
    with engine.running(tag, mounts):
        job = _transcribe(arguments.models / "sample-conversation" / "sample.wav")
    with engine.running(tag, mounts):
        _wait_for("/health")
        kept = _ask(f"/v1/jobs/{job}")
        if kept["state"] != "done":
            raise SystemExit(f"After the restart the job is {kept['state']}.")
        words = len(_ask(f"/v1/jobs/{job}/result?format=json")["word_segments"])
    print(f"{tag}: after a restart the job is still there, with {words} words")
    shutil.rmtree(data)


def _try_start(engine: Engine, dockerfile: str, tag: str, models: Path) -> None:
    """Build an image whose programs this machine runs slowly; start it twice, and hand in a job the first time."""
    _build(engine, dockerfile, tag, MOST_BYTES)
    data = _new_data()
    mounts = {"/data": data, "/models": models}
    with engine.running(tag, mounts):
        _say(str(_wait_for("/health", seconds=SLOW_START)))
        job = str(_post("/v1/jobs", models / "sample-conversation" / "sample.wav")["id"])
    with engine.running(tag, mounts):
        _wait_for("/health", seconds=SLOW_START)
        print(f"{tag}: after a restart the job is still there, and {_ask(f'/v1/jobs/{job}')['state']}")
    shutil.rmtree(data)


def _build(
    engine: Engine,
    dockerfile: str,
    tag: str,
    most_bytes: int | None,
    build_arguments: Mapping[str, str] = MappingProxyType({}),
) -> None:
    began = time.monotonic()
    engine.build(dockerfile, tag, build_arguments)
    size_bytes, base_bytes = engine.size_bytes(tag), engine.size_bytes(engine.base(dockerfile))
    sizes = f"{size_bytes / 1e6:.0f} MB, {(size_bytes - base_bytes) / 1e6:.0f} MB of them on top of its base"
    print(f"{tag}: built in {time.monotonic() - began:.0f} s, {sizes}", flush=True)
    if most_bytes and size_bytes > most_bytes:
        raise SystemExit(f"{tag} takes more than {most_bytes / 1e6:.0f} MB.")


def _new_data() -> Path:
    """Return a fresh folder for what the container keeps; it belongs to the container's user."""
    data = WORK / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    os.chown(data, USER_ID, USER_ID)
    return data


def _transcribe(sample: Path) -> str:
    """Send the sample by both ways; return the id of the job."""
    _say(str(_wait_for("/health")))
    answer = _post("/transcribe/diarize?language=en", sample)
    print(f"{len(answer['segments'])} segments, speakers {', '.join(answer['speakers'])}: {answer['text'][:60]} ...")
    if len(answer["speakers"]) != SPEAKERS or SAID not in answer["text"]:
        raise SystemExit("This is not what is said in the sample.")
    job = str(_post("/v1/jobs", sample)["id"])
    while (state := _ask(f"/v1/jobs/{job}")["state"]) in ("queued", "running"):
        time.sleep(1)
    if state != "done":
        raise SystemExit(f"The job is {state}.")
    return job


def _wait_for(path: str, *, seconds: float = 180) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _ask(path)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _ask(path: str) -> Any:
    with urllib.request.urlopen(URL + path, timeout=30) as answer:
        return json.load(answer)


def _post(path: str, file: Path) -> Any:
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urllib.request.urlopen(urllib.request.Request(URL + path, body, headers), timeout=600) as answer:
        return json.load(answer)


def _pip_secret() -> Sequence[str]:
    """Hand over this machine's own pip configuration, if it has one; it gets into no layer."""
    named = os.environ.get("PIP_CONFIG_FILE")
    candidates = [Path(named)] if named else [path.expanduser() for path in PIP_CONFIGURATIONS]
    return next(([f"--secret=id=pip,src={path}"] for path in candidates if path.is_file()), [])


def _run(*command: str) -> str:
    _say(f"$ {shlex.join(command)}")
    done = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
