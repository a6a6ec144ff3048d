"""Write the reference of the service, in English and German, from what the code says (`make docs`).

Routes, parameters, settings and errors. German comes from the catalogue of messages; from `GERMAN`, what only this page
says. The English text is the key to both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from wortlaut.jobs.errors import all_errors
from wortlaut.localization.catalog import catalog
from wortlaut.server.app import create_app
from wortlaut.server.parameters import ALIASES, ALWAYS_SO
from wortlaut.server.problems import status_of
from wortlaut.server.settings import ServiceSettings
from wortlaut.server.wyoming import PortTaken

assert PortTaken  # is loaded only where Wyoming is switched on, and is to be told here all the same

DOCS = Path(__file__).parent
PAGES = {"en": DOCS / "service-reference.md", "de": DOCS / "service-reference.de.md"}

Say = Callable[[str], str]
"""From an English text to the same in the language of the page."""

OPENING = """# The service: reference

Made by `make docs` from the code; do not edit. How to use all this: [the service](service.md), [its
clients](service-clients.md), [operations](service-operations.md). The same for programs: `/openapi.json`.
"""

HEAD_OF_PARAMETERS = "| parameter | where | kind | |\n|---|---|---|---|"
HEAD_OF_SPELLINGS = "| meaning | spellings |\n|---|---|"
HEAD_OF_SETTINGS = "| setting | default | |\n|---|---|---|"
HEAD_OF_ERRORS = "| code | status | |\n|---|---|---|"

ABOUT_SPELLINGS = (
    "Parameters may stand in the query or in the form, under the name that the client's own API gives them.\n"
)
ACCEPTED = "Accepted without effect, because it is always so: "
ANY_OTHER = "Any other is named in `warnings`."
ABOUT_SETTINGS = """\
From the environment, or without `WORTLAUT_` and in lower case from `config.toml`. Those of transcription
itself (device, threads, where models lie) hold too: [settings](settings.md).
"""

GERMAN = {
    OPENING: """# Der Dienst: Nachschlagen

Von `make docs` aus dem Quelltext geschrieben; nicht von Hand ändern. Wie man all das benutzt: [der Dienst](service.md),
[seine Clients](service-clients.md), [Betrieb](service-operations.md). Dasselbe für Programme: `/openapi.json`.
""",
    "Routes": "Routen",
    "Spellings": "Schreibweisen",
    "Settings": "Einstellungen",
    "Errors": "Fehler",
    HEAD_OF_PARAMETERS: "| Parameter | wo | Art | |\n|---|---|---|---|",
    HEAD_OF_SPELLINGS: "| Bedeutung | Schreibweisen |\n|---|---|",
    HEAD_OF_SETTINGS: "| Einstellung | Vorgabe | |\n|---|---|---|",
    HEAD_OF_ERRORS: "| Kürzel | Status | |\n|---|---|---|",
    ABOUT_SPELLINGS: """\
Parameter dürfen in der Adresse oder im Formular stehen, unter dem Namen, den ihnen die Schnittstelle des Clients gibt.
""",
    ACCEPTED: "Ohne Wirkung angenommen, weil es immer so ist: ",
    ANY_OTHER: "Jeder andere wird in `warnings` genannt.",
    ABOUT_SETTINGS: """\
Aus der Umgebung, oder ohne `WORTLAUT_` und klein geschrieben aus `config.toml`. Es gelten auch die der
Transkription selbst (Gerät, Threads, wo die Modelle liegen): [Einstellungen](settings.md).
""",
    "query": "Adresse",
    "path": "Pfad",
    "header": "Kopfzeile",
    "body": "Inhalt",
    "query or form": "Adresse oder Formular",
    "string": "Text",
    "integer": "ganze Zahl",
    "number": "Zahl",
    "boolean": "Wahrheitswert",
    "file": "Datei",
    "several of: ": "mehrere von: ",
    "the user's data folder": "der Datenordner des Benutzers",
    "`objects` in the data folder": "`objects` im Datenordner",
    "Root": "Wurzel",
    "Health": "Gesundheit",
    "Ready": "Bereit",
    "Metrics": "Messwerte",
    "Model": "Modell",
    "Models": "Modelle",
    "Transcribe": "Transkribieren",
    "Transcribe And Diarize": "Transkribieren, mit Sprechern",
    "Transcriptions": "Transkriptionen",
    "Translations": "Übersetzungen",
    "Detect Language": "Sprache erkennen",
}
"""What this page says and the program does not; titles of routes that FastAPI has made of names."""

TELLING = ("wortlaut.errors", "wortlaut.storage", "wortlaut.jobs.", "wortlaut.server.")
"""Rooms whose errors reach a caller; which others are loaded depends on who asks."""

CHOSEN_AT_START = {
    "data_dir": "the user's data folder",
    "storage_url": "`objects` in the data folder",
    "database_url": "",
    "webhook_secret": "",
}
"""Defaults that are no constants, or none."""


def page(language: str) -> str:
    """Return the whole page."""
    say = _speaker(language)
    parts = [say(OPENING), *_routes(say), *_parameters(say), *_settings(say), *_errors(say)]
    return "\n".join(parts) + "\n"


def _speaker(language: str) -> Say:
    own = GERMAN if language == "de" else {}
    return lambda text: own.get(text) or catalog(language).translate(text)


def _routes(say: Say) -> Iterator[str]:
    yield f"## {say('Routes')}\n"
    for path, methods in create_app(ServiceSettings()).openapi()["paths"].items():
        for method, route in methods.items():
            yield f"### `{method.upper()} {path}`\n"
            yield f"{_sentence(say(route['summary']))} {' '.join(say(route.get('description', '')).split())}\n"
            rows = [*_of_request(route, say), *_of_form(route, say)]
            if rows:
                yield say(HEAD_OF_PARAMETERS)
                yield "\n".join(rows) + "\n"


def _sentence(title: str) -> str:
    return title if title.endswith("?") else f"{title}."


def _of_request(route: Mapping[str, Any], say: Say) -> Iterator[str]:
    for each in route.get("parameters", []):
        kind, description = _kind(each["schema"], say), say(each.get("description", ""))
        yield f"| `{each['name']}` | {say(each['in'])} | {kind} | {description} |"


def _of_form(route: Mapping[str, Any], say: Say) -> Iterator[str]:
    for media_type, body in route.get("requestBody", {}).get("content", {}).items():
        for name, schema in body["schema"].get("properties", {}).items():
            kind, description = _kind(schema, say), say(schema.get("description", ""))
            yield f"| `{name}` | {say('query or form')} | {kind} | {description} |"
        if "properties" not in body["schema"]:
            yield f"| | {say('body')} | `{media_type}` | |"


def _kind(schema: Mapping[str, Any], say: Say) -> str:
    kinds = [schema, *schema.get("anyOf", [])]
    if values := next((each["enum"] for each in kinds if "enum" in each), None):
        return ", ".join(str(each) for each in values if each)
    if items := schema.get("items"):
        return say("several of: ") + _kind(items, say)
    kind = next(each["type"] for each in kinds if each.get("type", "null") != "null")
    return say("file" if schema.get("format") == "binary" else str(kind))


def _parameters(say: Say) -> Iterator[str]:
    yield f"## {say('Spellings')}\n"
    yield say(ABOUT_SPELLINGS)
    yield say(HEAD_OF_SPELLINGS)
    for meaning, spellings in ALIASES.items():
        yield f"| {meaning} | {', '.join(f'`{each}`' for each in spellings)} |"
    silent = ", ".join(f"`{each}`" for each in sorted(ALWAYS_SO))
    yield f"\n{say(ACCEPTED)}{silent}. {say(ANY_OTHER)}\n"


def _settings(say: Say) -> Iterator[str]:
    yield f"## {say('Settings')}\n"
    yield say(ABOUT_SETTINGS)
    yield say(HEAD_OF_SETTINGS)
    for name, field in ServiceSettings.model_fields.items():
        yield f"| {_names(name, field)} | {say(_default(name, field))} | {say(field.description or '')} |"
    yield ""


def _names(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    names = [str(each) for each in getattr(alias, "choices", ())] or [f"WORTLAUT_{name.upper()}"]
    return ", ".join(f"`{each}`" for each in names)


def _default(name: str, field: FieldInfo) -> str:
    if name in CHOSEN_AT_START or field.default is PydanticUndefined:
        return CHOSEN_AT_START[name]
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def _errors(say: Say) -> Iterator[str]:
    yield f"## {say('Errors')}\n"
    yield say(HEAD_OF_ERRORS)
    ours = {kind for kind in all_errors() if kind.__module__.startswith(TELLING)}
    for error in sorted((kind() for kind in ours), key=lambda each: (status_of(each), each.code)):
        yield f"| `{error.code}` | {int(status_of(error))} | {say(error.message)} {say(error.hint)} |"


if __name__ == "__main__":
    for each, path in PAGES.items():
        path.write_text(page(each), "utf-8")
