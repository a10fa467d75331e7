"""Differences that are none: what is split over modules in another way, or whose lanes stand in another order."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from add_model.porting.comparison.alignment import Alignment
from add_model.porting.comparison.differences import difference, rounding
from add_model.porting.comparison.lanes import lanes_between
from add_model.porting.comparison.layouts import in_one_shape
from add_model.porting.comparison.measuring import Row
from add_model.porting.comparison.returned import SameValues, is_made_of
from add_model.porting.recording.file import Call, Recording, TensorRecord, tensors_of

# What is computed in another order may be so many times as far apart as what is computed in one step.
_ROUNDINGS = 4.0
LANES = "lanes of the heads in another order"
ELSEWHERE = "the same value stands elsewhere in the original"
BEHIND = "the original has that value behind it"
BIAS = "the bias is added outside"
MADE_GOOD = "everything that is computed from it agrees"


class Arrangement:
    """Tells which places differ by their arrangement alone, as far as the values at the place show it.

    Args:
        original, new: the recordings.
        alignment: the pairs of calls.
        rows: the places.
    """

    def __init__(self, original: Recording, new: Recording, alignment: Alignment, rows: Sequence[Row]) -> None:
        self._original, self._new, self._alignment = original, new, alignment
        self._same = SameValues(original, new)
        self._known: dict[int, str] = {}
        self._lanes: dict[int, tuple[int, ...] | None] = {}
        self._rows: Mapping[int, list[Row]] = defaultdict(list)
        self._beside: Mapping[tuple[str, ...], list[Call]] = defaultdict(list)
        for row in rows:
            if row.side == "output":
                self._rows[row.new.index].append(row)
        for call in new.calls:
            self._beside[_given(call)].append(call)

    def explains(self, row: Row) -> bool:
        """Whether a place that differs holds what the original holds in another arrangement."""
        return bool(self.reason(row))

    def reason(self, row: Row) -> str:
        """How a place that differs is arranged; "" if its values do not show it."""
        if id(row) not in self._known:
            self._known[id(row)] = self._reason(row)
        return self._known[id(row)]

    def _reason(self, row: Row) -> str:
        second = row.records[1]
        if second is None or row.is_cut:
            return ""
        if row.side == "output" and self._stands_behind(row.records[0], second):
            return BEHIND
        if row.new.index not in self._alignment.alike:
            if self._stands_elsewhere(second):
                return ELSEWHERE
            if self._has_its_bias_elsewhere(row):
                return BIAS
        own = self._lanes_of(row)
        if own is None:
            return ""
        # Queries and keys whose lanes stand in the same other order have the same products.
        others = (each for call in self._beside[_given(row.new)] for each in self._rows[call.index] if each is not row)
        return LANES if any(self._lanes_of(each) == own for each in others) else ""

    def _stands_elsewhere(self, second: TensorRecord) -> bool:
        return any(self._is(first, second) for first in self._values_of_original(second.shape))

    def _is(self, first: TensorRecord, second: TensorRecord) -> bool:
        """Whether two tensors hold the same values up to rounding: a small fault is no arrangement."""
        if not self._same.same(first, second):
            return False
        both = in_one_shape(self._original, first, self._new, second)
        return both is not None and both.difference().relative <= _ROUNDINGS * rounding(first.dtype)

    def _stands_behind(self, first: TensorRecord, second: TensorRecord) -> bool:
        """Whether the original computes from its own value the one that the new model has here: a residual, a bias or a
        norm is outside the one module, and inside the other."""
        same = (each for each in self._values_of_original(second.shape) if each.key != first.key)
        return any(self._is(each, second) and is_made_of(self._original, each.key, first.key) for each in same)

    def _has_its_bias_elsewhere(self, row: Row) -> bool:
        """Whether one of the two has a bias inside, which the other holds elsewhere, and that is all that differs."""
        first, second = row.records
        if row.side != "output" or second is None:
            return False
        sides = (self._original, row.original.path, self._new), (self._new, row.new.path, self._original)
        biases = [(own.parameter(f"{path}.bias"), other) for own, path, other in sides]
        inside = [(bias, other) for bias, other in biases if bias is not None]
        both = in_one_shape(self._original, first, self._new, second)
        if len(inside) != 1 or both is None or inside[0][0].shape != both.new.shape[-1:]:
            return False
        bias, other = inside[0]
        sign = 1 if other is self._new else -1
        gap = difference(both.original, both.new + sign * bias).relative
        if gap > _ROUNDINGS * rounding(first.dtype):
            return False
        same = (
            other.parameter(name) for name, record in other.parameters.items() if record.shape == tuple(bias.shape)
        )
        return any(value is not None and bool((value == bias).all()) for value in same)

    def _values_of_original(self, shape: Iterable[int]) -> list[TensorRecord]:
        return self._by_shape.get(_sizes(shape), [])

    @functools.cached_property
    def _by_shape(self) -> Mapping[tuple[int, ...], list[TensorRecord]]:
        found: dict[tuple[int, ...], dict[str, TensorRecord]] = defaultdict(dict)
        for call in self._original.calls:
            for _, record in (*tensors_of(call.outputs), *tensors_of(dict(call.inputs))):
                found[_sizes(record.shape)][record.key] = record
        return {shape: list(records.values()) for shape, records in found.items()}

    def _lanes_of(self, row: Row) -> tuple[int, ...] | None:
        """In which order the lanes of every head stand in the new model, where that is all that differs."""
        if id(row) not in self._lanes:
            self._lanes[id(row)] = self._found_lanes(row)
        return self._lanes[id(row)]

    def _found_lanes(self, row: Row) -> tuple[int, ...] | None:
        first, second = row.records
        if row.side != "output" or second is None or f"{row.new.path}.weight" not in self._new.parameters:
            return None
        both = in_one_shape(self._original, first, self._new, second)
        if both is None or both.is_reshaped or not both.new.is_floating_point() or both.new.dim() < 2:
            return None
        return lanes_between(both.original, both.new, _ROUNDINGS * rounding(first.dtype))


def _given(call: Call) -> tuple[str, ...]:
    return tuple(record.key for _, record in tensors_of(dict(call.inputs)))


def _sizes(shape: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(size for size in shape if size != 1))
