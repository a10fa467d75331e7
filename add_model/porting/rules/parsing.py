"""The steps of a rules file as they are written: `{ split = 0, parts = 3 }`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from add_model.porting.rules.changing import METHODS, Merge, Resize, Rows
from add_model.porting.rules.operations import (
    DTYPES,
    MOST_AXES,
    Cast,
    Concatenate,
    Operation,
    Permute,
    Reshape,
    Split,
    Stack,
    Transpose,
    Unstack,
)
from add_model.porting.rules.rearranging import Rotary

# More rows than any table has, and longer sides than any grid of patches.
_MOST_ROWS, _LONGEST_SIDE = 1 << 24, 1 << 12


def parse_operation(table: Mapping[str, Any]) -> Operation:
    """Reads one step of a rules file.

    Raises:
        ValueError: it is none, or has a value of the wrong kind.
    """
    for name, (read, options) in _READERS.items():
        if name in table:
            unknown = set(table) - {name} - options
            if unknown:
                raise ValueError(f"{name} knows no {', '.join(sorted(unknown))}; it knows {', '.join(sorted(options)) or 'no options'}")  # fmt: skip
            return read(table)
    given = ", ".join(table) or "nothing"
    raise ValueError(f"unknown operation {given}; known are: {', '.join(_READERS)}")


def _transpose(table: Mapping[str, Any]) -> Operation:
    axes = _integers(table, "transpose")
    if len(axes) != 2:
        raise ValueError(f"transpose takes two axes such as [0, 1], not {list(axes)}")
    return Transpose(axes[0], axes[1])


def _cast(table: Mapping[str, Any]) -> Operation:
    if table["cast"] not in DTYPES:
        raise ValueError(f"cast to {table['cast']!r} is unknown; choose one of: {', '.join(DTYPES)}")
    return Cast(table["cast"])


def _reshape(table: Mapping[str, Any]) -> Operation:
    shape = _integers(table, "reshape") if table["reshape"] != [] else ()
    if any(size < -1 for size in shape) or shape.count(-1) > 1 or len(shape) > MOST_AXES:
        raise ValueError(f"reshape takes sizes, one of which may be -1, not {list(shape)}")
    return Reshape(shape)


def _split(table: Mapping[str, Any]) -> Operation:
    if ("parts" in table) == ("sizes" in table):
        raise ValueError("split takes either parts or sizes, such as { split = 0, parts = 3 }")
    if "sizes" in table:
        sizes = _integers(table, "sizes")
        if any(size < 0 for size in sizes):
            raise ValueError(f"sizes must not be negative: {list(sizes)}")
        return Split(_integer(table, "split"), sizes=sizes)
    return Split(_integer(table, "split"), parts=_positive(table, "parts"))


def _every(table: Mapping[str, Any]) -> int | None:
    return _positive(table, "every") if "every" in table else None


def _rotary(table: Mapping[str, Any]) -> Operation:
    back = table.get("back", False)
    if not isinstance(back, bool):
        raise ValueError(f"back must be true or false, not {back!r}")
    return Rotary(_positive(table, "rotary"), _positive(table, "rows") if "rows" in table else None, back)


def _rows(table: Mapping[str, Any]) -> Operation:
    rows = _positive(table, "rows")
    if rows > _MOST_ROWS:
        raise ValueError(f"rows must be at most {_MOST_ROWS}, not {rows}")
    return Rows(rows, number_of(table, "fill") if "fill" in table else None)


def _resize(table: Mapping[str, Any]) -> Operation:
    grid, first, method = _integers(table, "resize"), table.get("first", 0), table.get("method", METHODS[0])
    if len(grid) != 2 or not all(0 < size <= _LONGEST_SIDE for size in grid):
        raise ValueError(f"resize takes the two sides of a grid such as [16, 16], not {list(grid)}")
    if method not in METHODS:
        raise ValueError(f"method {method!r} is unknown; choose one of: {', '.join(METHODS)}")
    if not isinstance(first, int) or isinstance(first, bool) or first < 0:
        raise ValueError(f"first must be a number of rows, not {first!r}")
    return Resize((grid[0], grid[1]), first, method)


def number_of(table: Mapping[str, Any], key: str) -> float:
    """A number of a table; raises `ValueError` where it is none."""
    value = table[key]
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{key} must be a number, not {value!r}")
    return float(value)


_READERS = {
    "transpose": (_transpose, set[str]()),
    "permute": (lambda table: Permute(_integers(table, "permute")), set[str]()),
    "reshape": (_reshape, set[str]()),
    "cast": (_cast, set[str]()),
    "split": (_split, {"parts", "sizes"}),
    "unstack": (lambda table: Unstack(_integer(table, "unstack")), set[str]()),
    "concatenate": (lambda table: Concatenate(_integer(table, "concatenate"), _every(table)), {"every"}),
    # Its option has the name of the step below.
    "rotary": (_rotary, {"rows", "back"}),
    "rows": (_rows, {"fill"}),
    "resize": (_resize, {"first", "method"}),
    "merge": (lambda table: Merge(number_of(table, "merge")), set[str]()),
    "stack": (lambda table: Stack(_integer(table, "stack"), _every(table)), {"every"}),
}


def _integer(table: Mapping[str, Any], key: str) -> int:
    value = table[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{key} must be a whole number, not {value!r}")
    return value


def _positive(table: Mapping[str, Any], key: str) -> int:
    value = _integer(table, key)
    if value < 1:
        raise ValueError(f"{key} must be at least 1, not {value}")
    return value


def _integers(table: Mapping[str, Any], key: str) -> tuple[int, ...]:
    values = table[key]
    if not isinstance(values, list) or not values or any(isinstance(value, bool) for value in values):
        raise ValueError(f"{key} must be a list of whole numbers, not {values!r}")
    return tuple(_integer({key: value}, key) for value in values)
