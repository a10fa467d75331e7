"""Compares two recordings place by place, from the first layer to the last, and finds where the difference begins.

A place is what goes into a submodule, or what comes out of it. Each is held against the tolerance; where the difference
*begins* is another question: at the first place where it is more than what rounding made of what came before. So it is
found also where it is small at first and grows on its way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from add_model.errors import AddModelError
from add_model.porting.comparison.alignment import Alignment, align
from add_model.porting.comparison.differences import (
    Difference,
    attends,
    difference,
    is_mask,
    refuse_not_finite,
    rounding,
    values_of_both,
)
from add_model.porting.recording.file import Call, Recording, TensorRecord, tensors_of
from add_model.porting.recording.writer import NAMED_VALUE, UNRECORDED

if TYPE_CHECKING:
    import torch

DEFAULT_TOLERANCE = 1e-3
# A difference that is this many times the largest before it was made here, and not handed on.
_LEAP = 8.0
_SAME_INPUT = 1e-5


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
    """

    original: Call
    new: Call
    side: str
    name: str
    records: tuple[TensorRecord, TensorRecord | None]
    difference: Difference
    time: int

    @property
    def noise(self) -> float:
        """The relative difference that rounding may make of these two tensors."""
        return max((rounding(record.dtype) for record in self.records[:1] if record is not None), default=0.0)


@dataclass(frozen=True)
class Place:
    """Where the difference begins.

    Attributes:
        row: the first value that differs.
        path: the innermost submodule of the new model whose inputs agree and in whose `forward` the difference arises.
        original, new: the calls of that submodule; the original's may lack a counterpart.
        before: the submodule that is about to be called with a value that differs; `None` if it is `path`'s own output.
    """

    row: Row
    path: str
    original: Call | None
    new: Call
    before: Call | None


@dataclass(frozen=True)
class Comparison:
    """What `compare` returns; `place` is `None` where the two runs are the same up to rounding."""

    original: Recording
    new: Recording
    alignment: Alignment
    rows: tuple[Row, ...]
    place: Place | None
    tolerance: float

    @property
    def largest(self) -> float:
        """The largest absolute difference of all places."""
        return max(row.difference.largest for row in self.rows)

    @property
    def passed(self) -> bool:
        """Whether every place is within the tolerance."""
        return self.largest <= self.tolerance

    @property
    def unreached(self) -> tuple[str, ...]:
        """The names of the new model's final values that are at none of the places; "" is an output that is one tensor.

        Without them the comparison says nothing of what comes after its last place.
        """
        compared = {row.records[1].key for row in self.rows if row.records[1] is not None}
        found = tuple(name for name, record in _final_values(self.new) if record.key not in compared)
        return found if self.unrecorded is None else ("", *found)

    @property
    def unrecorded(self) -> str | None:
        """What the new model returns first, where that is of a kind of which nothing is recorded; else `None`."""
        if not self.new.modules:
            return None
        first = next(_values_of(self.new.root.outputs), None)
        return None if first is None or isinstance(first, TensorRecord) else first


def compare(
    original: Recording, new: Recording, tolerance: float = DEFAULT_TOLERANCE, weights: Iterable[tuple[str, str]] = ()
) -> Comparison:
    """Compares two recordings.

    Args:
        original, new: the recordings.
        tolerance: the largest absolute difference that counts as equal.
        weights: names of weights that became each other, (original, new), as conversion rules tell them.

    Raises:
        AddModelError: the two models did not see the same inputs, a value is NaN or infinite, or nothing of the two
            recordings can be compared.
    """
    refuse_different_inputs(original, new)
    alignment = align(original, new, weights)
    padding = _padding(original)
    rows = list(_rows(original, new, alignment, padding))
    if not rows:
        raise AddModelError(f"{original.path} and {new.path}: no two tensors of them hold values and could belong together; name the weights' correspondence with --rules")  # fmt: skip
    return Comparison(original, new, alignment, tuple(rows), _place(rows, alignment, original, new), tolerance)


def refuse_different_inputs(original: Recording, new: Recording) -> None:
    """Raises an error if the two models were given different inputs."""
    first, second = dict(_model_inputs(original)), dict(_model_inputs(new))
    names = [(name, name) for name in first if name in second]
    if not names and len(first) == len(second) == 1:
        names = [(next(iter(first)), next(iter(second)))]
    for name, other in names:
        both = values_of_both(original, first[name], new, second[other])
        if both is None:
            shapes = f"{list(first[name].shape)} and {list(second[other].shape)}"
            raise AddModelError(f"the two recordings have different inputs: {name} has the shapes {shapes}; record both with the same")  # fmt: skip
        if difference(*both).relative > _SAME_INPUT:
            raise AddModelError(f"the two recordings have different inputs: {name} differs; record both with the same input, such as --input-ids 1,2,3")  # fmt: skip


def _model_inputs(recording: Recording) -> Iterator[tuple[str, TensorRecord]]:
    if recording.modules:
        yield from tensors_of(dict(recording.root.inputs))
        return
    for call in recording.calls:
        if call.class_name == NAMED_VALUE and isinstance(call.outputs, TensorRecord) and call.path == "input_ids":
            yield call.path, call.outputs


def _final_values(recording: Recording) -> Iterator[tuple[str, TensorRecord]]:
    """The first tensor that the model returns, and what else of it a submodule returned and none took: another head's.

    What is handed out by the way, such as the states of every layer, is not final; neither is what the model makes of
    its result without a submodule, which an original may leave to its caller.
    """
    if not recording.modules:
        return
    inner = [call for call in recording.calls if call is not recording.root]
    made = {record.key for call in inner for _, record in tensors_of(call.outputs)}
    taken = {record.key for call in inner for _, record in tensors_of(dict(call.inputs))}
    every = list(tensors_of(recording.root.outputs))
    outermost = [(name, record) for name, record in every if "." not in name] or every
    for position, (name, record) in enumerate(outermost):
        if position == 0 or (record.key in made and record.key not in taken):
            yield name, record


def _values_of(value: object) -> Iterator[TensorRecord | str]:
    """Every tensor in a value, and in place of what is not recorded the name of its kind."""
    if isinstance(value, TensorRecord):
        yield value
    elif isinstance(value, Mapping) and set(value) == {UNRECORDED}:
        yield str(value[UNRECORDED])
    elif isinstance(value, (Mapping, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _values_of(item)


def _padding(recording: Recording) -> tuple[torch.Tensor, ...]:
    """The masks, `(batch, length)`, that say which positions hold tokens: what is computed elsewhere has no meaning."""
    masks = []
    for name, record in _model_inputs(recording):
        if "mask" in name and len(record.shape) == 2 and record.rows is None:
            mask = recording.values(record)
            if is_mask(mask) and not bool(attends(mask).all()):
                masks.append(attends(mask))
    return tuple(masks)


def _rows(
    original: Recording, new: Recording, alignment: Alignment, padding: tuple[torch.Tensor, ...]
) -> Iterator[Row]:
    found = []
    for first, second in alignment.pairs:
        found += [(second.began, "input", first, second, *names) for names in _input_pairs(first, second)]
        found += [(second.ended, "output", first, second, *names) for names in _output_pairs(first, second)]
    # In the order of the run, so that of several values that are no numbers the first is named.
    for time, side, first, second, name, one, other in sorted(found, key=lambda each: each[0]):
        where = f"{side} {name} of {second.path or 'the model'}".replace("  ", " ")
        measured = _measure(original, one, new, other, where, padding)
        if measured is not None:
            yield Row(first, second, side, name, (one, other), measured, time)


def _input_pairs(first: Call, second: Call) -> Iterator[tuple[str, TensorRecord, TensorRecord | None]]:
    """Inputs of the same name; the first of each by position; a mask that one side lacks."""
    one, other = dict(tensors_of(dict(first.inputs))), dict(tensors_of(dict(second.inputs)))
    if first.class_name == NAMED_VALUE:
        return
    for name, record in one.items():
        if name in other:
            yield name, record, other[name]
        elif "mask" in name and name in {**second.inputs}:
            yield name, record, None
    rest_of_one = [item for item in one.items() if item[0] not in other and "mask" not in item[0]]
    rest_of_other = [item for item in other.items() if item[0] not in one and "mask" not in item[0]]
    for (_, record), (name, counterpart) in zip(rest_of_one, rest_of_other, strict=False):
        if record.dtype[0] == counterpart.dtype[0]:
            yield name, record, counterpart


def _output_pairs(first: Call, second: Call) -> Iterator[tuple[str, TensorRecord, TensorRecord | None]]:
    """Outputs of the same name, or else those at the same position as long as their shapes fit."""
    one, other = list(tensors_of(first.outputs)), list(tensors_of(second.outputs))
    names = dict(other)
    if any(name in names for name, _ in one) and not any(name.isdigit() for name in names):
        yield from ((name, record, names[name]) for name, record in one if name in names)
        return
    for (_, record), (name, counterpart) in zip(one, other, strict=False):
        yield name, record, counterpart


def _measure(
    original: Recording,
    first: TensorRecord,
    new: Recording,
    second: TensorRecord | None,
    where: str,
    padding: tuple[torch.Tensor, ...],
) -> Difference | None:
    """How far two tensors are apart; `None` if they cannot be compared."""
    if first.rows is None and (second is None or second.rows is None):
        one, other = original.values(first), None if second is None else new.values(second)
        if _could_be_mask(where, first, second) and is_mask(one):
            return _mask_difference(one, other)
    if second is None:
        return None
    both = values_of_both(original, first, new, second)
    if both is None or both[0].numel() == 0:
        return None

    def give_back(size: int) -> None:
        original.give_back(size)
        new.give_back(size)

    found = difference(*both, give_back)
    if not (math.isfinite(found.largest) and math.isfinite(found.mean)):
        refuse_not_finite(original, where, both[0])
        refuse_not_finite(new, where, both[1])
    if found.relative > rounding(first.dtype):
        for mask in padding:
            if both[0].shape[:2] == mask.shape and both[0].dim() > 2 and not _counts_heads(both[0]):
                found = min(found, difference(both[0][mask], both[1][mask]), key=lambda each: each.relative)
    return found


def _counts_heads(values: torch.Tensor) -> bool:
    """Whether the second dimension, as many as there are positions, is one of heads: the positions follow it."""
    return values.dim() == 4 and values.shape[1] == values.shape[2]


def _could_be_mask(where: str, first: TensorRecord, second: TensorRecord | None) -> bool:
    if second is None or "BOOL" in (first.dtype, second.dtype):
        return True
    return "mask" in where and 4 in (len(first.shape), len(second.shape))


def _mask_difference(original: torch.Tensor, new: torch.Tensor | None) -> Difference | None:
    """The share of pairs of positions that only one of two masks lets attend; without a mask, all of them attend,
    or, where attention is told so in another way, those in front."""
    import torch

    first = attends(original)
    while first.dim() < 4:
        first = first[:, None]
    if new is None:
        ones = torch.ones_like(first)
        if bool(first.all()) or (first.shape[-2] > 1 and torch.equal(first, ones.tril())):
            return None
        second = ones
    else:
        second = attends(new)
        while second.dim() < 4:
            second = second[:, None]
    try:
        first, second = torch.broadcast_tensors(first, second)  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None
    return difference(first.float(), second.float())


def _place(rows: list[Row], alignment: Alignment, original: Recording, new: Recording) -> Place | None:
    noise = 0.0
    for row in rows:
        floor = max(row.noise, rounding("F32") if row.noise == 0 else 0.0)
        if row.difference.relative > max(floor, _LEAP * noise):
            return _place_of(row, alignment, original, new)
        noise = max(noise, row.difference.relative)
    return None


def _place_of(row: Row, alignment: Alignment, original: Recording, new: Recording) -> Place:
    counterparts = {second.index: first for first, second in alignment.pairs}
    if row.side == "output" or row.new.parent is None:
        return Place(row, row.new.path, row.original, row.new, None)
    around = new.calls[row.new.parent]
    maker = _maker(row, alignment, original, new)
    if maker is not None:
        return Place(row, maker.path, None, maker, None)
    return Place(row, around.path, counterparts.get(around.index), around, row.new)


def _maker(row: Row, alignment: Alignment, original: Recording, new: Recording) -> Call | None:
    """The call, without a counterpart, that made the value that differs, and without which the values would agree."""
    first, second = row.records
    if second is None:
        return None
    for call in alignment.only_new:
        given = [record for _, record in tensors_of(dict(call.inputs))]
        made = [record for _, record in tensors_of(call.outputs)]
        if call.parent != row.new.parent or len(given) != 1 or [each.key for each in made] != [second.key]:
            continue
        both = values_of_both(original, first, new, given[0]) if given[0].key != second.key else None
        if both is not None and difference(*both).relative <= rounding(first.dtype):
            return call
    return None
