"""Measure sets, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wortlaut.errors import InputError
from wortlaut.evaluation.observing import SubjectFactory, observe
from wortlaut.evaluation.plan import Plan, warm_up
from wortlaut.evaluation.scoring import FileScore, score
from wortlaut.evaluation.sets import EvaluationSet, find_sets, load_set
from wortlaut.evaluation.summary import ABOUT, file_figures, summarize


@dataclass(frozen=True, slots=True)
class SetResult:
    """A measured set: its figures as plain values, and what they were made from."""

    name: str
    figures: dict[str, Any]
    scores: tuple[FileScore, ...]


def evaluate(
    evaluation_set: EvaluationSet, factory: SubjectFactory, plan: Plan, *, advance: Callable[[], None] = lambda: None
) -> SetResult:
    """Measure one set with a subject of its own. Raises `InputError` for an empty set."""
    if not evaluation_set.items:
        raise InputError(f"The set {evaluation_set.name} is empty.")
    tasks = [plan.task(item) for item in evaluation_set.items]
    observed = observe(tasks, factory, warm_up=warm_up(evaluation_set), advance=advance)
    scores = tuple(
        score(item, observation, task.options)
        for item, observation, task in zip(evaluation_set.items, observed.observations, tasks, strict=True)
    )
    return SetResult(evaluation_set.name, summarize(scores, observed), scores)


def steps(evaluation_set: EvaluationSet, plan: Plan) -> int:
    """Return how often `evaluate` will call `advance`: warming up, transcribing, aligning the true text."""
    return 1 + len(evaluation_set.items) + sum(plan.task(item).text is not None for item in evaluation_set.items)


def load_sets(folders: Iterable[Path], limit: int | None = None) -> list[EvaluationSet]:
    """Read all sets before the first is measured, so that a wrong path is known at once."""
    return [load_set(folder).limited(limit) for folder in find_sets(folders)]


def as_json(results: Iterable[SetResult]) -> dict[str, Any]:
    """Return `{"sets": {name: figures}, "per_file": {name: [figures]}, "about": {figure: meaning}}`."""
    kept = list(results)
    return {
        "sets": {result.name: result.figures for result in kept},
        "per_file": {result.name: [file_figures(entry) for entry in result.scores] for result in kept},
        "about": ABOUT,
    }
