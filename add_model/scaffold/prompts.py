"""The terminal's side of the interview: each question put through questionary, nothing decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import questionary
from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Always, Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from questionary.prompts.common import InquirerControl

from add_model.scaffold.questions import Check, Choose, Option, Question, Write
from add_model.visible import visible, visible_lines

_STYLE = questionary.Style(
    [
        ("highlighted", "bold fg:ansicyan"),
        ("pointer", "bold fg:ansicyan"),
        ("selected", "fg:ansicyan"),
        ("disabled", "fg:ansibrightblack"),
        ("placeholder", "fg:ansibrightblack"),
        ("bottom-toolbar", "noreverse fg:ansicyan"),
    ]
)


class Terminal:
    """Asks at the terminal that this process runs in."""

    def ask(self, question: Question) -> str | tuple[str, ...]:
        """Puts one question; arrow keys move, typing searches.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the end of the input.
        """
        try:
            answer = _prompt(question).unsafe_ask()
        except EOFError:
            raise KeyboardInterrupt from None
        return tuple(answer) if isinstance(question, Check) else str(answer)

    def show(self, text: str) -> None:
        """Prints a text."""
        print(visible_lines(text))


def _prompt(question: Question) -> questionary.Question:
    if isinstance(question, Choose):
        return _choose(question)
    if isinstance(question, Check):
        return questionary.checkbox(
            visible(question.message), [_choice(option) for option in question.options], style=_STYLE
        )
    return _write(question)


def _choose(question: Choose) -> questionary.Question:
    prompt = questionary.select(
        visible(question.message),
        [_choice(option) for option in question.options],
        default=question.default,
        style=_STYLE,
        use_search_filter=question.searchable,
        use_jk_keys=not question.searchable,
        instruction="(arrow keys, or type to search)" if question.searchable else "(arrow keys)",
    )
    return _searchable(prompt) if question.searchable else prompt


def _write(question: Write) -> questionary.Question:
    keywords: dict[str, Any] = {"placeholder": [("class:placeholder", visible(question.example))]}
    if question.preview is not None:
        keywords["bottom_toolbar"] = _toolbar(question.preview)
    return questionary.text(
        visible(question.message), default=question.default, validate=_validator(question), style=_STYLE, **keywords
    )


def _choice(option: Option) -> questionary.Choice:
    hindrance = None if option.hindrance is None else visible(option.hindrance)
    return questionary.Choice(visible(option.label), option.value, disabled=hindrance, checked=option.checked)


def _validator(question: Write) -> Callable[[str], bool | str]:
    refuse = question.refuse or (lambda text: None)
    return lambda text: visible(refuse(text) or "") or True


def _toolbar(preview: Callable[[str], str]) -> Callable[[], str]:
    return lambda: visible(preview(get_app().current_buffer.text))


def _searchable(prompt: questionary.Question) -> questionary.Question:
    """Keeps what is searched for right below the list, and Enter from choosing while the search finds nothing.

    The whole list is shown again then, and nobody means its first line.
    """
    windows = prompt.application.layout.find_all_windows()
    window = next(window for window in windows if isinstance(window.content, InquirerControl))
    window.dont_extend_height = Always()
    control = window.content
    assert isinstance(control, InquirerControl)
    own = KeyBindings()

    @Condition
    def finds_nothing() -> bool:
        # Looking at the choices brings `found_in_search` up to date.
        return bool(control.search_filter and control.filtered_choices) and not control.found_in_search

    @own.add("enter", eager=True, filter=finds_nothing)
    def _(event: KeyPressEvent) -> None:
        pass

    theirs = prompt.application.key_bindings
    prompt.application.key_bindings = merge_key_bindings([*([theirs] if theirs is not None else []), own])
    return prompt
