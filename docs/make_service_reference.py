"""Write docs/service-reference.md from what the code says: routes, parameters, settings, errors (`make docs`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from wortlaut.jobs.errors import all_errors
from wortlaut.server.app import create_app
from wortlaut.server.parameters import ALIASES, ALWAYS_SO
from wortlaut.server.problems import status_of
from wortlaut.server.settings import ServiceSettings
from wortlaut.server.wyoming import PortTaken

assert PortTaken  # is loaded only where Wyoming is switched on, and is to be told here all the same

PAGE = Path(__file__).with_name("service-reference.md")

OPENING = """# The service: reference

Made by `make docs` from the code; do not edit. How to use all this: [the service](service.md), [its
clients](service-clients.md), [operations](service-operations.md). The same for programs: `/openapi.json`.
"""

TELLING = ("wortlaut.errors", "wortlaut.storage", "wortlaut.jobs.", "wortlaut.server.")
"""Rooms whose errors reach a caller; which others are loaded depends on who asks."""

CHOSEN_AT_START = {
    "data_dir": "the user's data folder",
    "storage_url": "`objects` in the data folder",
    "database_url": "",
    "webhook_secret": "",
}
"""Defaults that are no constants, or none."""


def page() -> str:
    """Return the whole page."""
    parts = [OPENING, *_routes(), *_parameters(), *_settings(), *_errors()]
    return "\n".join(parts) + "\n"


def _routes() -> Iterator[str]:
    yield "## Routes\n"
    for path, methods in create_app(ServiceSettings()).openapi()["paths"].items():
        for method, route in methods.items():
            yield f"### `{method.upper()} {path}`\n"
            yield f"{route['summary']}. {' '.join(route.get('description', '').split())}\n"
            rows = [*_of_request(route), *_of_form(route)]
            if rows:
                yield "| parameter | where | kind | |\n|---|---|---|---|"
                yield "\n".join(rows) + "\n"


def _of_request(route: Mapping[str, Any]) -> Iterator[str]:
    for each in route.get("parameters", []):
        yield f"| `{each['name']}` | {each['in']} | {_kind(each['schema'])} | {each.get('description', '')} |"


def _of_form(route: Mapping[str, Any]) -> Iterator[str]:
    for media_type, body in route.get("requestBody", {}).get("content", {}).items():
        for name, schema in body["schema"].get("properties", {}).items():
            yield f"| `{name}` | query or form | {_kind(schema)} | {schema.get('description', '')} |"
        if "properties" not in body["schema"]:
            yield f"| | body | `{media_type}` | |"


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [schema, *schema.get("anyOf", [])]
    if values := next((each["enum"] for each in kinds if "enum" in each), None):
        return ", ".join(str(each) for each in values if each)
    if items := schema.get("items"):
        return f"several of: {_kind(items)}"
    kind = next(each["type"] for each in kinds if each.get("type", "null") != "null")
    return "file" if schema.get("format") == "binary" else str(kind)


def _parameters() -> Iterator[str]:
    yield "## Spellings\n"
    yield "Parameters may stand in the query or in the form, under the name that the client's own API gives them.\n"
    yield "| meaning | spellings |\n|---|---|"
    for meaning, spellings in ALIASES.items():
        yield f"| {meaning} | {', '.join(f'`{each}`' for each in spellings)} |"
    silent = ", ".join(f"`{each}`" for each in sorted(ALWAYS_SO))
    yield f"\nAccepted without effect, because it is always so: {silent}. Any other is named in `warnings`.\n"


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "From the environment, or without `WORTLAUT_` and in lower case from `config.toml`. Those of transcription"
    yield "itself (device, threads, where models lie) hold too: [settings](settings.md).\n"
    yield "| setting | default | |\n|---|---|---|"
    for name, field in ServiceSettings.model_fields.items():
        yield f"| {_names(name, field)} | {_default(name, field)} | {field.description} |"
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


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "| code | status | |\n|---|---|---|"
    ours = {kind for kind in all_errors() if kind.__module__.startswith(TELLING)}
    for kind in sorted(ours, key=lambda each: (status_of(each()), each.code)):
        yield f"| `{kind.code}` | {int(status_of(kind()))} | {kind().message} {kind().hint} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
