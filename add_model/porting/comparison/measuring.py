"""The places of two recordings, measured: what goes into and what comes out of each pair of calls, and how far apart it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from add_model.porting.comparison.alignment import Alignment
from add_model.porting.comparison.differences import (
    Difference,
    attends,
    difference,
    is_mask,
    refuse_not_finite,
    rounding,
)
from add_model.porting.comparison.hidden import could_be_masks, mask_difference
from add_model.porting.comparison.layouts import Both, in_one_shape, said, squeezed
from add_model.porting.recording.file import Call, Recording, TensorRecord, tensors_of
from add_model.porting.recording.writer import NAMED_VALUE

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Row:
    """One tensor that went into or came out of a pair of calls.

    Attributes:
        original, new: the two calls.
        side: "input" or "output".
        name: the argument, or where in the output it stands; "" for an output that is one tensor.
        records: the two tensors; the second is `None` for a mask that the new model lacks.
        difference: how far they are apart.
        time: when it was seen in the new model's run.
        layout: in which other layout they were held against each other, in words; "" where it is the same.
        is_cut: whether one of them is longer in one dimension, so that only what both have was compared.
    """

    original: Call
    new: Call
    side: str
    name: str
    records: tuple[TensorRecord, TensorRecord | None]
    difference: Difference
    time: int
    layout: str = ""
    is_cut: bool = False

    @property
    def noise(self) -> float:
        """The relative difference that rounding may make of these two tensors."""
        return max((rounding(record.dtype) for record in self.records[:1] if record is not None), default=0.0)


class Measuring:
    """Measures tensors of two recordings against each other; each pair of them once.

    Args:
        original, new: the recordings.
    """

    def __init__(self, original: Recording, new: Recording) -> None:
        self.original, self.new = original, new
        self._padding = _padding(original)
        self._batch = _batch(new)
        self._known: dict[tuple[str, str, bool], tuple[Difference, str, bool] | None] = {}

    def rows(self, alignment: Alignment) -> list[Row]:
        """Every place of the pairs of calls, in the order of the new model's run."""
        found = []
        for first, second in alignment.pairs:
            found += [(second.began, "input", first, second, *names) for names in _input_pairs(self, first, second)]
            if (
                first is not self.original.root or not self.original.modules
            ):  # whose outputs are a question of their own
                found += [(second.ended, "output", first, second, *names) for names in _output_pairs(first, second)]
        rows = []
        # In the order of the run, so that of several values that are no numbers the first is named.
        for time, side, first, second, name, one, other in sorted(found, key=lambda each: each[0]):
            where = f"{side} {name} of {second.path or 'the model'}".replace("  ", " ")
            measured = self.measure(one, other, where)
            if measured is not None:
                rows.append(Row(first, second, side, name, (one, other), measured[0], time, *measured[1:]))
        return rows

    def measure(
        self, first: TensorRecord, second: TensorRecord | None, where: str
    ) -> tuple[Difference, str, bool] | None:
        """How far two tensors are apart, in which layout, and whether one is cut; `None` if they cannot be compared.

        Raises:
            AddModelError: one of them holds NaN or infinity.
        """
        masks = could_be_masks(where, first, second)
        key = (first.key, "" if second is None else second.key, masks)
        if key not in self._known:
            self._known[key] = self._measured(first, second, where, masks)
        return self._known[key]

    def _measured(
        self, first: TensorRecord, second: TensorRecord | None, where: str, masks: bool
    ) -> tuple[Difference, str, bool] | None:
        if masks and first.rows is None and (second is None or second.rows is None):
            other = None if second is None else self.new.values(second)
            hidden = mask_difference(self.original.values(first), other, (where, where))
            if hidden is not None:
                return hidden, "", False
        if second is None:
            return None
        both = in_one_shape(self.original, first, self.new, second)
        if both is None:
            both = self._common(first, second)
            return None if both is None else (self._difference(first, both, where), "", True)
        if both.original.numel() == 0:
            return None
        found = self._difference(first, both, where)
        return found, said(first, second, both, self._batch), False

    def _difference(self, first: TensorRecord, both: Both, where: str) -> Difference:
        found = difference(both.original, both.new, self._give_back)
        if not (math.isfinite(found.largest) and math.isfinite(found.mean)):
            refuse_not_finite(self.original, where, both.original)
            refuse_not_finite(self.new, where, both.new)
        if found.relative > rounding(first.dtype):
            for mask in self._padding:
                fits = both.original.shape[:2] == mask.shape and both.original.dim() > 2
                if fits and not _counts_heads(both.original):
                    rest = difference(both.original[mask], both.new[mask])
                    found = min(found, rest, key=lambda each: each.relative)
        return found

    def _common(self, first: TensorRecord, second: TensorRecord) -> Both | None:
        """What both tensors have, where one is longer in one dimension: a vocabulary or positions that are padded."""
        if first.rows is not None or second.rows is not None or first.dtype[0] != second.dtype[0]:
            return None
        one, other = squeezed(first.shape), squeezed(second.shape)
        if len(one) != len(other) or sum(a != b for a, b in zip(one, other, strict=True)) != 1:
            return None
        shorter = tuple(slice(min(a, b)) for a, b in zip(one, other, strict=True))
        return Both(self.original.values(first).squeeze()[shorter], self.new.values(second).squeeze()[shorter])

    def _give_back(self, size: int) -> None:
        self.original.give_back(size)
        self.new.give_back(size)


def model_inputs(recording: Recording) -> Iterator[tuple[str, TensorRecord]]:
    """The tensors that a model was given, by their names."""
    if recording.modules:
        yield from tensors_of(dict(recording.root.inputs))
        return
    for call in recording.calls:
        if call.class_name == NAMED_VALUE and isinstance(call.outputs, TensorRecord) and call.path == "input_ids":
            yield call.path, call.outputs


def _padding(recording: Recording) -> tuple[torch.Tensor, ...]:
    """The masks, `(batch, length)`, that say which positions hold tokens: what is computed elsewhere has no meaning."""
    masks = []
    for name, record in model_inputs(recording):
        if "mask" in name and len(record.shape) == 2 and record.rows is None:
            mask = recording.values(record)
            if is_mask(mask) and not bool(attends(mask).all()):
                masks.append(attends(mask))
    return tuple(masks)


def _batch(recording: Recording) -> int | None:
    first = next(iter(model_inputs(recording)), None)
    return first[1].shape[0] if first is not None and first[1].shape else None


def _input_pairs(
    measuring: Measuring, first: Call, second: Call
) -> Iterator[tuple[str, TensorRecord, TensorRecord | None]]:
    """Inputs of the same name; the others by their values, and what is left by position; a mask that one side lacks."""
    one, other = dict(tensors_of(dict(first.inputs))), dict(tensors_of(dict(second.inputs)))
    if first.class_name == NAMED_VALUE:
        return
    for name, record in one.items():
        if name in other:
            yield name, record, other[name]
        elif "mask" in name and name in {**second.inputs}:
            yield name, record, None
    rest_of_one = {name: record for name, record in one.items() if name not in other}
    rest_of_other = {name: record for name, record in other.items() if name not in one}
    yield from _by_values(measuring, rest_of_one, rest_of_other)
    left_of_one = [record for name, record in rest_of_one.items() if "mask" not in name]
    left_of_other = [(name, record) for name, record in rest_of_other.items() if "mask" not in name]
    for record, (name, counterpart) in zip(left_of_one, left_of_other, strict=False):
        if record.dtype[0] == counterpart.dtype[0] and _could_be_one(record.shape, counterpart.shape):
            yield name, record, counterpart


def _could_be_one(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether what is called otherwise may be the same argument: angles as complex numbers are none as cosine and sine."""
    return one[-1:] == other[-1:] or len(squeezed(one)) == len(squeezed(other))


def _by_values(
    measuring: Measuring, one: dict[str, TensorRecord], other: dict[str, TensorRecord]
) -> Iterator[tuple[str, TensorRecord, TensorRecord | None]]:
    """Takes those out of both that hold the same values, and yields them."""
    for name, record in list(one.items()):
        for new_name, counterpart in list(other.items()):
            both = in_one_shape(measuring.original, record, measuring.new, counterpart)
            if both is not None and both.original.numel() and both.agrees:
                del one[name], other[new_name]
                yield new_name, record, counterpart
                break


def _output_pairs(first: Call, second: Call) -> Iterator[tuple[str, TensorRecord, TensorRecord | None]]:
    """Outputs of the same name, or else those at the same position as long as their shapes fit."""
    one, other = list(tensors_of(first.outputs)), list(tensors_of(second.outputs))
    names = dict(other)
    if any(name in names for name, _ in one) and not any(name.isdigit() for name in names):
        yield from ((name, record, names[name]) for name, record in one if name in names)
        return
    for (_, record), (name, counterpart) in zip(one, other, strict=False):
        yield name, record, counterpart


def _counts_heads(values: torch.Tensor) -> bool:
    """Whether the second dimension, as many as there are positions, is one of heads: the positions follow it."""
    return values.dim() == 4 and values.shape[1] == values.shape[2]


def values_of(value: object, unrecorded: str) -> Iterator[TensorRecord | str]:
    """Every tensor in a value, and in place of what is not recorded the name of its kind."""
    if isinstance(value, TensorRecord):
        yield value
    elif isinstance(value, Mapping) and set(value) == {unrecorded}:
        yield str(value[unrecorded])
    elif isinstance(value, (Mapping, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from values_of(item, unrecorded)
