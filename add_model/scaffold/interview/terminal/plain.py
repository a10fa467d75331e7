"""The questions on a terminal that can only print lines: numbers and words are typed, nothing is highlighted."""

from __future__ import annotations

from collections.abc import Sequence

from add_model.scaffold.interview.conversation import Reply
from add_model.scaffold.interview.questions import Check, Choose, Option, Question, Write
from add_model.scaffold.interview.terminal.fitting import aligned, printable
from add_model.scaffold.interview.terminal.menu import found_by, menu_of
from add_model.scaffold.interview.terminal.printed import Printed, columns

BACK = "<"
# Of longer lists the rest is found by searching.
_MOST = 20
_TO_GO_BACK = f"{BACK} goes back"


class PlainTerminal(Printed):
    """Asks line by line."""

    def ask(self, question: Question, can_go_back: bool) -> Reply | None:
        """Puts one question, until the answer is one.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the end of the input.
        """
        self.show(f"? {question.message}")
        if isinstance(question, Write):
            return self._write(question, can_go_back)
        if isinstance(question, Check):
            return self._check(question, can_go_back)
        return self._choose(question, can_go_back)

    def show_file(self, path: str, text: str) -> None:
        """Prints a file."""
        print(f"--- {path}")
        print("\n".join(printable(line.expandtabs(4)) for line in text.splitlines()))

    def _choose(self, question: Choose, can_go_back: bool) -> str | None:
        proposed, options = menu_of(question).highlighted, menu_of(question).shown
        listed = self._listed(options)
        while True:
            hint = f"a number{', or words to search' if question.searchable else ''}"
            label = next((option.label for option in listed if option.value == proposed), None)
            typed = self._typed(hint, can_go_back, label)
            if typed == BACK and can_go_back:
                return None
            if not typed and label is not None:
                return proposed
            if typed.isdecimal() and 0 < int(typed) <= len(listed):
                return listed[int(typed) - 1].value
            found = found_by(typed, question.options) if typed and question.searchable else []
            if found:
                # What is found is shown before it is taken.
                listed = self._listed(sorted(found, key=lambda option: option.hindrance is not None))
                proposed = listed[0].value if listed else None
            else:
                self.show(f"  {typed or 'nothing'}: no such choice")

    def _check(self, question: Check, can_go_back: bool) -> tuple[str, ...] | None:
        checked = {option.value for option in question.options if option.checked}
        while True:
            marked = [Option(option.value, f"[{'x' if option.value in checked else ' '}] {option.label}", option.details) for option in question.options]  # fmt: skip
            self._listed(marked)
            typed = self._typed("numbers to check or not, such as 1 3", can_go_back, "as it stands")
            if typed == BACK and can_go_back:
                return None
            if not typed:
                return tuple(option.value for option in question.options if option.value in checked)
            numbers = typed.replace(",", " ").split()
            if not all(number.isdecimal() and 0 < int(number) <= len(marked) for number in numbers):
                self.show(f"  {typed}: no such choice")
                continue
            checked ^= {question.options[int(number) - 1].value for number in numbers}

    def _write(self, question: Write, can_go_back: bool) -> str | None:
        if question.example:
            self.show(f"  {question.example}")
        while True:
            typed = self._typed("a line", can_go_back, question.default, emptied=bool(question.default))
            if typed == BACK and can_go_back:
                return None
            text = typed or question.default
            refused = question.refuse(text) if question.refuse is not None else None
            if refused is None:
                if question.preview is not None:
                    self.show(f"  {question.preview(text)}")
                return text
            self.show(f"  {refused}")

    def _listed(self, options: Sequence[Option]) -> list[Option]:
        """Prints options with numbers, those that can be chosen; returns these."""
        ready = [option for option in options if option.hindrance is None]
        shown = [*ready, *(option for option in options if option.hindrance is not None)][:_MOST]
        numbers = [f"{number:>3} " if option in ready else "  - " for number, option in enumerate(shown, 1)]
        rows = [tuple(map(printable, (option.label, *option.details))) for option in shown]
        for number, line in zip(numbers, aligned(rows, columns() - 4), strict=True):
            print(f"{number}{line}")
        if len(options) > len(shown):
            self.show(f"  … {len(options) - len(shown)} more")
        for reason in dict.fromkeys(option.hindrance for option in options if option.hindrance is not None):
            self.show(f"  - {reason}")
        return [option for option in shown if option in ready]

    def _typed(self, hint: str, can_go_back: bool, proposed: str | None, emptied: bool = False) -> str:
        """What is typed, without the space around it; a space alone is a text that was emptied."""
        keys = [hint, *([f"Enter: {proposed}"] if proposed else []), *(["a space: nothing"] if emptied else [])]
        self.show(f"  {', '.join([*keys, *([_TO_GO_BACK] if can_go_back else [])])}")
        try:
            typed = input("> ")
        except EOFError:
            raise KeyboardInterrupt from None
        return " " if emptied and typed and not typed.strip() else typed.strip()
