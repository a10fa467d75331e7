"""A question as the lines of a screen of a given size: pure, so that every size can be looked at without a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from prompt_toolkit.utils import get_cwidth

from add_model.scaffold.interview.questions import Check, Choose, Option, Question, Write
from add_model.scaffold.interview.terminal.fitting import aligned, cut, filled, printable, wrapped
from add_model.scaffold.interview.terminal.menu import Menu

_POINTER = "» "
_HINDERED = "- "
_INDENT = "  "
_CHECKED, _UNCHECKED = "[x] ", "[ ] "
_LEAST_OPTIONS = 3
_TO_SEARCH = "type to search"
_NOTHING_FOUND = "nothing is called or described so; Backspace brings the others back"


class Line(NamedTuple):
    """A line of a screen.

    Attributes:
        style: how it is shown.
        text: what it says.
        has_cursor: whether the cursor stands behind it.
        continues: whether it goes on where the one before ends.
    """

    style: str
    text: str
    has_cursor: bool = False
    continues: bool = False


def menu_page(question: Choose | Check, menu: Menu, columns: int, rows: int, can_go_back: bool) -> list[Line]:
    """The lines of a question with a list.

    Args:
        question: the question.
        menu: how far the choosing has got.
        columns: how many columns the lines may have.
        rows: how many lines there may be.
        can_go_back: whether there was a question before.
    """
    head = header(question, columns)
    if isinstance(question, Choose) and question.searchable:
        head.append(_search_line(menu, columns))
    head = head[max(len(head) - rows + 1, 0) :]
    keys = _key_lines(_keys(question), can_go_back, columns)
    if len(head) + _LEAST_OPTIONS + len(keys) > rows:
        keys = []
    labels = _labels(menu, columns)
    room = rows - len(head) - len(keys)
    notes = _notes(menu, labels, room, columns)
    body = _body(menu, labels, room - len(notes), columns) if menu.shown else footer_lines([_NOTHING_FOUND], columns)
    return [*head, *body, *notes, *keys]


def _notes(menu: Menu, labels: Sequence[str], room: int, columns: int) -> list[Line]:
    """What is to be said of the options, as far as there is room: rather why some cannot be chosen than one in full."""
    reasons = _reasons(menu.shown[_visible(menu, room)], columns)
    room = max(room - min(len(menu.shown), _LEAST_OPTIONS), 0)
    reasons = reasons[:room]
    in_full = _in_full(menu, labels, columns)
    return [*in_full, *reasons] if len(in_full) + len(reasons) <= room else reasons


def header(question: Question, columns: int) -> list[Line]:
    """What is asked, on as many lines as that takes."""
    return [Line("class:question", line) for line in wrapped(f"? {printable(question.message)}", columns, _INDENT)]


def footer_lines(texts: Iterable[str], columns: int, style: str = "class:footer") -> list[Line]:
    """Remarks below a question, each on lines of its own."""
    return [Line(style, f"{_INDENT}{line}") for text in texts for line in wrapped(text, columns - len(_INDENT))]


def write_footer(question: Write, text: str, refused: str | None, columns: int, can_go_back: bool) -> list[Line]:
    """What stands below a line that is being typed: what is wrong with it, or what it would give; and the keys."""
    remarks = footer_lines([printable(refused)], columns, "class:refused") if refused is not None else []
    if refused is None and question.preview is not None:
        remarks = footer_lines([printable(question.preview(text))], columns, "class:full")
    return [*remarks, *_key_lines(("Enter goes on",), can_go_back, columns)]


def answer_lines(question: Question, reply: str | tuple[str, ...], columns: int) -> list[Line]:
    """What stays on the screen of a question that was answered."""
    lines = [*header(question, columns)]
    shown = printable(_spoken(question, reply))
    last = f"{lines[-1].text} {shown}"
    if len(lines) == 1 and cut(last, columns) == last:
        return [Line("class:question", lines[0].text), Line("class:answer", f" {shown}", continues=True)]
    return [*lines, *(Line("class:answer", f"{_INDENT}{line}") for line in wrapped(shown, columns - len(_INDENT)))]


def _spoken(question: Question, reply: str | tuple[str, ...]) -> str:
    if isinstance(reply, tuple):
        return ", ".join(reply) or "none"
    options = question.options if isinstance(question, (Choose, Check)) else ()
    return next((option.label for option in options if option.value == reply), reply) or "(nothing)"


def _search_line(menu: Menu, columns: int) -> Line:
    if not menu.query:
        return Line("class:placeholder", cut(f"{_INDENT}/ {_TO_SEARCH}", columns))
    # Of a long one the end is what is being typed.
    room, query = columns - len(_INDENT) - 4, printable(menu.query)
    shown = query if get_cwidth(query) <= room else f"…{_end(query, room - 1)}"
    return Line("class:search", f"{_INDENT}/ {shown}", has_cursor=True)


def _end(text: str, width: int) -> str:
    """As much of a text's end as fits."""
    while text and get_cwidth(text) > width:
        text = text[1:]
    return text


def _labels(menu: Menu, columns: int) -> list[str]:
    """The options' own lines, aligned."""
    rows = [tuple(map(printable, (option.label, *option.details))) for option in menu.shown]
    return aligned(rows, columns - len(_INDENT) - (len(_CHECKED) if menu.several else 0))


def _visible(menu: Menu, room: int) -> slice:
    """Which options there is room for, around the highlighted one; one line says how many others there are."""
    count = len(menu.shown)
    if count <= room:
        return slice(0, count)
    first = min(max((menu.place or 0) - max(room - 1, 0) // 2, 0), count - max(room - 1, 1))
    return slice(first, first + max(room - 1, 1))


def _body(menu: Menu, labels: Sequence[str], room: int, columns: int) -> list[Line]:
    """The options that there is room for, with the number of the others."""
    visible = _visible(menu, room)
    lines = [_option(menu, *pair) for pair in zip(menu.shown[visible], labels[visible], strict=True)]
    above, below = visible.start, len(menu.shown) - visible.stop
    if above or below:
        more = " and ".join([*([f"{above} more above"] if above else []), *([f"{below} more below"] if below else [])])
        lines.append(Line("class:footer", cut(f"{_INDENT}… {more}", columns)))
    return lines[: max(room, 1)]


def _option(menu: Menu, option: Option, label: str) -> Line:
    box = "" if not menu.several else _CHECKED if option.value in menu.checked else _UNCHECKED
    if option.hindrance is not None:
        return Line("class:hindered", f"{_HINDERED}{box}{label}")
    if option.value == menu.highlighted:
        return Line("class:highlighted", f"{_POINTER}{box}{label}")
    return Line("", f"{_INDENT}{box}{label}")


def _in_full(menu: Menu, labels: Sequence[str], columns: int) -> list[Line]:
    """What the highlighted option says, where its line had no room for all of it."""
    if menu.place is None or not menu.ready:
        return []
    option = menu.ready[menu.place]
    if all(printable(text) in labels[menu.place] for text in (option.label, *option.details)):
        return []
    return footer_lines([printable(" · ".join((option.label, *option.details)))], columns, "class:full")


def _reasons(options: Iterable[Option], columns: int) -> list[Line]:
    """Why some of the options cannot be chosen, and what to do about it, each reason once."""
    reasons = dict.fromkeys(option.hindrance for option in options if option.hindrance is not None)
    return footer_lines((f"{_HINDERED}{printable(reason)}" for reason in reasons), columns, "class:reason")


def _keys(question: Choose | Check) -> tuple[str, ...]:
    if isinstance(question, Check):
        return "Space checks", "a all or none", "Enter goes on"
    return "arrow keys move", "Enter chooses"


def _key_lines(does: Sequence[str], can_go_back: bool, columns: int) -> list[Line]:
    """What the keys do, broken between one and the next."""
    back = ["Esc or Ctrl-B goes back"] if can_go_back else []
    *others, last = [*does, *back, "Ctrl-C stops"]
    lines = filled([*(f"{each}," for each in others), last], columns - len(_INDENT))
    return [Line("class:footer", f"{_INDENT}{line}".rstrip()) for line in lines]
