"""Is the port right? Every output of the original is held against its counterpart in the new model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from add_model.porting.comparison.alignment import Alignment
from add_model.porting.comparison.differences import Difference, difference
from add_model.porting.comparison.layouts import squeezed
from add_model.porting.comparison.measuring import Measuring, Row
from add_model.porting.comparison.returned import SameValues, is_made_of
from add_model.porting.recording.file import Recording, TensorRecord, tensors_of

_SAME_WEIGHT = 1e-5
_Named = tuple[str, TensorRecord]


@dataclass(frozen=True)
class Output:
    """One output of the original.

    Attributes:
        name: where in what the original returns it stands; "" if that is one tensor.
        record: the tensor.
        counterpart: the new model's tensor; `None` without one.
        counterpart_name: where in what the new model returns it stands; `None` if it is a value inside it.
        difference: how far they are apart; `None` where they have no counterpart or other shapes.
        is_on_the_way: whether it is a state of a layer on the way to another output, which is what counts.
        is_a_weight: whether it is made of nothing that the model was given, and the new model holds it among its weights.
    """

    name: str
    record: TensorRecord
    counterpart: TensorRecord | None = None
    counterpart_name: str | None = None
    difference: Difference | None = None
    is_on_the_way: bool = False
    is_a_weight: bool = False

    @property
    def has_other_shape(self) -> bool:
        """Whether the two have other shapes, axes of one aside."""
        other = self.counterpart
        return other is not None and squeezed(self.record.shape) != squeezed(other.shape)

    def is_within(self, tolerance: float) -> bool:
        """Whether there is a counterpart of the same shape, and no element is further away than this."""
        if self.is_on_the_way or self.is_a_weight:
            return True
        return self.difference is not None and not self.has_other_shape and self.difference.largest <= tolerance


def outputs_of(original: Recording, new: Recording, alignment: Alignment, measuring: Measuring) -> tuple[Output, ...]:
    """What the original returns, each with its counterpart; nothing for an original that is no model of torch."""
    if not original.modules or not new.modules:
        return ()
    wanted, returned = list(tensors_of(original.root.outputs)), list(tensors_of(new.root.outputs))
    pairs = _Pairs(SameValues(original, new), wanted, returned, new)
    pairs.by_name_and_value()
    pairs.by_value()
    pairs.by_name()
    pairs.by_shape()
    pairs.by_axes()
    inner = list(_inner_values(new))
    aligned = _aligned(alignment)
    found = []
    for number, (name, record) in enumerate(wanted):
        if number in pairs.found:
            counterpart_name, counterpart = pairs.found[number]
            found.append(_measured(Output(name, record, counterpart, counterpart_name), measuring))
            continue
        of_call = [aligned[record.key]] if record.key in aligned else []
        same = (each for each in (*of_call, *inner) if pairs.values.same(record, each) and _same_shape(record, each))
        counterpart_inside = next(same, of_call[0] if of_call and _same_shape(record, of_call[0]) else None)
        is_a_weight = counterpart_inside is None and _is_a_weight(original, record, new)
        found.append(_measured(Output(name, record, counterpart_inside, is_a_weight=is_a_weight), measuring))
    return tuple(_with_layers(_with_misshapen(found, pairs), original))


class _Pairs:
    """The outputs of two models, paired one after the other."""

    def __init__(
        self, values: SameValues, wanted: Sequence[_Named], returned: Sequence[_Named], new: Recording
    ) -> None:
        self.values, self._wanted, self._returned, self._new = values, wanted, returned, new
        self.left = list(returned)
        self.found: dict[int, _Named] = {}

    def by_name_and_value(self) -> None:
        """Those that are called the same and hold the same."""
        self._pair(lambda one, other: _is_called_alike(one, other) and self.values.same(one[1], other[1]))

    def by_value(self) -> None:
        """Those that hold the same in the same shape."""
        self._pair(lambda one, other: _same_shape(one[1], other[1]) and self.values.same(one[1], other[1]))

    def by_name(self) -> None:
        """Those that are called the same."""
        self._pair(lambda one, other: _is_called_alike(one, other))

    def by_shape(self) -> None:
        """Those of the same shape, in their order: the last of many states is the one that counts."""
        last = len(self._wanted) - 1
        if last not in self.found and len(self.left) == 1 and len(self._wanted) > 1:
            self._take(last, lambda one, other: _same_shape(one[1], other[1]))
        left = [number for number in range(len(self._wanted)) if number not in self.found]
        if len(left) == 1:
            # So it is where the new model returns the states of all layers, and the original the last.
            last = len(self.left) - 1
            self.left = [
                each for number, each in enumerate(self.left) if number == last or not self._has_later(number)
            ]
        self._pair(lambda one, other: _same_shape(one[1], other[1]))

    def _has_later(self, number: int) -> bool:
        """Whether an output that is left is the state of a layer, and those of others follow it in the same list."""
        name, record = self.left[number]
        later = [each for each in self.left[number + 1 :] if _list_of(each[0]) is not None and _list_of(each[0]) == _list_of(name)]  # fmt: skip
        return any(_same_shape(record, each[1]) and is_made_of(self._new, each[1].key, record.key) for each in later)

    def by_axes(self) -> None:
        """The first of both, if both are left, with as many axes: what the model is for has another size."""
        if self._returned[:1] == self.left[:1]:
            self._take(0, lambda one, other: len(squeezed(one[1].shape)) == len(squeezed(other[1].shape)))

    def _pair(self, fits: object) -> None:
        for number in range(len(self._wanted)):
            self._take(number, fits)

    def _take(self, number: int, fits: object) -> None:
        assert callable(fits)
        if number in self.found:
            return
        for other in list(self.left):
            if self._wanted[number][1].dtype[0] == other[1].dtype[0] and fits(self._wanted[number], other):
                self.found[number] = other
                self.left.remove(other)
                return


def _is_called_alike(one: _Named, other: _Named) -> bool:
    return bool(one[0]) and not one[0].isdigit() and one[0] == other[0]


def _same_shape(one: TensorRecord, other: TensorRecord) -> bool:
    return squeezed(one.shape) == squeezed(other.shape)


def _inner_values(new: Recording) -> Iterator[TensorRecord]:
    """What the new model's submodules return and are given, the last first."""
    seen = set()
    for call in sorted(new.calls, key=lambda call: -call.ended):
        for _, record in (*tensors_of(call.outputs), *tensors_of(dict(call.inputs))):
            if record.key not in seen:
                seen.add(record.key)
                yield record


def _aligned(alignment: Alignment) -> dict[str, TensorRecord]:
    """The original's tensors -> what the counterparts of the submodules that returned them return."""
    found: dict[str, TensorRecord] = {}
    for first, second in alignment.pairs:
        for (_, record), (_, other) in zip(tensors_of(first.outputs), tensors_of(second.outputs), strict=False):
            if first.path:
                found.setdefault(record.key, other)
    return found


def _is_a_weight(original: Recording, record: TensorRecord, new: Recording) -> bool:
    """Whether a value is a weight of the new model, or a temperature that is kept as its logarithm."""
    if not original.flow or original.flow.get(record.key) or record.rows is not None or record.dtype[0] not in "FB":
        return False
    value = original.values(record).double().reshape(-1)
    same = [name for name, each in new.parameters.items() if squeezed(each.shape) == squeezed(record.shape)]
    held = [weight.double().reshape(-1) for weight in map(new.parameter, same) if weight is not None]
    return any(difference(value, each).relative < _SAME_WEIGHT for weight in held for each in (weight, weight.exp()))


def _measured(output: Output, measuring: Measuring) -> Output:
    if output.counterpart is None or output.has_other_shape:
        return output
    found = measuring.measure(output.record, output.counterpart, f"output {output.name}".strip())
    return output if found is None else replace(output, difference=found[0])


def _with_misshapen(found: Sequence[Output], pairs: _Pairs) -> Iterator[Output]:
    """Gives the first output without a counterpart the first of the new model's that is left, and as many axes as it."""
    left = list(pairs.left)
    for output in found:
        axes = len(squeezed(output.record.shape))
        fits = [each for each in left if output.counterpart is None and len(squeezed(each[1].shape)) == axes and each[1].dtype[0] == output.record.dtype[0]]  # fmt: skip
        if fits:
            left.remove(fits[0])
            yield replace(output, counterpart=fits[0][1], counterpart_name=fits[0][0])
        else:
            yield output


def _with_layers(found: Iterator[Output], original: Recording) -> Iterator[Output]:
    """Marks the states of the layers on the way: of a list of them, the last is the output."""
    outputs = list(found)
    for number, output in enumerate(outputs):
        later = [each for each in outputs[number + 1 :] if each.counterpart is not None and _list_of(each.name) == _list_of(output.name)]  # fmt: skip
        is_state = any(is_made_of(original, each.record.key, output.record.key) for each in later[-1:])
        alike = bool(later) and squeezed(later[-1].record.shape) == squeezed(output.record.shape)
        yield replace(output, is_on_the_way=is_state and alike)


def _list_of(name: str) -> str | None:
    """The list that an output is an item of; `None` if it is in none."""
    head, _, last = name.rpartition(".")
    return head if last.isdigit() else None


def rows_of(outputs: Sequence[Output], original: Recording, new: Recording, measuring: Measuring) -> Iterator[Row]:
    """The outputs as places."""
    for output in outputs:
        if output.counterpart is None:
            continue
        name = output.counterpart_name or output.name
        found = measuring.measure(output.record, output.counterpart, f"output {name} of the model".replace("  ", " "))
        if found is not None:
            records = (output.record, output.counterpart)
            yield Row(original.root, new.root, "output", name, records, found[0], new.root.ended, *found[1:])


def largest_of(outputs: Sequence[Output]) -> float | None:
    """The largest absolute difference of all outputs that have a counterpart of their shape; `None` if none has."""
    known = [each.difference.largest for each in outputs if each.difference is not None and not each.is_on_the_way]
    return max((value for value in known if not math.isnan(value)), default=None)


def faults_of(outputs: Sequence[Output], returned: Sequence[_Named], tolerance: float) -> Iterator[str]:
    """What keeps outputs from being compared: another shape, no counterpart, or only one inside the new model.

    Args:
        outputs: the original's, each with its counterpart.
        returned: what the new model returns.
        tolerance: the largest absolute difference that counts as equal.
    """
    if outputs and all(output.counterpart_name is None for output in outputs):
        found = [f"{name or 'it'} {list(record.shape)}" for name, record in returned]
        if found and all(output.counterpart is not None for output in outputs):
            yield f"nothing that the new model returns, {', '.join(found)}, is an output of the original, which has its values inside; let both return the same"  # fmt: skip
    for output in outputs:
        if output.is_within(tolerance) or (output.difference is not None and not output.has_other_shape):
            continue
        name = f"the output {output.name}" if output.name else "the output"
        if output.counterpart is None:
            yield f"{name} of the original, {list(output.record.shape)}, has no counterpart in the new model; let it return the same, or record the original without it"  # fmt: skip
        else:
            other = f" ({output.counterpart_name})" if output.counterpart_name not in (None, output.name, "") else ""
            yield f"{name} has the shape {list(output.record.shape)} in the original, {list(output.counterpart.shape)} in the new model{other}"  # fmt: skip
