"""May pyannote's models be had? Asked before hours of work, answered with the page to visit.

The models are downloaded here and handed to pyannote as local files. pyannote.audio 3 cannot download with
huggingface_hub 1 or later (`use_auth_token` is gone), pyannote.audio 4 waits 23 s for a hub that is not there, and
neither says which of the three usual reasons it was.
"""

from __future__ import annotations

import http.client
import importlib
import importlib.metadata
import logging
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wortlaut.diarization.pyannote.deadline import DeadlinePassed, within
from wortlaut.diarization.pyannote.files import HUB_PIPELINES, HubFile, HubPipeline, PipelineFiles, files_in
from wortlaut.diarization.pyannote.token import NoRedirect, Token
from wortlaut.errors import (
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

log = logging.getLogger(ANNOUNCEMENTS)

HUB_PAGES = "https://huggingface.co"
"""Where people accept terms, also when files come from a mirror."""

ANSWER_SECONDS = 10.0
"""A hub that has not said in this time whether a file may be had is treated as unreachable."""

FILE_SECONDS = 600.0
"""Time for one file: the largest has 27 MB, so even 50 kB/s will do."""

OLDEST = {"pyannote.audio": (3, 3, 2), "torch": (2, 6)}
"""The oldest supported: 2.6 is the first torch that can be told exactly which globals to allow."""

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404


@dataclass(frozen=True, slots=True)
class PipelineAccess:
    """The way to a pipeline: a name out of `HUB_PIPELINES`, or a local folder, and the token to get it with.

    `cache_dir` None: the hub library's own cache, shared with other programs. `endpoint` None: the public hub, or
    the mirror in HF_ENDPOINT.
    """

    source: str
    token: Token | None = None
    is_offline: bool = False
    cache_dir: Path | None = None
    endpoint: str | None = None
    answer_seconds: float = ANSWER_SECONDS
    file_seconds: float = FILE_SECONDS

    def preflight(self) -> None:
        """Raise what would later stop the diarizer; return if it can be loaded, now or after a download.

        Nothing is downloaded, and what is on this machine needs no network. Raises `ExtraMissing`, `UnknownModel`,
        `ModelMissing` (offline), `TokenMissing`, `TokenRejected`, `TermsNotAccepted` or `DownloadFailed`.
        """
        if Path(self.source).is_dir():
            require_packages()
            files_in(Path(self.source))
            return
        pipeline = self._pipeline()
        require_packages(pipeline)
        if self._cached(pipeline) is None:
            self._ask(pipeline, self._required_token(pipeline))

    def fetch(self) -> PipelineFiles:
        """Return the files, downloaded if they are not here yet. Raises like `preflight`."""
        if Path(self.source).is_dir():
            return files_in(Path(self.source))
        pipeline = self._pipeline()
        cached = self._cached(pipeline)
        if cached is not None:
            return cached
        token = self._required_token(pipeline)
        self._ask(pipeline, token)
        log.info("%s", announcement(pipeline, self.cache_dir or Path(_hub().constants.HF_HUB_CACHE)))
        return _arranged(pipeline, lambda file: self._download(file, token))

    def _pipeline(self) -> HubPipeline:
        if self.source not in HUB_PIPELINES:
            raise UnknownModel(
                f"{self.source} is neither a folder nor a pyannote pipeline that is supported.",
                hint=f"Supported are {' and '.join(HUB_PIPELINES)}, or a folder with a config.yaml.",
            )
        return HUB_PIPELINES[self.source]

    def _cached(self, pipeline: HubPipeline) -> PipelineFiles | None:
        hub = _hub()
        places = {
            file: hub.try_to_load_from_cache(file.repository, file.path, cache_dir=self.cache_dir)
            for file in pipeline.files
        }
        if not all(isinstance(place, str) for place in places.values()):
            return None
        return _arranged(pipeline, lambda file: Path(str(places[file])))

    def _required_token(self, pipeline: HubPipeline) -> Token:
        if self.is_offline:
            raise ModelMissing(
                f"{pipeline.name} is not on this machine, and the network is not to be used.",
                hint="Fetch it once online, or give the folder of a copy.",
            )
        if self.token is None:
            raise TokenMissing(
                f"{pipeline.name} can only be had with a token of the model hub, and there is none.",
                hint=f"{TokenMissing.default_hint} The terms are accepted at {_pages(pipeline.gated)}.",
            )
        return self.token

    def _ask(self, pipeline: HubPipeline, token: Token) -> None:
        """Ask for one file of each gated repository; name all whose terms are not accepted at once."""
        closed = [file for file in pipeline.gated if not self._is_granted(file, token)]
        if closed:
            raise TermsNotAccepted(
                f"The terms of {' and '.join(file.repository for file in closed)} have not been accepted.",
                hint=f"Accept them at {_pages(closed)}, logged in as the owner of the token.",
            )

    def _is_granted(self, file: HubFile, token: Token) -> bool:
        """Return whether the terms are accepted. Raises if something else is in the way."""
        endpoint = self.endpoint or os.environ.get("HF_ENDPOINT") or HUB_PAGES
        url = f"{endpoint.rstrip('/')}/{file.repository}/resolve/main/{file.path}"
        try:
            answer = within(self.answer_seconds, lambda: _head(url, token, self.answer_seconds))
        except (DeadlinePassed, OSError, http.client.HTTPException):
            # Not chained: the request, with its token, would be part of the traceback.
            raise _unreachable(url) from None
        if answer.is_gate:
            return False
        _raise_for(answer.status, file)
        return True

    def _download(self, file: HubFile, token: Token) -> Path:
        hub = _hub()

        def download() -> str:
            path: str = hub.hf_hub_download(
                file.repository,
                file.path,
                cache_dir=self.cache_dir,
                endpoint=self.endpoint,
                token=token.reveal() if file.is_gated else False,
                library_name="wortlaut",
            )
            return path

        try:
            return Path(within(self.file_seconds, download))
        except (DeadlinePassed, OSError, hub.errors.HfHubHTTPError, hub.errors.LocalEntryNotFoundError) as error:
            # Not chained: the request, with its token, would be part of the traceback.
            raise _download_error(error, file) from None


def announcement(pipeline: HubPipeline, folder: Path) -> str:
    """Return what is said before the download, a sentence a line."""
    size = f"{pipeline.size_bytes / 1e6:.0f} MB"
    return "\n".join(
        (
            "What is not on this machine yet is fetched now, once:",
            f"  {pipeline.name} (speakers, {size})",
            f"{size} come from the model hub; they go to {folder} (HF_HOME changes that).",
            "After that no network is needed.",
            "Without it the built-in diarizer tells the speakers apart (leave out --diarizer).",
        )
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the hub said to a question for a file. `is_gate`: terms stand before it."""

    status: int
    is_gate: bool


def _head(url: str, token: Token, seconds: float) -> _Answer:
    headers = {"Authorization": f"Bearer {token.reveal()}", "User-Agent": "wortlaut"}
    request = urllib.request.Request(url, method="HEAD", headers=headers)  # noqa: S310 the hub's address
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=seconds) as response:
            return _Answer(response.status, is_gate=False)
    except urllib.error.HTTPError as error:
        with error:
            is_gate = error.code == FORBIDDEN and error.headers.get("X-Error-Code") == "GatedRepo"
            return _Answer(error.code, is_gate)


def _raise_for(status: int, file: HubFile) -> None:
    if status == UNAUTHORIZED:
        raise TokenRejected
    if status == FORBIDDEN:
        raise TokenRejected(
            f"The token may not read {file.repository}.",
            hint=f"{TokenRejected.default_hint} A fine-grained token needs the permission to read public gated models.",
        )
    if status == NOT_FOUND:
        raise UnknownModel(
            f"The model hub has no {file.path} in {file.repository}.",
            hint=f"Look at {_pages([file])}: it has moved, or is hidden from the owner of the token.",
        )
    if status >= UNAUTHORIZED:
        raise DownloadFailed(f"The model hub answered {status} for {file.repository}.")


def _hub() -> Any:  # noqa: ANN401 a module that only the extra brings for sure
    """Return the hub's own client, which fills the cache that all programs share."""
    try:
        importlib.import_module("huggingface_hub.errors")
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ExtraMissing("huggingface_hub is not installed.", hint="pip install 'wortlaut[pyannote]'") from error


def _download_error(error: Exception, file: HubFile) -> WortlautError:
    errors = _hub().errors
    if isinstance(error, errors.GatedRepoError):
        return TermsNotAccepted(
            f"The terms of {file.repository} have not been accepted.",
            hint=f"Accept them at {_pages([file])}, logged in as the owner of the token.",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return UnknownModel(f"The model hub has no {file.repository}.")
    return DownloadFailed(f"{file.path} of {file.repository} could not be downloaded ({type(error).__name__}).")


def _unreachable(url: str) -> DownloadFailed:
    host = urllib.parse.urlsplit(url).hostname  # without a password that may stand before it
    return DownloadFailed(
        f"The model hub at {host} does not answer.",
        hint="Check the connection, or take the built-in diarizer, which needs no network.",
    )


def _pages(files: list[HubFile] | tuple[HubFile, ...]) -> str:
    return " and ".join(f"{HUB_PAGES}/{file.repository}" for file in files)


def _arranged(pipeline: HubPipeline, place: Callable[[HubFile], Path]) -> PipelineFiles:
    plda = [place(file) for file in pipeline.plda]
    return PipelineFiles(
        place(pipeline.config),
        place(pipeline.segmentation),
        place(pipeline.embedding),
        plda[0].parent if plda else None,
    )


def require_packages(pipeline: HubPipeline | None = None) -> None:
    """Raise `ExtraMissing` if pyannote.audio or torch is missing or too old. Imports neither."""
    oldest = OLDEST | ({"pyannote.audio": pipeline.minimum_pyannote} if pipeline else {})
    for package, minimum in oldest.items():
        installed = _version(package)
        if installed is None or installed < minimum:
            wanted, there = (".".join(map(str, version or ())) for version in (minimum, installed))
            raise ExtraMissing(
                f"The pyannote diarizer needs {package} {wanted} or later, and {there} is installed."
                if installed
                else f"The pyannote diarizer needs {package} {wanted} or later, which is not installed.",
                hint="Install it with `pip install 'wortlaut[pyannote]'`, or take the built-in diarizer.",
            )


def _version(package: str) -> tuple[int, ...] | None:
    try:
        text = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
    return tuple(int(number) for number in re.findall(r"\d+", text.split("+")[0])[:3])
