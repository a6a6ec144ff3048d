"""Find every text that people may read: what a raised error, a notice, a finding or an option's help can say.

Texts are found by reading the source, so that a text without a translation is found without being printed. An f-string
becomes a template with numbered gaps: f"There is no {name}." is "There is no {0}."
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import wortlaut

SOURCE = Path(wortlaut.__file__).parent
MESSAGE_OF = {
    "Notice": 1,
    "say": 0,
    "echo": 0,
    "_optional": 0,
    "_notice": 2,
    "_corrupt": 1,
    "Finding": 3,
    "translate": 0,
    "console": 0,
}
"""Callables beside the errors that take a text for people, and the position of that text."""
TEXT_KEYWORDS = ("message", "hint", "help", "detail", "next_step")
FREE = {"translate"}
"""Callables that are given texts from elsewhere as well, where they have been found already."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Text:
    """A template, and where it stands. `template` None: the place holds something that cannot be read off."""

    template: str | None
    place: str


@cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))}


@cache
def error_names() -> frozenset[str]:
    """Names of all classes that descend from WortlautError, however far."""
    bases = {
        node.name: {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"WortlautError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return frozenset(found)


def texts() -> Iterator[Text]:
    for path, tree in trees().items():
        for template, line in _of_module(tree):
            yield Text(template, f"{path.relative_to(SOURCE)}:{line}")


def _of_module(tree: ast.Module) -> Iterator[tuple[str | None, int]]:
    for scope, node in _with_scopes(tree, tree):
        if isinstance(node, ast.ClassDef) and node.name in error_names():
            yield from ((text, node.lineno) for text in _of_class(node))
        if isinstance(node, ast.Call):
            for argument in _arguments(node):
                yield from ((text, argument.lineno) for text in _templates(argument, scope))


def _with_scopes(node: ast.AST, scope: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        yield scope, child
        yield from _with_scopes(child, child if isinstance(child, Function) else scope)


def _of_class(node: ast.ClassDef) -> Iterator[str | None]:
    if docstring := ast.get_docstring(node):
        yield docstring.partition("\n")[0]
    for statement in node.body:
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        target = statement.targets[0] if isinstance(statement, ast.Assign) else target
        if getattr(target, "id", "") == "default_hint" and statement.value:
            yield from _templates(statement.value, node)


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    position = 0 if name in error_names() else MESSAGE_OF.get(name)
    if position is None and name not in {"Option", "Argument", "Typer"}:
        return
    given = (
        call.args[position:]
        if name == "Finding"
        else call.args[position : position + 1]
        if position is not None
        else []
    )
    if name not in FREE or isinstance(given[0], ast.Constant | ast.JoinedStr):
        yield from given
    yield from (keyword.value for keyword in call.keywords if keyword.arg in TEXT_KEYWORDS)


def _templates(node: ast.expr, scope: ast.AST) -> Iterable[str | None]:
    match node:
        case ast.Constant(value=str(text)):
            yield text.replace("{", "{{").replace("}", "}}")
        case ast.JoinedStr():
            yield _template(node)
        case ast.IfExp():
            yield from (*_templates(node.body, scope), *_templates(node.orelse, scope))
        case ast.BoolOp():
            yield from (text for value in node.values for text in _templates(value, scope))
        case ast.BinOp(op=ast.Add()):
            yield _sum(node)
        case ast.Name():
            yield from _assigned(node.id, scope)
        case _:
            yield None


def _sum(node: ast.BinOp) -> str:
    """Read an addition as an f-string: what is no plain text in it is a gap."""
    parts = [node.right]
    while isinstance(node.left, ast.BinOp):
        node = node.left
        parts.append(node.right)
    values = [part for each in reversed([*parts, node.left]) for part in getattr(each, "values", [each])]
    return _template(ast.JoinedStr(values))


def _template(node: ast.JoinedStr) -> str:
    gaps = iter(range(len(node.values)))
    parts = [
        str(part.value).replace("{", "{{").replace("}", "}}") if isinstance(part, ast.Constant) else f"{{{next(gaps)}}}"
        for part in node.values
    ]
    return "".join(parts)


def _assigned(name: str, scope: ast.AST) -> list[str | None]:
    values = [
        node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets)
    ]
    return [text for value in values for text in _templates(value, scope)] or [None]


@pytest.fixture(scope="session")
def english_sentences() -> frozenset[str]:
    """Whatever the source can say, without what is only layout."""
    templates = (inspect.cleandoc(text.template) for text in texts() if text.template)
    return frozenset(template for template in templates if re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", template)))


@pytest.fixture(scope="session")
def all_strings() -> frozenset[str]:
    """Every string of the source, whatever it is for."""
    nodes = [node for tree in trees().values() for node in ast.walk(tree)]
    found = {text for node in nodes if isinstance(node, ast.expr) for text in _templates(node, node)}
    docstrings = {
        ast.get_docstring(node) or "" for node in nodes if isinstance(node, Function | ast.ClassDef | ast.Module)
    }
    return frozenset({*filter(None, found), *docstrings, *(text.partition("\n")[0] for text in docstrings)})
