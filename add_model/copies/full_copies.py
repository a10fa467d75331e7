"""Whole files that the configuration registers as copies of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from add_model.copies.equality import equal
from add_model.copies.finding import Code, Finding, Severity
from add_model.copies.syntax import syntax_problem
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.source import Module, decode_module

# How many members of a circle a finding names.
_NAMED = 20


def check_full_copies(library: Library, read: Callable[[str], bytes], only: set[str]) -> Iterator[Finding]:
    """Compares every registered full copy that is one of these files (paths relative to the root; none: all)."""
    registered = library.configuration.full_copies
    circles = _circles(registered)
    for copy, original in sorted(registered.items()):
        if only and copy not in only:
            continue
        circle = circles.get(copy)
        if circle:
            message = f"a circle of full copies has no original: {_told(circle)}; drop one of the entries"
            yield Finding(Code.CP004, Severity.ERROR, copy, 1, 1, "", original, message)
        else:
            yield from _check(library, read, copy, original)


def _circles(registered: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """The members of every circle of files that are each registered as a copy of the next, each with its circle."""
    circles: dict[str, Sequence[str]] = {}
    seen: set[str] = set()
    for start in registered:
        way: dict[str, int] = {}
        at = start
        while at in registered and at not in seen:
            seen.add(at)
            way[at] = len(way)
            at = registered[at]
        if at in way:
            circle = list(way)[way[at] :]
            circles |= dict.fromkeys(circle, circle)
    return circles


def _told(circle: Sequence[str]) -> str:
    named = [*circle[:_NAMED], f"({len(circle) - _NAMED} more)"] if len(circle) > _NAMED + 1 else circle
    return " <- ".join([*named, circle[0]])


def _check(library: Library, read: Callable[[str], bytes], copy: str, original: str) -> Iterator[Finding]:
    modules: list[Module] = []
    for path in (original, copy):
        try:
            modules.append(decode_module(Path(path), read(str(library.root / path))))
        except FileNotFoundError:
            message = f"{path}, registered in full-copies, does not exist; mend the entry"
            yield Finding(Code.CP002, Severity.ERROR, copy, 1, 1, "", original, message, fixable=path == copy)
            return
        except (OSError, SourceError) as error:
            yield Finding(Code.CP006, Severity.ERROR, path, 1, 1, "", original, f"cannot be read: {error}")
            return
    made_from, made = modules
    if equal(made_from.text, made.text):
        return
    problem = syntax_problem(made_from) if original.endswith(".py") else None
    if problem is not None:
        message = f"does not parse: {problem.message} (line {problem.line}, column {problem.column})"
        yield Finding(Code.CP006, Severity.ERROR, original, problem.line, problem.line, "", "", message)
    message = "differs from the file it is a full copy of"
    last = max(1, made.text.count("\n"))
    yield Finding(Code.CP001, Severity.ERROR, copy, 1, last, "", original, message, fixable=problem is None)
