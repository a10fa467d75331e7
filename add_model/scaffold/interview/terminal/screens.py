"""The questions on a terminal that can move its cursor: keys go in, `pages` says what is on the screen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from prompt_toolkit import print_formatted_text
from prompt_toolkit.application import Application, get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText, StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, VSplit, Window
from prompt_toolkit.layout.processors import AfterInput, ConditionalProcessor
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from add_model.scaffold.interview.conversation import Reply
from add_model.scaffold.interview.questions import Check, Choose, Question, Write
from add_model.scaffold.interview.terminal import pages
from add_model.scaffold.interview.terminal.menu import Menu, menu_of
from add_model.scaffold.interview.terminal.pages import Line
from add_model.scaffold.interview.terminal.printed import Printed, columns
from add_model.scaffold.interview.terminal.viewer import view

_STYLE = Style.from_dict(
    {
        "question": "bold",
        "answer": "fg:ansicyan",
        "highlighted": "bold fg:ansicyan",
        "hindered": "fg:ansibrightblack",
        "placeholder": "fg:ansibrightblack",
        "search": "fg:ansicyan",
        "footer": "fg:ansibrightblack",
        "full": "fg:ansicyan",
        "reason": "",
        "refused": "bold fg:ansired",
    }
)
# How long an Esc may be the beginning of what an arrow key sends.
_ESCAPE_SECONDS = 0.1


class Terminal(Printed):
    """Asks at the terminal that this process runs in."""

    def ask(self, question: Question, can_go_back: bool) -> Reply | None:
        """Puts one question; arrow keys move, typing searches, Esc and Ctrl-B go back.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the end of the input.
        """
        application = _write(question, can_go_back) if isinstance(question, Write) else _menu(question, can_go_back)
        try:
            reply: Reply | None = application.run()
        except EOFError:
            raise KeyboardInterrupt from None
        if reply is not None:
            _print(pages.answer_lines(question, reply, columns()))
        return reply

    def show_file(self, path: str, text: str) -> None:
        """Shows a file on the whole screen."""
        view(path, text)


@dataclass
class _Held:
    """What the keys change while a question stands there."""

    menu: Menu


def _menu(question: Choose | Check, can_go_back: bool) -> Application[Any]:
    held = _Held(menu_of(question))
    searchable = isinstance(question, Choose) and question.searchable

    def page() -> StyleAndTextTuples:
        size = get_app().output.get_size()
        return _fragments(pages.menu_page(question, held.menu, size.columns, size.rows - 1, can_go_back))

    control = FormattedTextControl(page, focusable=True, show_cursor=searchable)
    keys = _moving_keys(held)
    if searchable:
        _add_searching(keys, held)
    elif isinstance(question, Check):
        _add_checking(keys, held)

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        if isinstance(question, Check):
            checked = held.menu.checked
            event.app.exit(result=tuple(each.value for each in question.options if each.value in checked))
        elif held.menu.highlighted is not None:
            event.app.exit(result=held.menu.highlighted)

    return _application(Window(control, always_hide_cursor=not searchable), keys, can_go_back)


def _moving_keys(held: _Held) -> KeyBindings:
    keys = KeyBindings()
    steps = {"up": -1, "c-p": -1, "down": 1, "c-n": 1}
    jumps = {"home": -(10**9), "end": 10**9}

    def moving(steps: Callable[[], int], around: bool) -> Callable[[KeyPressEvent], None]:
        def move(_: KeyPressEvent) -> None:
            held.menu = held.menu.moved(steps(), around)

        return move

    def half_a_screen() -> int:
        return max(get_app().output.get_size().rows // 2, 1)

    for key, step in steps.items():
        keys.add(key)(moving(lambda step=step: step, around=True))  # type: ignore[misc]
    for key, step in jumps.items():
        keys.add(key)(moving(lambda step=step: step, around=False))  # type: ignore[misc]
    keys.add("pagedown")(moving(half_a_screen, around=False))
    keys.add("pageup")(moving(lambda: -half_a_screen(), around=False))
    return keys


def _add_searching(keys: KeyBindings, held: _Held) -> None:
    @keys.add(Keys.Any)
    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        typed = "".join(letter for letter in event.data if letter.isprintable())
        if typed:
            held.menu = held.menu.searching(held.menu.query + typed)

    @keys.add("backspace")
    def _(event: KeyPressEvent) -> None:
        held.menu = held.menu.searching(held.menu.query[:-1])

    @keys.add("c-u")
    def _(event: KeyPressEvent) -> None:
        held.menu = held.menu.searching("")


def _add_checking(keys: KeyBindings, held: _Held) -> None:
    @keys.add("space")
    def _(event: KeyPressEvent) -> None:
        held.menu = held.menu.toggled()

    @keys.add("a")
    def _(event: KeyPressEvent) -> None:
        held.menu = held.menu.all_toggled()


def _write(question: Write, can_go_back: bool) -> Application[Any]:
    refused: dict[str, str] = {}
    buffer = Buffer(multiline=False)
    buffer.text, buffer.cursor_position = question.default, len(question.default)

    def head() -> StyleAndTextTuples:
        return _fragments(pages.header(question, get_app().output.get_size().columns))

    def foot() -> StyleAndTextTuples:
        size = get_app().output.get_size()
        lines = pages.write_footer(question, buffer.text, refused.get(buffer.text), size.columns, can_go_back)
        return _fragments(lines[: max(size.rows - 4, 1)])

    entry = _entry(buffer, question.example)
    keys = _writing_keys(question, buffer, refused)
    above, below = (Window(FormattedTextControl(lines), dont_extend_height=True) for lines in (head, foot))
    line = VSplit([Window(width=1, height=1), _more(buffer, entry, 0), entry, _more(buffer, entry, 1)])
    application = _application(HSplit([above, line, below]), keys, can_go_back, focused=entry)
    drawn = [_cut_off(buffer, entry)]

    def draw_again(_: Any) -> None:
        # What is cut off is known once the line is drawn, and what stands to its left is drawn before.
        before, drawn[0] = drawn[0], _cut_off(buffer, entry)
        if before != drawn[0]:
            application.invalidate()

    application.after_render += draw_again
    return application


def _entry(buffer: Buffer, example: str) -> Window:
    """The line that is typed in; it scrolls sideways."""
    placeholder = AfterInput(example, "class:placeholder")
    control = BufferControl(buffer, [ConditionalProcessor(placeholder, Condition(lambda: not buffer.text))])
    return Window(control, height=1, wrap_lines=False)


def _cut_off(buffer: Buffer, entry: Window) -> tuple[bool, bool]:
    """Whether there is more of the text to the left of what is shown, and to the right."""
    hidden, info = entry.horizontal_scroll, entry.render_info
    return hidden > 0, info is not None and get_cwidth(buffer.text) - hidden > info.window_width


def _more(buffer: Buffer, entry: Window, side: int) -> Window:
    """An ellipsis where there is more of the text on that side."""
    return Window(FormattedTextControl(lambda: "…" if _cut_off(buffer, entry)[side] else " "), width=1, height=1)


def _writing_keys(question: Write, buffer: Buffer, refused: dict[str, str]) -> KeyBindings:
    """The keys of a line that is typed; what is refused is noted with the reason."""
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        reason = None if question.refuse is None else question.refuse(buffer.text)
        if reason is None:
            event.app.exit(result=buffer.text)
        else:
            refused[buffer.text] = reason

    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        # One line is asked for, and what a terminal would act upon is none of it.
        buffer.insert_text("".join(letter if letter.isprintable() else " " for letter in event.data).strip())

    @keys.add("c-d")
    def _(event: KeyPressEvent) -> None:
        if buffer.text:
            buffer.delete()
        else:
            event.app.exit(exception=EOFError)

    return keys


def _application(container: Any, keys: KeyBindings, can_go_back: bool, focused: Window | None = None) -> Application[Any]:  # fmt: skip
    @keys.add("c-c", eager=True)
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    @keys.add("escape", eager=True)
    @keys.add("c-b", eager=True)
    def _(event: KeyPressEvent) -> None:
        if can_go_back:
            event.app.exit(result=None)

    if focused is None:

        @keys.add("c-d")
        def _(event: KeyPressEvent) -> None:
            event.app.exit(exception=EOFError)

    layout = Layout(container, focused_element=focused)
    application: Application[Any] = Application(
        layout, style=_STYLE, key_bindings=keys, erase_when_done=True, color_depth=_colours()
    )
    application.ttimeoutlen = application.timeoutlen = _ESCAPE_SECONDS
    return application


def _fragments(lines: Iterable[Line]) -> StyleAndTextTuples:
    fragments: StyleAndTextTuples = []
    for line in lines:
        fragments.append((line.style, line.text))
        if line.has_cursor:
            fragments.append(("[SetCursorPosition]", ""))
        fragments.append(("", "\n"))
    return fragments[:-1]


def _print(lines: Iterable[Line]) -> None:
    """Prints lines that stay; one that goes on where another ended begins with a space."""
    fragments: StyleAndTextTuples = []
    for line in lines:
        fragments += [("", "\n")] if fragments and not line.continues else []
        fragments.append((line.style, line.text))
    print_formatted_text(FormattedText(fragments), style=_STYLE, color_depth=_colours())


def _colours() -> ColorDepth | None:
    """No colours where the environment says so, whatever the version of prompt_toolkit; otherwise what it finds."""
    return ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
