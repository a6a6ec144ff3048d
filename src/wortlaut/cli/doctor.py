"""`wortlaut doctor`: whether it will work here, and if not, what is to be done."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wortlaut.diagnosis.checkup import examine, exit_code
from wortlaut.diagnosis.finding import Finding, Installation
from wortlaut.diagnosis.imports import service_packages
from wortlaut.diarization.pyannote.token import find_token
from wortlaut.localization.choice import translator

if TYPE_CHECKING:
    from wortlaut.settings import Settings

STYLES = {"ok": "green", "note": "yellow", "problem": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON.")] = False,
) -> None:
    """Look whether Wortlaut will work on this machine, and say what to do where it will not.

    Ends with exit code 0 if it will, 1 if something prevents a transcript with speakers.
    """
    findings = look()
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False) + "\n")
    else:
        show(findings, Console(soft_wrap=False))
    raise typer.Exit(exit_code(findings))


def look() -> list[Finding]:
    """Examine this installation; settings that cannot be read are a finding, and then the defaults are examined."""
    from wortlaut.settings import Settings, config_file  # noqa: PLC0415 pydantic is slow to load, and only needed here

    try:
        return examine(installation_from(Settings()))
    except ValueError as error:  # pydantic's ValidationError and TOMLDecodeError are ValueErrors
        detail = explain(error)
    advice = f"Correct the WORTLAUT_... variable or {config_file()}."
    defaults = Installation(Settings.model_construct().models_dir, Path(tempfile.gettempdir()))
    return [Finding("settings", "settings", "problem", detail, advice), *examine(defaults)]


def is_about_settings(error: ValueError) -> bool:
    """Whether an error is what comes of reading the settings."""
    from pydantic import ValidationError  # noqa: PLC0415 as above

    return isinstance(error, ValidationError | tomllib.TOMLDecodeError)


def explain(error: ValueError) -> str:
    """Say which setting is wrong, without its value: it may be a secret."""
    from pydantic import ValidationError  # noqa: PLC0415 as above

    if not isinstance(error, ValidationError):
        return str(error)
    mistakes: list[Any] = error.errors(include_input=False)
    translate = translator().translate
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {translate(one['msg'])}" for one in mistakes)


def installation_from(settings: Settings) -> Installation:
    """Say where to look."""
    return Installation(
        models_dir=settings.models_dir,
        temporary_dir=settings.spool_dir or Path(tempfile.gettempdir()),
        is_offline=settings.is_offline,
        device=settings.device,
        token=find_token(settings.hf_token.get_secret_value() if settings.hf_token else None),
        endpoint=(os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/"),
        service_dir=_service_dir(),
    )


def _service_dir() -> Path | None:
    """Return the data folder of the service; None where it, or what is set for it, cannot be loaded."""
    try:
        from wortlaut.jobs.settings import JobSettings  # noqa: PLC0415 of no use without the extra

        return JobSettings().data_dir if service_packages() else None
    except (ImportError, ValueError):
        return None


def show(findings: Sequence[Finding], console: Console) -> None:
    """Draw the table, then what to do, then one line that says it all."""
    translate = translator().translate
    table = Table("", translate("area"), translate("what"), translate("found"), box=None, pad_edge=False)
    for finding in findings:
        state = f"[{STYLES[finding.state]}]{translate(finding.state)}[/]"
        table.add_row(state, escape(translate(finding.area)), escape(finding.name), escape(translate(finding.detail)))
    console.print(table)
    for finding in findings:
        if finding.next_step:
            console.print(f"\n[{STYLES[finding.state]}]{escape(finding.name)}[/]: {escape(translate(finding.detail))}")
            console.print(f"  {escape(translate(finding.next_step))}", soft_wrap=True)
    style = STYLES["problem" if any(finding.state == "problem" for finding in findings) else "ok"]
    console.print(f"\n[{style}]{escape(translate(verdict(findings)))}[/]")


def verdict(findings: Sequence[Finding]) -> str:
    """Answer the question."""
    problems = sum(finding.state == "problem" for finding in findings)
    if not problems:
        return "Wortlaut will work here."
    if problems == 1:
        return "Wortlaut will not work here until the problem above is solved."
    return f"Wortlaut will not work here until the {problems} problems above are solved."
