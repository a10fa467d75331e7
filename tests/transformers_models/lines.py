"""What is said of a model, as one JSON line: what was asked, and the problems of each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# What a process that imports the models is asked, and what is asked of their files.
CHECKS = ("imports", "registered", "models", "preprocessors", "checkpoints")
CHECKS_OF_FILES = ("markers", "check-copies", "names", "ruff", "mlinter")


def line_of(
    reference: str, name: str, checks: Mapping[str, Sequence[str]], counts: Mapping[str, int]
) -> dict[str, Any]:
    """A line about a model.

    Args:
        reference: the reference's folder below `models`.
        name: the new model's.
        checks: what was asked -> the problems.
        counts: how often what came of it.
    """
    return with_checks(
        {"reference": reference, "name": name, "problems": [], "checks": {}, "counts": dict(counts)}, checks
    )


def with_checks(line: Mapping[str, Any], checks: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The line with further questions and their problems, each named once."""
    found = {check: list(dict.fromkeys(problems)) for check, problems in checks.items()}
    texts = [f"{check}: {text}" for check, problems in found.items() for text in problems]
    counted = {check: len(problems) for check, problems in found.items()}
    return {**line, "problems": [*line["problems"], *texts], "checks": {**line["checks"], **counted}}
