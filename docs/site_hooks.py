"""What the site does differently from the pages as they lie in the repository."""

from __future__ import annotations

import re
from typing import Any

OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./[^)]+|decisions/)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401 mkdocs gives page, config and files
    """Turn links to what is not on the site, such as ../bench, into plain text."""
    return OUTSIDE.sub(r"\1", markdown)
