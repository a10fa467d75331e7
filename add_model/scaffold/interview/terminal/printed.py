"""What is shown between questions: lines that stay, laid out for the width of the terminal."""

from __future__ import annotations

from collections.abc import Callable
from shutil import get_terminal_size

from add_model.scaffold.interview.review import Facts
from add_model.scaffold.interview.terminal.fitting import facts, printable, remark


class Printed:
    """Whatever asks, this is how it shows something."""

    def show(self, text: str) -> None:
        """Prints a remark, broken at words."""
        print("\n".join(remark(text, columns())))

    def show_facts(self, rows: Facts) -> None:
        """Prints labels, and what is said of each."""
        print("\n".join(["", *facts([(label, printable(value)) for label, value in rows], columns()), ""]))

    def show_tree(self, tree: Callable[[int], str]) -> None:
        """Prints what is laid out for the width of the terminal."""
        print(tree(columns()))


def columns() -> int:
    """How many columns the terminal has."""
    return get_terminal_size().columns
