"""What of a definition is compared: its text, less everything that a copy is free to have for itself.

A definition is read from its header to its last line. Out of the comparison are

- its decorators, and whatever stands between them and the header;
- its own name, and its indentation;
- the marker lines in it;
- everything from `# End copy` on, a comment at the indentation of the body;
- of a class, every member in which, or directly above which, `# Ignore copy` stands: a method, or the part between the
  header and the first method (docstring and attributes). A class in it is such a member where the words stand above it;
  where they stand in it, they are about the member of that class. A member that a copy ignores is left out of the
  original as well. A function in which `# Ignore copy` stands is left out whole.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator

from add_model.copies.language.marker import without_markers
from add_model.definitions import indent_at
from add_model.lexical import comments, logical_lines, multi_line_strings
from add_model.source import Module
from add_model.values import NamedTuple

IGNORE_COPY = "# Ignore copy"
END_COPY = "# End copy"
# The name of the part of a class between its header and its first method.
HEAD = ""

_HEADER = re.compile(r"[ \t\f]*(?:class|(?:async[ \t]+)?def)[ \t]+(?P<name>\w+)")
_COMMENT_LINE = re.compile(r"[ \t\f]*#")
_END_OF_LINE = re.compile(r"[ \t\f]*\n")
_MAY_HOLD_LINES = re.compile("\"\"\"|'''|\\\\\n")


class Member(NamedTuple):
    """A method of a class, or a class in it, with the comment lines directly above it; or the class's head.

    Attributes:
        name: its name, with its number where it is not the first of that name (a property's setter), and behind that of
            the class that it is a member of where this is one in the class; `HEAD` for the part above the first.
        start: where it starts in the text of the class.
        end: where the line behind its last one starts.
        header: where its own header starts; where the part above the first starts itself.
    """

    name: str
    start: int
    end: int
    header: int


def own_name(block: str) -> tuple[int, int]:
    """Where the name stands in a block that starts at its header."""
    match = _HEADER.match(block)
    return match.span("name") if match else (0, 0)


def with_name(block: str, name: str) -> str:
    """The block, which starts at its header, under another name."""
    start, end = own_name(block)
    return block[:start] + name + block[end:]


def from_header(text: str) -> str:
    """The lines of a definition without its decorators."""
    if _HEADER.match(text):
        return text
    headers = (start for start, _ in logical_lines(text) if _HEADER.match(text, start))
    return text[next(headers, 0) :]


def header_end(block: str) -> int:
    """Where the line behind the header starts, however many lines the header has."""
    _, end = next(logical_lines(block), (0, 0))
    return end


# Who finds a difference asks for the sides once more to show it.
@functools.lru_cache(maxsize=4)
def compared_sides(original: str, copy: str) -> tuple[str, str]:
    """What is compared of a block and its copy, both from their headers on."""
    ignored = ignored_names(copy)
    # Where both end early, the original's own tail is no part of what its copy was made of.
    if end_of_copy(copy) is not None:
        original, copy = before_end(original), before_end(copy)
    return compared(original, ignored), compared(copy, ignored)


def compared(block: str, ignored: Collection[str] = ()) -> str:
    """The lines of a block that are compared, at column 0 and under no name, less the members of these names."""
    block = without_members(without_markers(block), ignored) if ignored else without_markers(block)
    return with_name(reindent(block, ""), "_")


def before_end(block: str) -> str:
    """The block up to its `# End copy`."""
    return block[: end_of_copy(block)]


def end_of_copy(block: str) -> int | None:
    """Where the `# End copy` line of a block starts; `None` where it has none at the indentation of its body."""
    if END_COPY not in block:
        return None
    _, *lines = logical_lines(block)
    # The first line of code tells how deep the body is, and the words may stand above that line.
    body = next((indent_at(block, start) for start, end in lines if _is_code(block, start, end)), None)
    ends = (start for start, _ in lines if indent_at(block, start) == body)
    return next((start for start in ends if block.startswith(f"{body}{END_COPY}", start)), None)


def _is_code(block: str, start: int, end: int) -> bool:
    return not block[start:end].isspace() and not _COMMENT_LINE.match(block, start)


def is_ignored(block: str) -> bool:
    """Whether the block is a function in which `# Ignore copy` stands."""
    return not _is_class(block) and _asks_to_ignore(block)


def ignored_members(block: str) -> list[Member]:
    """The members of a class, and of the classes in it, that are out of the comparison."""
    if IGNORE_COPY not in block:
        return []
    found: list[Member] = []
    for member in members(block):
        text = block[member.start : member.end]
        inside = member.header - member.start
        if not _asks_to_ignore(text):
            continue
        if member.name != HEAD and _is_class(text[inside:]) and not _asks_to_ignore(text[:inside]):
            found += (_in_outer(member, inner) for inner in ignored_members(text[inside:]))
        else:
            found.append(member)
    return found


def ignored_names(block: str) -> list[str]:
    """The names of the members that are out of the comparison."""
    return [member.name for member in ignored_members(block)]


def _in_outer(outer: Member, inner: Member) -> Member:
    """A member of a class in a class, as one of the outer class."""
    start, end, header = (outer.header + offset for offset in inner[1:])
    return Member(f"{outer.name}.{inner.name}", start, end, header)


@functools.lru_cache(maxsize=64)
def members(block: str) -> tuple[Member, ...]:
    """The members of a class, in order; none for a function."""
    if not _is_class(block):
        return ()
    found = Module("", block).members()
    names = _told_apart([definition.name.rpartition(".")[2] for definition in found])
    methods = [
        Member(name, _above_comments(block, definition.start, definition.indent), definition.end, definition.header)
        for name, definition in zip(names, found, strict=True)
    ]
    head, head_end = header_end(block), methods[0].start if methods else len(block)
    return (Member(HEAD, head, head_end, head), *methods)


def without_members(block: str, names: Collection[str]) -> str:
    """The class without its members of these names."""
    names = frozenset(names)
    # What is left out of a class in the class is named behind it.
    outer = {name.partition(".")[0] for name in names if "." in name}
    kept, at = [], 0
    for member in members(block):
        if member.name in names:
            kept.append(block[at : member.start])
            at = member.end
        elif member.name in outer:
            inner = {name.removeprefix(f"{member.name}.") for name in names if name.startswith(f"{member.name}.")}
            kept += block[at : member.header], without_members(block[member.header : member.end], inner)
            at = member.end
    return "".join([*kept, block[at:]]) if at else block


def reindent(block: str, indent: str) -> str:
    """The block with its header's indentation exchanged for another, on every line that starts with it.

    The lines inside a string stay as they are, for its value's sake; those of a docstring are layout, as they are of any
    string that is a statement of its own.
    """
    old = indent_at(block)
    if old == indent:
        return block
    result, at = [], 0
    for start, end in _values(block):
        result += [_reindented(block[at:start], old, indent), block[start:end]]
        at = end
    return "".join([*result, _reindented(block[at:], old, indent)])


def _reindented(text: str, old: str, new: str) -> str:
    """Text with the indentation of its lines exchanged."""
    lines = text.split("\n")
    if "\f" in text:
        return "\n".join(_reindented_line(line, old, new) for line in lines)
    return "\n".join(new + line[len(old) :] if line.startswith(old) and line.strip() else line for line in lines)


def _reindented_line(line: str, old: str, new: str) -> str:
    """The same of one line: its column counts from the last form feed in its indentation on."""
    at = indent_at(line).rfind("\f") + 1
    return line[:at] + new + line[at + len(old) :] if line.startswith(old, at) and line.strip() else line


def _values(block: str) -> Iterator[tuple[int, int]]:
    """From where to where the lines of a block start in a string that has a value: between two ends of lines."""
    marks = _MAY_HOLD_LINES.findall(block)
    if not marks or (len(marks) == 2 and _has_docstring(block)):
        return
    for first, last, is_statement in multi_line_strings(block):
        if not is_statement:
            end = block.find("\n", last)
            yield block.index("\n", first), len(block) if end < 0 else end


def _has_docstring(block: str) -> bool:
    """Whether a plain docstring stands behind the header; `False` where that takes a closer look to tell."""
    body = header_end(block)
    start = body + len(indent_at(block, body))
    end = block.find('"""', start + 3)
    is_closed = end >= 0 and block[end - 1] != "\\"
    return block.startswith('"""', start) and is_closed and _END_OF_LINE.match(block, end + 3) is not None


def _is_class(block: str) -> bool:
    return block.lstrip().startswith("class")


def _above_comments(block: str, start: int, indent: str) -> int:
    while start > 0:
        line = block.rfind("\n", 0, start - 1) + 1
        if not block.startswith(f"{indent}#", line):
            break
        start = line
    return start


def _told_apart(names: list[str]) -> list[str]:
    counts: dict[str, int] = {}
    told = []
    for name in names:
        counts[name] = count = counts.get(name, 0) + 1
        told.append(f"{name} ({count})" if count > 1 else name)
    return told


def _asks_to_ignore(text: str) -> bool:
    """Whether `# Ignore copy` stands in the text as a comment, not in a string."""
    return IGNORE_COPY in text and any(comment.startswith(IGNORE_COPY) for comment in comments(text))
