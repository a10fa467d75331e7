"""The text that a drifted copy becomes: the original's, with everything kept that a copy has for itself.

A class is put together member by member, a function statement by statement, so that what was equal already keeps the
layout that it has. What a formatter would do to the rest is left to the formatter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from add_model.copies.judging.pair import Pair
from add_model.copies.language.equality import blocks_match, body_start, equal, has_same_rest_of_header, letters
from add_model.copies.language.line_diff import matching_blocks
from add_model.copies.language.marker import marker_lines, without_markers
from add_model.copies.language.region import (
    HEAD,
    Member,
    compared,
    end_of_copy,
    header_end,
    ignored_members,
    ignored_names,
    members,
    own_name,
    reindent,
    with_name,
)
from add_model.definitions import indent_at
from add_model.lexical import column_of, logical_lines

# A longer function and its copy are not put together statement by statement.
_MOST_CHARACTERS = 200_000
# A line that goes on with a statement above it.
_GOES_ON = re.compile(r"(?:else|elif|except|finally)\b")
_BLANK_LINES = re.compile(r"(?:[ \t\f]*\n)*")
_DEFINITION_LINE = re.compile(r"^[ \t]*(?:class|(?:async[ \t]+)?def)[ \t]", re.MULTILINE)
_DECORATED_LINE = re.compile(r"^[ \t]*(?:@|(?:class|(?:async[ \t]+)?def)[ \t])", re.MULTILINE)


def rewritten(pair: Pair, keep_header: bool = False) -> str:
    """The lines that the copy of a pair should have, from its header on.

    Args:
        pair: a copy that differs.
        keep_header: whether the first line of its header is its own affair.
    """
    copy, expected = pair.block, pair.expected
    copy = copy if copy.endswith("\n") else f"{copy}\n"
    expected = with_name(expected, copy[slice(*own_name(copy))])
    if keep_header and has_same_rest_of_header(expected, copy):
        expected = _under_header_of(copy, expected)
    cut = end_of_copy(copy)
    if cut is None:
        return rewritten_block(expected, copy)
    # An original that ends early itself has a tail of its own, which is not the copy's.
    body, tail = copy[:cut], copy[cut:]
    gap = body[len(_written(body)) + 1 :]
    return _written(rewritten_block(expected[: end_of_copy(expected)], body)) + "\n" + gap + tail


def _under_header_of(copy: str, expected: str) -> str:
    """What is expected under the copy's own header; a body may share the line of its header, on either side."""
    header, body = copy[: body_start(copy)], expected[body_start(expected) :]
    shares_line = body_start(expected) < header_end(expected)
    if not header.endswith("\n"):
        return f"{header}{body}" if shares_line else f"{header}\n{body}"
    return f"{header}{indent_at(copy)}    {_written(body).lstrip()}\n" if shares_line else f"{header}{body}"


def same_but_for_layout(first: str, second: str) -> bool:
    """Whether two blocks, from their headers on, are equal, in what is not compared of a copy as well.

    Only the layout may differ, and where the members stand that the copy ignores.
    """
    own = _own_texts(first)
    return (
        first[: own_name(first)[1]] == second[: own_name(second)[1]]
        and own == _own_texts(second)
        and sorted(marker_lines(first).split("\n")) == sorted(marker_lines(second).split("\n"))
        and equal(compared(first, own), compared(second, own))
    )


def _own_texts(block: str) -> dict[str, str]:
    """The members that a copy ignores, by name."""
    return {member.name: block[member.start : member.end].rstrip() for member in ignored_members(block)}


def rewritten_block(expected: str, copy: str) -> str:
    """What a class or function becomes that should be what is expected; both are under the same name."""
    if blocks_match(expected, copy):
        return copy
    result = _rewritten_class(expected, copy) if members(copy) and members(expected) else _rewritten_function(expected, copy)  # fmt: skip
    # Whatever layout is kept must not cost the verdict; what a copy ignores is not to be lost for it. An original that
    # is a copy itself may bring more of the kind.
    own = Counter(_own_texts(copy).values())
    if blocks_match(expected, result) and not own - Counter(_own_texts(result).values()):
        return result
    return copy if own else expected


def _rewritten_class(expected: str, copy: str) -> str:
    ignored = set(ignored_names(copy))
    wanted, present = _segments(expected), _segments(copy)
    result = [_header(expected, copy)]
    placed: set[str] = set()
    # Members that a copy ignores and its original lacks stay behind the member that they stand behind.
    followers = _own_members(present, ignored, {name for name, _, _ in wanted})
    texts = {name: (text, blank) for name, text, blank in present}
    for name, text, blank in wanted:
        if name in texts:
            kept, kept_blank = texts[name]
            text, blank = (kept, kept_blank) if name in ignored else (_rewritten_member(name, text, kept), blank)
        elif name in ignored:
            continue
        result.append(_spaced(text, blank))
        placed.add(name)
        result.extend(_spaced(*own) for own in followers.pop(name, ()))
    result.extend(_spaced(*own) for owns in followers.values() for own in owns)
    return _written("".join(result)) + "\n"


def _segments(block: str) -> list[tuple[str, str, int]]:
    """A class's members, and what stands between them, as (name, lines, blank lines behind them)."""
    found: Sequence[Member] = members(block)
    ends = [member.start for member in found[1:]] + [len(block)]
    segments = []
    for member, end in zip(found, ends, strict=True):
        # Statements and comments behind a member are the class's, whoever the member belongs to.
        between = _BLANK_LINES.match(block, member.end, end).end()  # type: ignore[union-attr]
        segments.append((member.name, *_measured(block[member.start : between], is_last=between == len(block))))
        if between < end:
            name = f"behind {member.name}"
            segments.append((name, *_measured(block[between:end], is_last=end == len(block))))
    return segments


def _measured(text: str, is_last: bool) -> tuple[str, int]:
    """The lines of a part of a class, and how many blank ones are behind them."""
    written = _written(text)
    if not written:
        return "", text.count("\n")
    # Behind the last one there is no telling; one line is what the others have.
    return f"{written}\n", 1 if is_last else text.count("\n", len(written)) - 1


def _written(text: str) -> str:
    """A text without the blank lines at its end; the last line that says anything keeps the blanks behind it."""
    end = len(text.rstrip())
    behind = text.find("\n", end)
    return text[:behind] if end and behind >= 0 else text if end else ""


def _own_members(
    present: list[tuple[str, str, int]], ignored: set[str], wanted: set[str]
) -> dict[str, list[tuple[str, int]]]:
    own: dict[str, list[tuple[str, int]]] = {}
    behind = HEAD
    for name, text, blank in present:
        if name in wanted:
            behind = name
        elif name in ignored:
            own.setdefault(behind, []).append((text, blank))
    return own


def _spaced(text: str, blank: int) -> str:
    return text + "\n" * blank


def _rewritten_member(name: str, expected: str, copy: str) -> str:
    if equal(without_markers(expected), without_markers(copy)):
        return copy
    start, copy_start = _DEFINITION_LINE.search(expected), _DEFINITION_LINE.search(copy)
    if name == HEAD or start is None or copy_start is None:
        return expected
    block = rewritten_block(expected[start.start() :], copy[copy_start.start() :])
    return _with_markers_of(copy[: copy_start.start()], expected[: start.start()]) + block


def _with_markers_of(copy: str, expected: str) -> str:
    """The lines above a method's header, with the markers that the copy has there, in the place where it has them."""
    decorated = _DECORATED_LINE.search(copy)
    above = marker_lines(copy[: decorated.start()] if decorated else "")
    below = marker_lines(copy[decorated.start() :] if decorated else copy)
    decorated = _DECORATED_LINE.search(expected)
    at = decorated.start() if decorated else len(expected)
    return expected[:at] + above + expected[at:] + below


def _header(expected: str, copy: str) -> str:
    wanted, present = expected[: header_end(expected)], copy[: header_end(copy)]
    return present if equal(_with_body(wanted), _with_body(present)) else wanted


def _with_body(header: str) -> str:
    """A header that can be parsed: at column 0, with something below it."""
    return f"{header.strip()}\n    ...\n"


def _rewritten_function(expected: str, copy: str) -> str:
    """The expected function, its statements in the copy's own layout where the copy has them."""
    if len(expected) + len(copy) > _MOST_CHARACTERS or _keyword(expected) != _keyword(copy):
        return expected
    wanted, present = statements(expected), statements(copy)
    if not wanted or not present:
        return expected
    return _header(expected, copy) + "".join(_merged(wanted, present)) + expected[header_end(expected) + len("".join(wanted)) :]  # fmt: skip


def _keyword(block: str) -> list[str]:
    return block[: own_name(block)[0]].split()


def statements(block: str) -> list[str]:
    """The statements of a function's body, each with what stands above it, and the comments that belong to it below.

    None where the body shares the line of the header. What stands behind the last one is in none of them.
    """
    start = end = header_end(block)
    if body_start(block) < start:
        return []
    found: list[str] = []
    column, is_open, is_decorated = -1, False, False
    for line, behind in logical_lines(block, start):
        indent = indent_at(block, line)
        code = block[line + len(indent) : behind]
        if code.startswith("#") or not code.strip():
            # A comment that is indented deeper is about what stands above it.
            if is_open and code.strip() and column_of(indent) > column:
                end = behind
            elif code.strip():
                is_open = False
            continue
        column = column_of(indent) if column < 0 else column
        if column_of(indent) <= column and not is_decorated and not _GOES_ON.match(code) and end > start:
            found.append(block[start:end])
            start = end
        is_decorated, is_open, end = column_of(indent) <= column and code.startswith("@"), True, behind
    return [*found, block[start:end]] if end > start else found


def _merged(expected: Sequence[str], copy: Sequence[str]) -> list[str]:
    """The expected statements, each in the copy's own layout where the copy has it."""
    present, merged = [without_markers(statement) for statement in copy], list(expected)
    blocks = matching_blocks([letters(statement) for statement in expected], [letters(each) for each in present])
    for start, copy_start, length in blocks:
        for offset in range(length):
            if equal(_in_function(expected[start + offset]), _in_function(present[copy_start + offset])):
                own = _at(copy[copy_start + offset], _indentation(expected[start + offset]))
                merged[start + offset] = expected[start + offset] if own is None else own
    return merged


def _indentation(statement: str) -> str:
    """The white space before the first line of code of a statement that may have comments above it."""
    lines = (line for line in statement.split("\n") if line.strip() and not line.lstrip().startswith("#"))
    return indent_at(next(lines, ""))


def _at(statement: str, indentation: str) -> str | None:
    """A statement, with what stands above it, at an indentation; `None` where its lines have no common one to exchange."""
    # Python counts from the last form feed on.
    if _indentation(statement).rpartition("\f")[2] == indentation.rpartition("\f")[2]:
        return statement
    lines = statement.lstrip("\n")
    blank = statement[: len(statement) - len(lines)]
    return blank + reindent(lines, indentation) if indent_at(lines) == _indentation(statement) else None


def _in_function(statement: str) -> str:
    """A statement below a header: by itself a docstring would be a string like any other, whose blank lines count."""
    return f"def _():\n{statement}"
