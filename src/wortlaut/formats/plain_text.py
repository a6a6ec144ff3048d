"""Text that cannot break a format made of lines."""

from __future__ import annotations

import re

_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"  # line breaks, tabs and what has no place in a text file (nor in XML)
_CONTROL_RUN = re.compile(rf" *[{_CONTROLS}][ {_CONTROLS}]*")
_NO_CHARACTERS = re.compile(r"[\ud800-\udfff\ufffe\uffff]")  # halves of a UTF-16 pair, and two that never are text
_BYTE_ORDER_MARK = "\ufeff"


def one_line(text: str) -> str:
    """Put text on one line that UTF-8 and XML can hold.

    Line breaks, tabs and other control characters become one space, what is no character becomes U+FFFD, and
    byte order marks go. Marks of writing direction stay: they are part of the text.
    """
    text = _NO_CHARACTERS.sub("\ufffd", text.replace(_BYTE_ORDER_MARK, ""))
    return _CONTROL_RUN.sub(" ", text).strip()


def one_token(text: str, *, missing: str) -> str:
    """Put text into one field of a table that spaces separate; `missing` where nothing is left."""
    return re.sub(r"\s+", "_", one_line(text)) or missing


def text_file(lines: list[str]) -> bytes:
    r"""Return UTF-8 without a byte order mark, each line ended by `\n` on every system."""
    return "".join(f"{line}\n" for line in lines).encode()
