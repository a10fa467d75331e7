"""Whole files that the configuration registers as copies of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from add_model.copies.finding import Code, Finding, Severity
from add_model.copies.language.equality import equal
from add_model.copies.language.syntax import syntax_problem
from add_model.encoding import SourceError
from add_model.library import Library
from add_model.source import Module, decode_module

# How many members of a circle a finding names.
_NAMED = 20
# How many bytes of originals are looked at: so many times what their copies hold, and so many in any case.
_TIMES, _ALWAYS = 20, 20_000_000


def check_full_copies(library: Library, read: Callable[[str], bytes], only: set[str]) -> Iterator[Finding]:
    """Compares every registered full copy that is one of these files (paths relative to the root; none: all)."""
    registered = library.configuration.full_copies
    circles, allowed = _circles(registered), _ALWAYS
    for copy, original in sorted(registered.items()):
        if only and copy not in only:
            continue
        circle = circles.get(copy)
        if circle:
            message = f"a circle of full copies has no original: {_told(circle)}; drop one of the entries"
            yield Finding(Code.CP004, Severity.ERROR, copy, 1, 1, "", original, message)
        else:
            findings, taken = _check(library, read, copy, original, allowed)
            yield from findings
            allowed -= taken


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


def originals_first(registered: Mapping[str, str]) -> list[str]:
    """The full copies, each behind its original where that is one itself."""
    ordered: list[str] = []
    seen: set[str] = set()
    for start in sorted(registered):
        way, at = [], start
        while at in registered and at not in seen:
            seen.add(at)
            way.append(at)
            at = registered[at]
        ordered += reversed(way)
    return ordered


def _told(circle: Sequence[str]) -> str:
    named = [*circle[:_NAMED], f"({len(circle) - _NAMED} more)"] if len(circle) > _NAMED + 1 else circle
    return " <- ".join([*named, circle[0]])


def _check(
    library: Library, read: Callable[[str], bytes], copy: str, original: str, allowed: int
) -> tuple[list[Finding], int]:
    """What is wrong with a full copy, and how much of what is allowed that has taken."""
    contents: list[bytes] = []
    for path in (original, copy):
        try:
            contents.append(read(str(library.root / path)))
        except FileNotFoundError:
            message = f"{path}, registered in full-copies, does not exist; mend the entry"
            return [Finding(Code.CP002, Severity.ERROR, copy, 1, 1, "", original, message, fixable=path == copy)], 0
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            return [Finding(Code.CP006, Severity.ERROR, path, 1, 1, "", original, message)], 0
    taken = len(contents[0]) - _TIMES * len(contents[1])
    if taken > allowed:
        message = "is not looked at: the originals of full copies are many times as long as the copies are together"
        return [Finding(Code.CP006, Severity.ERROR, copy, 1, 1, "", original, message)], 0
    modules: list[Module] = []
    for path, content in zip((original, copy), contents, strict=True):
        try:
            modules.append(decode_module(Path(path), content))
        except SourceError as error:
            return [Finding(Code.CP006, Severity.ERROR, path, 1, 1, "", original, f"cannot be read: {error}")], taken
    made_from, made = modules
    return list(_compared(made_from, made, copy, original)), taken


def _compared(made_from: Module, made: Module, copy: str, original: str) -> Iterator[Finding]:
    if equal(made_from.text, made.text):
        return
    problem = syntax_problem(made_from) if original.endswith(".py") else None
    if problem is not None:
        message = f"does not parse: {problem.message} (line {problem.line}, column {problem.column})"
        yield Finding(Code.CP006, Severity.ERROR, original, problem.line, problem.line, "", "", message)
    message = "differs from the file it is a full copy of"
    last = max(1, made.text.count("\n"))
    yield Finding(Code.CP001, Severity.ERROR, copy, 1, last, "", original, message, fixable=problem is None)
