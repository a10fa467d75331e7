"""What the libraries' own scripts can take apart, told line by line: a model of those rules, apart from the tool's own.

Each line of a definition is a letter, and what it is made of is a pattern over the letters:

| letter | the line |
|---|---|
| `b` | is blank |
| `c` | ends a header: `):`, or with an annotation between |
| `D` | begins a definition one level deeper |
| `d` | is indented deeper than the body |
| `l` | stands at the level of the body |
| `o` | stands outside: the definition has ended there |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

_MARKER = re.compile(r"(?P<indent>\s*)#\s*Copied from\s+(?P<path>transformers\.\S+\.\S+)\s*(?P<rest>with\s.*)?$")
_LETTERS = (
    ("b", r"\s*$"),
    ("c", r"\s*\)(?:\s*->.*)?:\s*$"),
    ("D", r" {4}(?:class|def)\s+\w+[(:]"),
    ("d", r" {8}"),
    ("l", r" {4}"),
    ("o", r""),
)


class Unreadable(Exception):
    """Such a script ends with an error, or reports a copy, for this reason."""


def problems(text: str, package: Path, texts: Mapping[str, str] | None = None) -> Iterator[tuple[int, str]]:
    """The number of every marker of a module that such a script cannot follow, and why.

    Args:
        text: the module's source.
        package: the folder `transformers` in which originals are found.
        texts: dotted path of a module -> its source, where it is not what stands there.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines):
        marker = _MARKER.match(line)
        if marker is not None:
            try:
                _follow(lines, number, marker, package, texts or {})
            except Unreadable as reason:
                yield number + 1, str(reason)


def _follow(lines: list[str], number: int, marker: re.Match[str], package: Path, texts: Mapping[str, str]) -> None:
    indent = marker["indent"]
    copy = definition_at(lines, number + 1, indent)
    original = _find(marker["path"], package, texts)
    here, there = taken_apart(copy), taken_apart(original)
    if here != there:
        raise Unreadable(f"the copy is {here}, the original {there}")
    inner = [line.strip() for line in copy if _MARKER.match(line)]
    expected = [_replaced(line.strip(), marker["rest"] or "") for line in original if _MARKER.match(line)]
    if inner != expected:
        raise Unreadable(f"has the markers {inner} within, and its original gives {expected}")


def taken_apart(lines: list[str]) -> str:
    """What a definition at column 0 is made of: `S` for statements, `M` for a definition in it, in their order.

    Raises:
        Unreadable: it cannot be taken apart.
    """
    first = lines[0]
    header = re.match(r"(class|def)\s+\w+([(:])", first)
    if header is None:
        raise Unreadable(f"no plain header: {first}")
    if len(lines) < 2:
        raise Unreadable(f"a body on the line of its header: {first}")
    letters = "".join(map(_letter, lines))
    if "o" in letters[1:]:
        raise Unreadable(f"ends within: {lines[letters.index('o', 1)]!r}")
    start = 1
    if header[2] == "(" and "):" not in first:
        start = letters.find("c") + 1
        on_one_line = re.search(r"\)\s*->\s*.+:", first) is not None
        if on_one_line:
            # Its end is looked for further down: known from the released trees, which are full of such functions.
            start = start or len(lines)
        elif not start or lines[start - 1].startswith(" "):
            raise Unreadable(f"a header without an end: {first}")
    body = re.sub(r"[ldc]*D[dbc]*", "M", letters[start:])
    body = re.sub(r"[ldc]+", "S", body.replace("b", ""))
    if header[1] == "def":
        return body
    if not re.fullmatch(r"S|S?M+", body):
        raise Unreadable(f"a class that is {body}: {first}")
    return re.sub("M+", "M", body)


def _letter(line: str) -> str:
    return next(letter for letter, pattern in _LETTERS if re.match(pattern, line))


def definition_at(lines: list[str], start: int, indent: str) -> list[str]:
    """The lines of the definition that starts at a line, at column 0: up to the first that is indented less."""
    if start >= len(lines) or not re.match(rf"{indent}(?:class|def)\s+\w+[(:]", lines[start]):
        raise Unreadable(f"no header below it: {lines[start : start + 1]}")
    found = [lines[start][len(indent) :]]
    for line in lines[start + 1 :]:
        text = line.removeprefix(indent)
        if not line.startswith(indent) and line.strip():
            break
        # Only a header's end may stand at the level of the header; text in a string does so, too.
        if text[:1].strip() and not re.match(_LETTERS[1][1], text):
            break
        found.append(text)
    while not found[-1].strip():
        found.pop()
    return found


def _find(path: str, package: Path, texts: Mapping[str, str]) -> list[str]:
    """The lines of what a path names, looked for as a script does: at column 0 first, and then deeper by each name."""
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        file = package.joinpath(*parts[1:count]).with_suffix(".py")
        if module in texts or file.is_file():
            break
    else:
        raise Unreadable(f"no module: {path}")
    lines = _lines(file) if module not in texts else texts[module].split("\n")
    at, indent = 0, ""
    for depth, name in enumerate(parts[count:]):
        indent = " " * 4 * depth
        begins = re.compile(rf"{indent}(?:class|def)\s+{re.escape(name)}[(:]")
        while at < len(lines) and not begins.match(lines[at]):
            at += 1
        if at == len(lines):
            raise Unreadable(f"no {name} in {module}")
        at += 1
    return definition_at(lines, at - 1, indent)


@lru_cache(maxsize=64)
def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split("\n")


def _replaced(line: str, rest: str) -> str:
    for pair in rest.removeprefix("with").split(","):
        old, arrow, new = pair.strip().partition("->")
        if arrow:
            line = line.replace(old, new)
    return line
