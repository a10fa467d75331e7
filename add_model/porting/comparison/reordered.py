"""What the original returned in the order in which the rules put the rows of its weights: query and key for another
rotation, a fused projection head by head."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from add_model.porting.recording.file import Call, Order, Recording, TensorRecord, tensors_of
from add_model.porting.rules.expansion import Move, expand
from add_model.porting.rules.operations import Operation, Permute, Reshape, Transpose
from add_model.porting.rules.rearranging import Rotary
from add_model.porting.rules.rule import Rules

if TYPE_CHECKING:
    import torch

# Steps that move numbers, and change none.
_MOVING = (Transpose, Permute, Reshape, Rotary)
# Of larger weights it is not asked where each of their numbers goes.
_MOST_NUMBERS = 1 << 26


def as_the_rules_order(rules: Rules, original: Recording, new: Recording) -> Recording:
    """The original's recording, in which the values that its reordered modules returned, and their weights, are read in
    the order that they have in the new model."""
    orders: dict[str, Order] = dict(original.orders)
    known: dict[tuple[tuple[Operation, ...], tuple[int, ...]], Order | None] = {}
    for move in expand(rules, list(original.parameters)).moves:
        names = _one_to_one(move)
        record = original.parameters.get(names[0]) if names else None
        if names is None or record is None or move.rule is None or names[1] not in new.parameters:
            continue
        key = (move.rule.operations, record.shape)
        if key not in known:
            known[key] = _order_of(*key)
        order = known[key]
        if order is None:
            continue
        if record.key is not None:
            orders[record.key] = order
        for returned in _returned(original, names[0], len(order.numbers)):
            orders[returned.key] = Order(-1, order.numbers)
    return replace(original, orders=orders)


def _one_to_one(move: Move) -> tuple[str, str] | None:
    """The names of a weight that becomes one other by steps that only move its numbers, and of that one."""
    rule = move.rule
    if rule is None or rule.spread or len(move.sources) != 1 or len(rule.targets) != 1 or not rule.operations:
        return None
    if not all(isinstance(step, _MOVING) for step in rule.operations):
        return None
    return move.sources[0], move.targets(1)[0]


def _order_of(steps: Sequence[Operation], shape: tuple[int, ...]) -> Order | None:
    """The axis of a weight along which what is returned lies, and the order in which the steps put it; `None` where
    they leave it as it is, or do something else."""
    import torch

    if len(shape) not in (1, 2) or not 0 < math.prod(shape) <= _MOST_NUMBERS:
        return None
    for axis, size in enumerate(shape):
        numbers = torch.arange(size, dtype=torch.int32).view([-1 if each == axis else 1 for each in range(len(shape))])
        rows = _moved(numbers.expand(shape), steps)
        if rows is None or len(rows) != size or not bool((rows == rows[:, :1]).all()):
            continue
        order = rows[:, 0].long()
        if torch.equal(order, torch.arange(size)):
            return None
        return Order(axis, tuple(order.tolist())) if torch.equal(order.sort().values, torch.arange(size)) else None
    return None


def _moved(numbers: torch.Tensor, steps: Sequence[Operation]) -> torch.Tensor | None:
    """What numbers become, `(rows, the rest of each)`; `None` where the steps cannot be done to them."""
    try:
        shapes = [tuple(numbers.shape)]
        for step in steps:
            shapes = step.shapes(shapes)
        tensors = [numbers]
        for step in steps:
            tensors = step.apply(tensors)
    except ValueError:
        return None
    return tensors[0].reshape(len(tensors[0]), -1)


def _returned(recording: Recording, weight: str, size: int) -> Iterator[TensorRecord]:
    """What the module of a weight returned, where that has one number for each of its rows: a table has not."""
    path = weight[: max(weight.rfind("."), 0)]
    for call in recording.calls:
        if call.path != path or not _multiplies(call):
            continue
        for _, record in tensors_of(call.outputs):
            if record.shape[-1:] == (size,):
                yield record


def _multiplies(call: Call) -> bool:
    given = next((record for _, record in tensors_of(dict(call.inputs))), None)
    return given is not None and given.dtype[0] in "FB" and given.dtype != "BOOL"
