"""Texts laid out in a given width: wrapped at words, aligned in columns, cut at a word and never within one unsaid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from prompt_toolkit.utils import get_cwidth

from add_model.visible import visible

ELLIPSIS = "…"
GAP = 2
# A description of fewer columns says nothing: a longer first column gives way to it.
_LEAST_DESCRIPTION = 16
# Where a word may be parted that is longer than a line: behind what joins its parts.
_PART = re.compile(r"[^ /_.,-]*[ /_.,-]+|[^ /_.,-]+")
Row = Sequence[str]


def printable(text: str) -> str:
    """The text as everything is shown: what a terminal would act upon, or hide, stands there as an escape."""
    return visible(text)


def cut(text: str, width: int) -> str:
    """A text in at most so many columns: behind the last word that fits, or within a long one, stands an ellipsis."""
    if get_cwidth(text) <= width:
        return text
    if width < 1:
        return ""
    # One column is for the ellipsis, and one for the space before it.
    fitting = _beginning(text, width - 2)
    words = fitting if text.startswith(" ", len(fitting)) else fitting.rpartition(" ")[0]
    if words.strip():
        return f"{words.rstrip()} {ELLIPSIS}"
    fitting = _beginning(text, width - 1)
    part = re.match(r".*[/_.,-]", fitting)
    return f"{part.group() if part is not None else fitting}{ELLIPSIS}"


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of a paragraph, broken at words; those behind the first are indented."""
    return filled(text.split(), width, indent)


def filled(words: Iterable[str], width: int, indent: str = "") -> list[str]:
    """The lines of a paragraph of these words, which may hold spaces, at which it is not broken."""
    lines: list[str] = []
    line = ""
    for word in words:
        space = " " if line.strip() else ""
        for part in _parts(word, max(width - get_cwidth(indent), 1)):
            if line.strip() and get_cwidth(line + space + part) > width:
                lines.append(line)
                line = indent + part
            else:
                line += space + part
            space = ""
    return [*lines, line]


def remark(text: str, width: int) -> list[str]:
    """The lines of a text, each broken at words and indented as it is."""
    lines: list[str] = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip(" "))]
        lines += [f"{indent}{part}" for part in wrapped(printable(line), width - len(indent))]
    return lines


def facts(rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Labels and what is said of each, in two columns; the second is wrapped."""
    label_width = max(get_cwidth(label) for label, _ in rows)
    lines: list[str] = []
    for label, value in rows:
        first, *others = wrapped(value, width - label_width - 2 * GAP)
        lines.append(f"{' ' * GAP}{_padded(label, label_width)}{' ' * GAP}{first}".rstrip())
        lines += [f"{' ' * (label_width + 2 * GAP)}{line}" for line in others]
    return lines


def aligned(rows: Sequence[Row], width: int) -> list[str]:
    """Rows as lines of at most so many columns, the cells below each other; the last column is cut.

    A row of one cell has the line for itself.
    """
    count = max((len(row) for row in rows), default=0)
    full = [row for row in rows if len(row) == count]
    widths = [max(get_cwidth(row[column]) for row in full) for column in range(count)]
    widths = _fitted(widths, width)
    return [cut(row[0], width) if len(row) == 1 < count else _line(row, widths).rstrip() for row in rows]


def _fitted(widths: list[int], width: int) -> list[int]:
    """The widths of columns that fit; the last one, then the first one gives way, and one without room is left out."""
    if len(widths) < 2:
        return [min(each, width) for each in widths]
    first, *middle, last = widths
    between = sum(middle) + GAP * (len(widths) - 1)
    wanted = min(last, _LEAST_DESCRIPTION)
    first = min(first, max(width - between - wanted, width // 3))
    room = width - first - between
    if room < min(wanted, _LEAST_DESCRIPTION // 2):
        return [*_fitted(widths[:-1], width), 0]
    return [first, *middle, min(last, room)]


def _line(row: Row, widths: Sequence[int]) -> str:
    cells = (_padded(cut(cell, width), width) for cell, width in zip(row, widths, strict=True) if width)
    return (" " * GAP).join(cells)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - get_cwidth(text))


def _beginning(text: str, width: int) -> str:
    """As much of a text as fits."""
    used = 0
    for place, letter in enumerate(text):
        used += get_cwidth(letter)
        if used > width:
            return text[:place]
    return text


def _parts(word: str, width: int) -> Iterator[str]:
    """A word as one part where it fits in a line, or else in those that may be parted."""
    if get_cwidth(word) <= width:
        yield word
        return
    for part in _PART.findall(word):
        while part:
            piece = _beginning(part, width) or part[:1]
            yield piece
            part = part[len(piece) :]
