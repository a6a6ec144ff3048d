"""Models from the Hugging Face hub: over plain HTTP, or out of the cache that other programs have filled.

The rules of the hub's own client hold: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE. The client
itself is not used: it hangs for more than a minute when a host accepts a connection and never answers.

`{endpoint}/{repo}/resolve/{revision}/{file}` answers with X-Repo-Commit (the commit that a branch stands for),
X-Linked-Etag (SHA-256 of a large file) or ETag (git's name of a small one), and redirects to the file.
https://huggingface.co/docs/huggingface_hub/package_reference/file_download
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from wortlaut.models.entry import HubSource, ModelFile
from wortlaut.models.integrity import Checksum, matches
from wortlaut.models.transfer import Patience, TransferFailed

Result = TypeVar("Result")

_TRUE = frozenset({"1", "ON", "YES", "TRUE"})


@dataclass(frozen=True, slots=True)
class HubAccess:
    """How this machine reaches the hub, and where the hub's own client keeps what it fetched."""

    endpoint: str
    token: str | None = field(repr=False)  # never in a log
    cache: Path
    is_offline: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, token: str | None = None) -> HubAccess:
        """Read the hub's own variables; a token may be given, or lie in a file that `hf auth login` wrote."""
        fallback = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
        home = Path(environment.get("HF_HOME") or fallback).expanduser()
        cache = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE") or home / "hub"
        offline = environment.get("HF_HUB_OFFLINE") or environment.get("TRANSFORMERS_OFFLINE") or ""
        return cls(
            endpoint=(environment.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/"),
            token=token
            or environment.get("HF_TOKEN")
            or _stored_token(Path(environment.get("HF_TOKEN_PATH") or home / "token")),
            cache=Path(cache).expanduser(),
            is_offline=offline.upper() in _TRUE,
        )

    def url(self, source: HubSource, revision: str, file: str) -> str:
        """Return the address of a file."""
        return f"{self.endpoint}/{source.repo}/resolve/{quote(revision, safe='')}/{quote(file)}"


def _stored_token(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").strip() or None
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class _Remote:
    """A file as the hub describes it."""

    commit: str
    checksum: Checksum | None


def fetch_from_hub(
    source: HubSource,
    files: tuple[ModelFile, ...],
    folder: Path,
    *,
    hub: HubAccess,
    patience: Patience,
    arrived: Callable[[str, int], None],
) -> str:
    """Download the files into `folder`, checked, and return the commit they are from.

    Raises `TransferFailed`. What a broken transfer left is continued by the next one.
    """
    commit = source.revision
    for file in files:
        try:
            commit = _fetch(source, commit, file, folder, hub=hub, patience=patience, arrived=arrived)
        except TransferFailed as error:
            if not (file.is_optional and error.status == 404):  # noqa: PLR2004  (not found)
                raise TransferFailed(_explain(error, source, file, hub), status=error.status) from error
    return commit


def _fetch(
    source: HubSource,
    revision: str,
    file: ModelFile,
    folder: Path,
    *,
    hub: HubAccess,
    patience: Patience,
    arrived: Callable[[str, int], None],
) -> str:
    if file.sha256:
        remote = _Remote(revision, Checksum("sha256", file.sha256))
    else:
        remote = _describe(hub.url(source, revision, file.name), hub, patience, revision)
    if remote.checksum is None:
        raise TransferFailed("the hub names no checksum, and none is known")
    target = folder / file.name
    if not (target.exists() and matches(target, remote.checksum)):
        part = folder / f"{file.name}.{remote.checksum.digest[:16]}.part"
        url = hub.url(source, remote.commit, file.name)
        _fetch_checked(url, part, remote.checksum, hub, patience, lambda size: arrived(file.name, size))
        part.replace(target)
    return remote.commit


def _fetch_checked(
    url: str, part: Path, checksum: Checksum, hub: HubAccess, patience: Patience, arrived: Callable[[int], None]
) -> None:
    from wortlaut.models.download import download  # slow to load, and seldom needed  # noqa: PLC0415

    was_begun = part.exists()
    _with_or_without_token(
        hub.token, lambda token: download(url, part, token=token, patience=patience, arrived=arrived)
    )
    if matches(part, checksum):
        return
    part.unlink()
    if not was_begun:
        raise TransferFailed("what arrived has the wrong checksum and was thrown away")
    _fetch_checked(url, part, checksum, hub, patience, arrived)  # the old beginning may be to blame: once more


def _describe(url: str, hub: HubAccess, patience: Patience, revision: str) -> _Remote:
    from wortlaut.models.download import describe  # slow to load, and seldom needed  # noqa: PLC0415

    answer = _with_or_without_token(hub.token, lambda token: describe(url, token=token, patience=patience))
    etag = answer.header("X-Linked-Etag") or answer.header("ETag") or ""
    return _Remote(answer.header("X-Repo-Commit") or revision, _checksum_from_etag(etag))


def _with_or_without_token(token: str | None, call: Callable[[str | None], Result]) -> Result:
    """Try again without the token if it is refused: an expired one must not bar the way to public models."""
    try:
        return call(token)
    except TransferFailed as error:
        if token is None or error.status != 401:  # noqa: PLR2004  (unauthorized)
            raise
    return call(None)


def _checksum_from_etag(etag: str) -> Checksum | None:
    digest = etag.removeprefix("W/").strip('"').lower()
    if re.fullmatch(r"[0-9a-f]{64}", digest):
        return Checksum("sha256", digest)
    if re.fullmatch(r"[0-9a-f]{40}", digest):
        return Checksum("git-blob", digest)
    return None


def _explain(error: TransferFailed, source: HubSource, file: ModelFile, hub: HubAccess) -> str:
    page = f"{hub.endpoint}/{source.repo}"
    match error.status:
        case 401:
            return f"{page} does not exist or needs a token: set HF_TOKEN (HTTP 401)"
        case 403:
            return f"access is restricted: accept the terms on {page} and set HF_TOKEN (HTTP 403)"
        case 404:
            return f"{page} has no {file.name} at {source.revision} (HTTP 404)"
        case _:
            return f"{file.name}: {error.reason}"


def find_in_hub_cache(source: HubSource, files: tuple[ModelFile, ...], cache: Path) -> dict[str, Path] | None:
    """Return where the hub's own client keeps the files, if all are there and have the right checksum.

    Layout: models--ORG--NAME/snapshots/COMMIT/FILE links to blobs/CHECKSUM, refs/BRANCH holds a commit.
    """
    repo = cache / f"models--{source.repo.replace('/', '--')}"
    snapshot = repo / "snapshots" / _commit_of(repo, source.revision)
    if not snapshot.is_dir():
        return None
    found = {file.name: snapshot / file.name for file in files if (snapshot / file.name).is_file()}
    if any(file.name not in found and not file.is_optional for file in files):
        return None
    return found if all(_is_genuine(found[file.name], file) for file in files if file.name in found) else None


def _commit_of(repo: Path, revision: str) -> str:
    try:
        return (repo / "refs" / revision).read_text("utf-8").strip()
    except (OSError, ValueError):
        return revision


def _is_genuine(path: Path, file: ModelFile) -> bool:
    blob = path.resolve()
    checksum = Checksum("sha256", file.sha256) if file.sha256 else _checksum_from_etag(blob.name)
    return checksum is not None and matches(blob, checksum)
