"""What rich lays out: tables, trees and lines with colours, in which a name is never more than its text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.segment import Segment, Segments
from rich.text import Text

from add_model.visible import visible, visible_line


def styled(*parts: str | tuple[str, str]) -> Text:
    """A text of parts, plain ones and ones with a style, each shown as it is; none begins another line."""
    return Text.assemble(*(visible(part) if isinstance(part, str) else (visible(part[0]), part[1]) for part in parts))


def joined(texts: Iterable[Text], separator: str) -> Text:
    """The texts one behind another, or one below another where a line feed is what parts them."""
    return Text(separator).join(texts)


def width(piped: int | None = None) -> int:
    """How many columns there are to draw in.

    Args:
        piped: how many there are where no terminal is; by default those that rich takes a pipe for.
    """
    return _console(piped).width


def draw(*renderables: RenderableType, piped: int | None = None, wraps: bool = True) -> None:
    """Prints what rich can lay out, on the output stream.

    Args:
        renderables: strings are plain text.
        piped: see `width`.
        wraps: whether a text that is too long goes on in the next line, rather than leaving that to the terminal.
    """
    console = _console(piped)
    for renderable in renderables:
        console.print(Segments(_lines(console, renderable, wraps)), soft_wrap=True, end="")


def as_text(renderable: RenderableType, columns: int) -> str:
    """The same, as plain text in so many columns."""
    console = Console(no_color=True, width=columns)
    return "".join(segment.text for segment in _lines(console, renderable, wraps=True) if not segment.control)


def _console(piped: int | None) -> Console:
    columns = None if sys.stdout.isatty() else piped
    return Console(width=columns, highlight=False, markup=False, emoji=False)


def _lines(console: Console, renderable: RenderableType, wraps: bool) -> Iterator[Segment]:
    """What is printed of it, line by line."""
    options = console.options if wraps else console.options.update(no_wrap=True, overflow="ignore")
    for line in Segment.split_lines(console.render(renderable, options)):
        text = "".join(segment.text for segment in line)
        shown = visible_line(text, keep="\t")
        # Where a line begins in the midst of a long name, that is seen here only; it does without its colours.
        yield from line if shown == text else [Segment(shown)]
        yield Segment.line()
