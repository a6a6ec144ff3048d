"""Options of a command in groups: typer wants one flat list of parameters, people want to read them by purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints

Command = Callable[..., None]


def grouped(command: Command) -> Command:
    """Let a command take dataclasses: each of their fields becomes an option under the field's name.

    The fields are annotated as typer's parameters are, and their defaults are those of the options.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @wraps(command)
    def flat(**given: object) -> None:
        made = {
            name: group(**{each.name: given.pop(each.name) for each in fields(group)}) for name, group in groups.items()
        }
        command(**given, **made)

    parameters = list(_flat_parameters(command, hints))
    flat.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": None}
    vars(flat)["__signature__"] = Signature(parameters)
    return flat


def _flat_parameters(command: Command, hints: Mapping[str, Any]) -> Iterator[Parameter]:
    for name, parameter in signature(command).parameters.items():
        kind = hints[name]
        if not is_dataclass(kind):
            yield Parameter(name, Parameter.KEYWORD_ONLY, default=parameter.default, annotation=kind)
            continue
        inner = get_type_hints(kind, include_extras=True)
        for each in fields(kind):
            default = Parameter.empty if each.default is MISSING else each.default
            yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=inner[each.name])
