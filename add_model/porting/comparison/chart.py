"""The picture on a comparison's page, as plain values: a point for every place, and the layers below them by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from add_model.porting.comparison.report import Line

# Differences below this are drawn at the bottom, as equal.
_LOWEST = -9
_LEFT, _TOP, _HEIGHT, _STEP = 64, 12, 260, 6
_NARROWEST = 1150
# A name takes so much room beside the next one; the names hang below the points by so much.
_LABEL_WIDTH, _LABEL_HEIGHT = 18, 112
_LONGEST_LABEL = 18


@dataclass(frozen=True)
class Point:
    """Where a place is drawn: its number, which is that of its row, and what it says."""

    number: int
    x: float
    y: float
    line: Line

    @property
    def radius(self) -> float:
        """Larger, the worse: colour is not all that tells them apart."""
        return 7 if self.line.first else {"equal": 2.5, "within": 3.0, "arranged": 3.5}.get(self.line.verdict, 4.0)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, and what stands at it; empty where there is no room for a name."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """The whole picture.

    Attributes:
        width, height: its size.
        left, right, top, bottom: the edges of the plane that the points stand in.
        points: one for every place, the larger ones first, so that none hides another.
        layers: where each layer begins, and its name.
        exponents: the powers of ten at the left.
        tolerance: the height of the tolerance.
    """

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    points: tuple[Point, ...]
    layers: tuple[Tick, ...]
    exponents: tuple[Tick, ...]
    tolerance: float


def chart(every: Sequence[Line], tolerance: float) -> Chart:
    """The picture of these places: how large each difference is, as a power of ten, over the layers in their order."""
    highest = max(1, math.ceil(max(_exponent(line.largest) for line in every)))
    width = max(_NARROWEST, _LEFT + _STEP * len(every))
    bottom, step = _TOP + _HEIGHT, (width - _LEFT - 8) / len(every)

    def up(exponent: float) -> float:
        return round(bottom - (exponent - _LOWEST) / (highest - _LOWEST) * _HEIGHT, 1)

    points = [
        Point(number, round(_LEFT + (number + 0.5) * step, 1), up(_exponent(line.largest)), line)
        for number, line in enumerate(every)
    ]
    points.sort(key=lambda point: -point.radius)
    exponents = tuple(Tick(up(exponent), f"1e{exponent}") for exponent in range(_LOWEST, highest + 1, 2))
    layers = tuple(_layers(every, step))
    return Chart(width, bottom + _LABEL_HEIGHT, _LEFT, width - 8, _TOP, bottom, tuple(points), layers, exponents, up(_exponent(tolerance)))  # fmt: skip


def layer_of(path: str) -> str:
    """What a submodule's layer is called: up to its number where it has one (`encoder.layer.0`), else its last part but one.

    The model's own name says nothing, as it stands in front of all of them.
    """
    parts = path.split(".")
    numbered = next((place for place, part in enumerate(parts) if part.isdigit()), None)
    if numbered is not None:
        return ".".join(parts[max(0, numbered - 2) : numbered + 1])
    return (parts[1] if len(parts) > 1 else parts[0]) or "model"


def _layers(every: Sequence[Line], step: float) -> list[Tick]:
    """A tick where each layer begins; where they stand too close, those of the most places are named."""
    named: dict[float, str] = {}
    sizes: dict[float, int] = {}
    for name, members in groupby(enumerate(every), key=lambda entry: layer_of(entry[1].path)):
        numbers = [number for number, _ in members]
        at = round(_LEFT + numbers[0] * step, 1)
        named[at] = name if len(name) <= _LONGEST_LABEL else f"…{name[1 - _LONGEST_LABEL :]}"
        sizes[at] = len(numbers)
    shown: list[float] = []
    for at in sorted(named, key=lambda at: (-sizes[at], at)):
        if all(abs(at - other) >= _LABEL_WIDTH for other in shown):
            shown.append(at)
    return [Tick(at, name if at in shown else "") for at, name in named.items()]


def _exponent(value: float) -> float:
    return max(_LOWEST, math.log10(value)) if value > 0 else _LOWEST
