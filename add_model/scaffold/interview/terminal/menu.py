"""A list to choose from, as a value: which options are shown, which one is highlighted, which are checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from add_model.scaffold.interview.questions import Check, Choose, Option

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Menu:
    """A list of options with a highlight that moves over those that can be chosen.

    Attributes:
        options: all of them.
        query: what is searched for.
        highlighted: the value of the option that Enter takes; `None` where none can be taken.
        several: whether several can be chosen, by checking them.
        checked: the values that are checked.
    """

    options: tuple[Option, ...]
    query: str = ""
    highlighted: str | None = None
    several: bool = False
    checked: frozenset[str] = frozenset()

    @cached_property
    def shown(self) -> tuple[Option, ...]:
        """The options that are searched for, the best ones first; what cannot be chosen stands last."""
        found = found_by(self.query, self.options) if self.query.strip() else self.options
        return tuple(sorted(found, key=lambda option: option.hindrance is not None))

    @property
    def ready(self) -> tuple[Option, ...]:
        """Those that can be chosen."""
        return tuple(option for option in self.shown if option.hindrance is None)

    @property
    def place(self) -> int | None:
        """Where among `shown` the highlight is."""
        return next((place for place, option in enumerate(self.ready) if option.value == self.highlighted), None)

    def moved(self, steps: int, around: bool = True) -> Menu:
        """The highlight so many lines further down; past an end it comes in again at the other, or stays there."""
        count = len(self.ready)
        if not count:
            return self
        place = (self.place or 0) + steps
        place = place % count if around else min(max(place, 0), count - 1)
        return replace(self, highlighted=self.ready[place].value)

    def searching(self, query: str) -> Menu:
        """The list of what is found by other words, the best one highlighted."""
        found = replace(self, query=query, highlighted=None)
        return replace(found, highlighted=found.ready[0].value if found.ready else None)

    def toggled(self) -> Menu:
        """The highlighted option checked, or no longer."""
        return self if self.highlighted is None else replace(self, checked=self.checked ^ {self.highlighted})

    def all_toggled(self) -> Menu:
        """Every option checked; none, where all of them are."""
        every = frozenset(option.value for option in self.ready)
        return replace(self, checked=frozenset() if every <= self.checked else every)


def menu_of(question: Choose | Check) -> Menu:
    """The list that a question begins with."""
    checked = frozenset(option.value for option in question.options if option.checked)
    menu = Menu(question.options, several=isinstance(question, Check), checked=checked).searching("")
    proposed = question.default if isinstance(question, Choose) else None
    at_proposed = replace(menu, highlighted=proposed)
    return menu if at_proposed.place is None else at_proposed


def found_by(query: str, options: Iterable[Option]) -> list[Option]:
    """The options that a query may mean: of exactly that name, then of names that begin so, then by what is said of them."""
    ranked = [(rank, option) for option in options if (rank := _rank(query, option)) is not None]
    return [option for _, option in sorted(ranked, key=lambda pair: pair[0])]


def _rank(query: str, option: Option) -> int | None:
    """How well an option fits, from 0; `None` where it does not."""
    wanted, name = _bare(query), _bare(option.label)
    if wanted and wanted in name:
        return 0 if wanted == name else 1 if name.startswith(wanted) else 2
    said = [word.lower() for text in (option.label, *option.details) for word in _WORD.findall(text)]
    words = _WORD.findall(query.lower())
    return 3 if words and all(any(other.startswith(word) for other in said) for word in words) else None


def _bare(text: str) -> str:
    return "".join(_WORD.findall(text.lower()))
