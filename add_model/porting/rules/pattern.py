"""Patterns of weight names: literal text with places for numbers, and for any text.

h.{layer}.attn.weight        a number; the same name in another pattern stands for the same number
blocks.{layer+1}.weight      the number plus one: layers that are counted from one
stack.{2*layer+1}.weight     every other number: layers that alternate with something else
layer_{layer:02}/kernel      a number written with leading zeros, two digits at least
model.{rest*}                any text that is not empty
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from add_model.errors import AddModelError

Value = int | str
Values = Mapping[str, Value]

# No weight has a longer name.
LONGEST_NAME = 1000
_PLACE = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(
    r"(?:(?P<factor>[1-9]\d*)\*)?(?P<name>[a-z_][a-z_0-9]*)(?P<offset>[+-]\d+)?(?::0(?P<width>[1-9]\d?))?"
)
_TEXT = re.compile(r"(?P<name>[a-z_][a-z_0-9]*)\*")


@dataclass(frozen=True)
class Place:
    """A place in a pattern.

    Attributes:
        name: the name of what stands there.
        is_text: whether any text may stand there; otherwise it is the number `factor * value + offset`.
        factor, offset: how the number that is written follows from the value.
        width: the least number of digits, filled up with zeros.
    """

    name: str
    is_text: bool = False
    factor: int = 1
    offset: int = 0
    width: int = 1

    @property
    def expression(self) -> str:
        """What it matches, as a regular expression."""
        if self.is_text:
            return ".+"
        return r"\d+" if self.width > 1 else r"(?:0|[1-9]\d*)"

    def value(self, text: str) -> Value | None:
        """The value that a written text stands for; `None` where it stands for none."""
        if self.is_text:
            return text
        number, remainder = divmod(int(text) - self.offset, self.factor)
        return None if remainder or number < 0 or self.text(number) != text else number

    def text(self, value: Value) -> str:
        """How a value is written.

        Raises:
            ValueError: the number would be negative.
        """
        if self.is_text or isinstance(value, str):
            return str(value)
        number = self.factor * value + self.offset
        if number < 0:
            raise ValueError(f"{{{self.name}}} would be written {number}")
        return f"{number:0{self.width}d}"


@dataclass(frozen=True)
class Pattern:
    """A pattern of names, as it is written: `h.{layer}.attn.weight`."""

    text: str

    def __post_init__(self) -> None:
        if len(self.text) > LONGEST_NAME:
            raise AddModelError(f"{self.text[:40]!r}... is longer than the name of any weight; shorten it")
        names: dict[str, bool] = {}
        for place in self.places:
            if names.setdefault(place.name, place.is_text) != place.is_text:
                raise AddModelError(
                    f"{self.text!r}: {place.name} is a number in one place and a text in another; choose two names"
                )
        rest = _PLACE.sub("", self.text)
        if not self.text or "{" in rest or "}" in rest:
            raise AddModelError(f"{self.text!r} is no pattern of names; write text with places such as {{layer}}")

    def __str__(self) -> str:
        return self.text

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The places, from left to right.

        Raises:
            AddModelError: what stands between braces is none.
        """
        return tuple(_place(match[1], self.text) for match in _PLACE.finditer(self.text))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the places, each once."""
        return tuple(dict.fromkeys(place.name for place in self.places))

    def match(self, name: str) -> Values | None:
        """The values with which the pattern is written like `name`; `None` where it cannot be.

        Each place takes as much as it can, from left to right.
        """
        if not (name.startswith(self._literals[0]) and name.endswith(self._literals[-1])):
            return None
        found = self._texts(name)
        if found is None:
            return None
        values: dict[str, Value] = {}
        for place, text in zip(self.places, found, strict=True):
            value = place.value(text)
            if value is None or values.setdefault(place.name, value) != value:
                return None
        return values

    def fill(self, values: Values) -> str:
        """The name that the pattern is for these values.

        Raises:
            ValueError: a number would be negative.
        """
        places = iter(self.places)

        def filled(_: re.Match[str]) -> str:
            place = next(places)
            return place.text(values[place.name])

        return _PLACE.sub(filled, self.text)

    def _texts(self, name: str) -> Sequence[str] | None:
        """What stands in each place of a name."""
        if self._is_plain:
            found = self._expression.fullmatch(name)
            return None if found is None else found.groups()
        return _split(name, self._literals, self.places)

    @cached_property
    def _literals(self) -> list[str]:
        """What stands before, between and behind the places."""
        found = list(_PLACE.finditer(self.text))
        starts = [0, *(match.end() for match in found)]
        ends = [*(match.start() for match in found), len(self.text)]
        return [self.text[start:end] for start, end in zip(starts, ends, strict=True)]

    @cached_property
    def _is_plain(self) -> bool:
        """Whether a regular expression finds out in linear time whether a name is of this pattern.

        With two places for any text, or two numbers that nothing parts, it would try every way to part them.
        """
        between = self._literals[1:-1]
        return sum(place.is_text for place in self.places) < 2 and not any(re.fullmatch(r"\d*", part) for part in between)  # fmt: skip

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        groups = [f"({place.expression})" for place in self.places]
        parts = [re.escape(self._literals[0])]
        for group, literal in zip(groups, self._literals[1:], strict=True):
            parts += [group, re.escape(literal)]
        return re.compile("".join(parts), re.DOTALL)


def _split(name: str, literals: Sequence[str], places: Sequence[Place]) -> list[str] | None:
    """What stands in each place of a name, as the regular expression would find it; in time that is linear in the name.

    From the back it is found out from where on the rest of the pattern can be written; then each place, from the front,
    takes as much as leaves such a rest.
    """
    # The positions at which the pattern from a literal on can begin, for each literal.
    begins = [{len(name) - len(literals[-1])} if name.endswith(literals[-1]) else set()]
    longest: list[dict[int, int]] = []
    for literal, place in zip(reversed(literals[:-1]), reversed(places), strict=True):
        ends = _longest(name, place, begins[-1])
        longest.append(ends)
        begins.append({start - len(literal) for start in ends if name.endswith(literal, 0, start)})
    if 0 not in begins[-1]:
        return None
    found, position = [], 0
    for literal, ends in zip(literals, reversed(longest), strict=False):
        start = position + len(literal)
        position = ends[start]
        found.append(name[start:position])
    return found


def _longest(name: str, place: Place, ends: Set[int]) -> dict[int, int]:
    """Where a place that begins at a position can end at the latest, among some ends; without those where it cannot."""
    if place.is_text:
        end = max(ends, default=0)
        return dict.fromkeys(range(end), end)
    found: dict[int, int] = {}
    last: int | None = None
    for start in range(len(name) - 1, -1, -1):
        if not name[start].isdecimal():
            last = None
            continue
        own = start + 1 if start + 1 in ends else None
        last = last or own
        # A number is written without zeros in front, unless it is filled up with them.
        longest = last if place.width > 1 or name[start] in "123456789" else own if name[start] == "0" else None
        if longest is not None:
            found[start] = longest
    return found


def _place(text: str, pattern: str) -> Place:
    any_text = _TEXT.fullmatch(text)
    if any_text is not None:
        return Place(any_text["name"], is_text=True)
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise AddModelError(f"{pattern!r}: {{{text}}} is no place; write {{layer}}, {{layer+1}}, {{2*layer}}, {{layer:02}} or {{rest*}}")  # fmt: skip
    return Place(
        number["name"],
        factor=int(number["factor"] or 1),
        offset=int(number["offset"] or 0),
        width=int(number["width"] or 1),
    )
