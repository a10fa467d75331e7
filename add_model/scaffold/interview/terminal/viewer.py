"""A file to read on the whole screen, before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prompt_toolkit.application import Application, get_app
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from add_model.scaffold.interview.terminal.fitting import cut, printable

_TAB = 4
_SIDEWAYS = 20


@dataclass
class _Place:
    """The first line and the first column that are shown."""

    line: int = 0
    column: int = 0


def view(path: str, text: str) -> None:
    """Shows a file until the reader has had enough of it.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    lines = [printable(line.expandtabs(_TAB)) for line in text.splitlines()]
    place = _Place()

    def page() -> StyleAndTextTuples:
        size = get_app().output.get_size()
        return [("", "\n".join(page_of(path, lines, place.line, place.column, size.columns, size.rows)))]

    keys = KeyBindings()

    def move(down: int = 0, right: int = 0) -> None:
        rows = get_app().output.get_size().rows - 2
        place.line = min(max(place.line + down, 0), max(len(lines) - rows, 0))
        place.column = max(place.column + right, 0)

    def screen() -> int:
        return max(get_app().output.get_size().rows - 3, 1)

    moves = {"up": -1, "k": -1, "down": 1, "j": 1, "home": -len(lines), "end": len(lines)}
    for key, down in moves.items():
        keys.add(key)(lambda _, down=down: move(down))
    for key in ("pagedown", "space"):
        keys.add(key)(lambda _: move(screen()))
    keys.add("pageup")(lambda _: move(-screen()))
    keys.add("right")(lambda _: move(right=_SIDEWAYS))
    keys.add("left")(lambda _: move(right=-_SIDEWAYS))

    @keys.add("q")
    @keys.add("enter")
    @keys.add("escape", eager=True)
    @keys.add("c-b")
    def _(event: KeyPressEvent) -> None:
        event.app.exit()

    @keys.add("c-c")
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    control = FormattedTextControl(page, focusable=True, show_cursor=False)
    application: Application[Any] = Application(
        Layout(Window(control, always_hide_cursor=True)), key_bindings=keys, full_screen=True
    )
    application.ttimeoutlen = application.timeoutlen = 0.1
    application.run()


def page_of(path: str, lines: list[str], line: int, column: int, columns: int, rows: int) -> list[str]:
    """The lines of the screen: the file's name, as much of it as there is room for, and which part that is."""
    shown = lines[line : line + max(rows - 2, 1)]
    part = f"lines {line + 1} to {line + len(shown)} of {len(lines)}" if shown else "empty"
    body = [cut(text[column:], columns) for text in shown]
    return [cut(path, columns), *body, cut(f"{part}: arrow keys move, Esc goes back", columns)]
