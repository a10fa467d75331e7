"""Where definitions and their parts start and end in a text, as far as searching and counting alone tell."""

from __future__ import annotations

import functools
import re

_KEYWORDS = (["class"], ["def"], ["async", "def"])


def first_header(text: str, name: str, start: int, stop: int) -> int:
    """The start of the first line that looks like a header of that name; -1 where there is none."""
    sought = f" {name}"
    position = text.find(sought, start, stop)
    while position >= 0:
        behind = position + len(sought)
        line = text.rfind("\n", 0, position) + 1
        before = text[line:position].split()
        if before in _KEYWORDS and (behind >= len(text) or not (text[behind].isalnum() or text[behind] == "_")):
            return line
        # Behind anything else no header starts on that line, however often it holds the name.
        if before and before != ["async"]:
            behind = line_end(text, position)
        position = text.find(sought, behind, stop)
    return -1


def may_hold(text: str, name: str, start: int, stop: int) -> bool:
    """Whether a line looks like a header of that name; where none does, no look at the lines themselves finds one."""
    return first_header(text, name, start, stop) >= 0 or text.find(f"\t{name}", start, stop) >= 0


def decorated_start(text: str, header: int, indent: str) -> int | None:
    """Where the decorators above a header start, or the header where there are none; `None` where strings may hide it."""
    first, start = header, header
    while start > 0:
        line = text.rfind("\n", 0, start - 1) + 1
        last = text[line:start].strip()
        if text.startswith(f"{indent}@", line):
            first = line
        elif last and not last.startswith("#"):
            # The end of a decorator of several lines, or of whatever else stands above.
            if not (last.endswith(")") or "#" in last):
                break
            above = max(0, text.rfind(f"\n{indent}def " if indent else "\nclass ", 0, line))
            line = text.rfind(f"\n{indent}@", above, line) + 1
            if not text.startswith(f"{indent}@", line):
                # What looks like a definition may be a line of a string in a decorator.
                if above and _splits_string(text, above, start):
                    return None
                break
            code = first_dedent(text, line, len(indent))
            if code < start:
                # A string in a decorator looks like anything.
                if _splits_string(text, code, start):
                    return None
                break
            first = line
        start = line
    return None if first < header and _splits_string(text, first, header) else first


def _splits_string(text: str, start: int, stop: int) -> bool:
    """Whether a multi-line string, judged by counting alone, is open at one end of a part of the text."""
    return text.count('"""', start, stop) % 2 == 1 or text.count("'''", start, stop) % 2 == 1


def looks_closed(text: str, start: int, stop: int) -> bool:
    """Whether every bracket and multi-line string is closed, judged by counting alone."""
    count = text.count
    return (
        not _splits_string(text, start, stop)
        and count("(", start, stop) == count(")", start, stop)
        and count("[", start, stop) == count("]", start, stop)
        and count("{", start, stop) == count("}", start, stop)
    )


def without_lower_comments(text: str, header: int, stop: int, column: int) -> int | None:
    """The end of the last line of code before `stop`; `None` where comments make that hard to tell."""
    while stop > header:
        line = text.rfind("\n", 0, stop - 1) + 1
        content = text[line:stop].lstrip(" ")
        if content.startswith("#"):
            # A deeper comment may belong to the block or not, and a quote may mean that this is no comment at all.
            if stop - line - len(content) > column or '"' in content or "'" in content:
                return None
        elif content.strip():
            return stop
        stop = line
    return None


def line_end(text: str, offset: int) -> int:
    newline = text.find("\n", offset)
    return len(text) if newline < 0 else newline


def first_dedent(text: str, header: int, column: int) -> int:
    """Where the first line of code behind a header starts that is not indented deeper."""
    dedent = dedent_pattern(column).search(text, line_end(text, header))
    return dedent.start() + 1 if dedent else len(text)


@functools.lru_cache(maxsize=64)
def dedent_pattern(column: int) -> re.Pattern[str]:
    return re.compile(rf"\n {{0,{column}}}[^\s#)\]}}]" if column else r"\n[^\s#)\]}]")


@functools.lru_cache(maxsize=64)
def lines_pattern(indent: str) -> re.Pattern[str]:
    """Where a line is indented so far and no further, if a word of a statement of several lines may start there."""
    return re.compile(rf"\n{indent}(?=[cdaitwfm])")
