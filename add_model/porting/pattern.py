"""Patterns of weight names: literal text with places for numbers, and for any text.

h.{layer}.attn.weight        a number; the same name in another pattern stands for the same number
blocks.{layer+1}.weight      the number plus one: layers that are counted from one
stack.{2*layer+1}.weight     every other number: layers that alternate with something else
layer_{layer:02}/kernel      a number written with leading zeros, two digits at least
model.{rest*}                any text that is not empty
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from add_model.errors import AddModelError

Value = int | str
Values = Mapping[str, Value]

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
        """The values with which the pattern is written like `name`; `None` where it cannot be."""
        found = self._expression.fullmatch(name)
        if found is None:
            return None
        values: dict[str, Value] = {}
        for place, text in zip(self.places, found.groups(), strict=True):
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

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        literals = re.split(r"\{[^{}]*\}", self.text)
        groups = [f"({place.expression})" for place in self.places]
        parts = [re.escape(literals[0])]
        for group, literal in zip(groups, literals[1:], strict=True):
            parts += [group, re.escape(literal)]
        return re.compile("".join(parts), re.DOTALL)


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
