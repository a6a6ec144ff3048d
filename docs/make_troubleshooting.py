"""Write the pages that are made from the source: troubleshooting.md, and the same in German.

    python docs/make_troubleshooting.py [--check]      (`make docs`)

`--check` writes nothing and ends with 1 if a page is not what the source says.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import wortlaut
from wortlaut.cli.exits import exit_code
from wortlaut.errors import WortlautError
from wortlaut.localization.catalog import Catalog, catalog

DOCS = Path(__file__).parent
INTRODUCTION = {
    "en": """# Troubleshooting

Every error has a code that stays the same in every language and version. The command line shows it in brackets, with
what to do in the next line; the service answers with `code`, `detail` and `hint`. Two commands help with nearly
everything:

```console
$ wortlaut doctor                         # will it work here, and if not, what to do
$ wortlaut --verbose transcribe talk.mp3  # what is done, with tracebacks
```

What was skipped or guessed is no error: it is in the transcript's `warnings`, with a code of its own
([trust](trust.md)).

<!-- From here on made by docs/make_troubleshooting.py. -->

## Errors by code

| code | exit code | HTTP status | what it means | what to do |
|---|---|---|---|---|
""",
    "de": """# Fehlersuche

Jeder Fehler hat ein Kürzel, das in jeder Sprache und Version gleich bleibt. Die Befehlszeile zeigt es in Klammern, und
in der nächsten Zeile, was zu tun ist; der Dienst antwortet mit `code`, `detail` und `hint`. Zwei Befehle helfen fast
immer:

```console
$ wortlaut doctor                         # läuft es hier, und wenn nicht, was ist zu tun
$ wortlaut --verbose transcribe talk.mp3  # was getan wird, mit Ablaufspuren
```

Was ausgelassen oder geraten wurde, ist kein Fehler: es steht in den `warnings` des Transkripts, mit eigenem Kürzel
([Vertrauen](trust.md)).

<!-- Ab hier von docs/make_troubleshooting.py geschrieben. -->

## Fehler nach Kürzel

| Kürzel | Exit-Code | HTTP-Status | was es heißt | was zu tun ist |
|---|---|---|---|---|
""",
}


def error_classes() -> list[type[WortlautError]]:
    """Return every class of error that somebody may see, by code."""
    for module in pkgutil.walk_packages(wortlaut.__path__, "wortlaut."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    classes = {kind for kind in _below(WortlautError) if "code" in vars(kind)}
    return sorted(classes, key=lambda kind: kind.code)


def _below(kind: type[WortlautError]) -> Iterator[type[WortlautError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def page(language: str) -> str:
    """Return the page in one language."""
    return INTRODUCTION[language] + "".join(_row(kind(), catalog(language)) for kind in error_classes())


def _row(error: WortlautError, texts: Catalog) -> str:
    from wortlaut.server.problems import status_of  # noqa: PLC0415 after the walk through all modules

    cells = [
        f"`{error.code}`",
        str(exit_code(error)),
        str(int(status_of(error))),
        texts.translate(error.message),
        texts.translate(error.hint),
    ]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def main() -> int:
    pages = {DOCS / "troubleshooting.md": page("en"), DOCS / "troubleshooting.de.md": page("de")}
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" not in sys.argv[1:]:
        for path in stale:
            path.write_text(pages[path], encoding="utf-8")
        return 0
    for path in stale:
        sys.stderr.write(f"{path.name} is not what the source says: run `python docs/make_troubleshooting.py`.\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
