"""Whole files that the configuration registers as copies of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from add_model.copies.equality import equal
from add_model.copies.finding import Code, Finding, Severity
from add_model.copies.syntax import syntax_problem
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.source import Module, decode_module


def check_full_copies(library: Library, read: Callable[[str], bytes], only: set[str]) -> Iterator[Finding]:
    """Compares every registered full copy that is one of these files (paths relative to the root; none: all)."""
    registered = library.configuration.full_copies
    for copy, original in sorted(registered.items()):
        if only and copy not in only:
            continue
        circle = _circle(registered, copy)
        if circle:
            message = f"a circle of full copies has no original: {' <- '.join(circle)}; drop one of the entries"
            yield Finding(Code.CP004, Severity.ERROR, copy, 1, 1, "", original, message)
        else:
            yield from _check(library, read, copy, original)


def _circle(registered: Mapping[str, str], copy: str) -> list[str]:
    """The way from a file by its originals back to itself; empty where it does not lead there."""
    way = [copy]
    while (following := registered.get(way[-1])) is not None and following not in way[1:]:
        way.append(following)
    return way if len(way) > 1 and way[-1] == copy else []


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
