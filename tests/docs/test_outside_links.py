"""Links to other places: all of them are known here, well formed, and, where there is a network, answered."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")]
ADDRESS = re.compile(r"https?://[^\s<>\"'`)\]}|]+")

LINKS = {
    "http://www.apache.org/licenses/LICENSE-2.0": "the text of the licence, as the licence itself writes it",
    "https://github.com/alibaba-damo-academy/3D-Speaker": "where CAM++ comes from",
    "https://github.com/allo-media/text2num": "what the extra `numerals` brings",
    "https://huggingface.co/pyannote/segmentation-3.0": "terms of pyannote",
    "https://huggingface.co/pyannote/speaker-diarization-3.1": "terms of pyannote",
    "https://huggingface.co/pyannote/speaker-diarization-community-1": "terms of pyannote",
    "https://huggingface.co/settings/tokens": "where tokens are made",
    "https://tus.io": "the protocol of uploads that can be resumed",
}
"""Every address outside that a page names, and what for."""

FORBIDDEN_TO_PROGRAMS = {401, 403, 405, 429}
"""Answers of a page that is there and is not for programs, or for people who have logged in."""

OURS = re.compile(r"^(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|host|\.*|.*(?:\.example|\.local)|\{.*)$", re.IGNORECASE)
"""Hosts that stand for the reader's own machine, or for something to be filled in."""


def addresses() -> set[str]:
    found = {match.rstrip(".,;:\\*") for text in TEXTS for match in ADDRESS.findall(text.read_text(encoding="utf-8"))}
    return {one for one in found if not OURS.match(urllib.parse.urlsplit(one.replace("{", "")).hostname or "")}


def test_every_link_outside_is_known() -> None:
    assert addresses() == set(LINKS)


@pytest.mark.parametrize("link", LINKS)
def test_a_link_is_well_formed(link: str) -> None:
    parts = urllib.parse.urlsplit(link)
    assert parts.scheme == "https" or LINKS[link].endswith("writes it")
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc)
    assert not parts.query
    assert parts.path == urllib.parse.quote(parts.path)


@pytest.mark.slow
@pytest.mark.parametrize("link", LINKS)
def test_a_link_is_answered(link: str) -> None:
    request = urllib.request.Request(link, method="HEAD", headers={"User-Agent": "Mozilla/5.0"})
    try:
        urllib.request.urlopen(request, timeout=20).close()
    except urllib.error.HTTPError as error:
        if error.code not in FORBIDDEN_TO_PROGRAMS:
            pytest.fail(f"{link}: {error.code}")
    except OSError as error:
        pytest.skip(f"cannot be reached from here: {error}")
