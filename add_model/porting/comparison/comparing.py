"""Compares two recordings: whether the new model's outputs are the original's, and where they begin to differ.

These are two questions. The first is answered by the outputs: each of the original's has its counterpart, of the same shape
and within the tolerance. The second is asked only where outputs differ, be it by less than the tolerance: at which place,
what goes into a submodule or comes out of it, there is first more than what rounding made of what came before, and is never
made good again. So it is found also where it is small at first and grows on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from add_model.errors import AddModelError
from add_model.porting.comparison.alignment import Alignment, align
from add_model.porting.comparison.arrangement import MADE_GOOD, Arrangement
from add_model.porting.comparison.differences import difference, rounding, values_of_both
from add_model.porting.comparison.hidden import forgets_padding
from add_model.porting.comparison.layouts import in_one_shape
from add_model.porting.comparison.measuring import Measuring, Row, model_inputs, values_of
from add_model.porting.comparison.origin import Origin
from add_model.porting.comparison.outputs import Output, faults_of, largest_of, outputs_of, rows_of
from add_model.porting.recording.file import Call, Recording, TensorRecord, tensors_of
from add_model.porting.recording.writer import UNRECORDED

DEFAULT_TOLERANCE = 1e-3
_SAME_INPUT = 1e-5


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
class Arranged:
    """A place that differs and decides nothing, and why."""

    row: Row
    reason: str


@dataclass(frozen=True)
class Comparison:
    """What `compare` returns.

    Attributes:
        original, new: the recordings.
        alignment: the pairs of calls.
        rows: the places, in the order of the new model's run.
        outputs: what the original returns, each with its counterpart.
        place: where the difference begins; `None` where the outputs are the same up to rounding.
        arranged: the places that differ though everything behind them agrees.
        tolerance: the largest absolute difference that counts as equal.
        strict_inside: whether every place counts, and not the outputs alone.
    """

    original: Recording
    new: Recording
    alignment: Alignment
    rows: tuple[Row, ...]
    outputs: tuple[Output, ...]
    place: Place | None
    arranged: tuple[Arranged, ...]
    tolerance: float
    strict_inside: bool = False

    @property
    def _by_outputs(self) -> bool:
        """Whether it is the outputs that decide: of an original that is no model, what was recorded by name does."""
        return bool(self.outputs) and not self.strict_inside

    @property
    def largest(self) -> float:
        """The largest absolute difference of all that decides."""
        of_outputs = largest_of(self.outputs)
        if self._by_outputs and of_outputs is not None:
            return of_outputs
        return max((row.difference.largest for row in self.rows), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether every output of the original has a counterpart within the tolerance."""
        inside = self._by_outputs or self.largest <= self.tolerance
        return inside and not self.faults and all(output.is_within(self.tolerance) for output in self.outputs)

    @property
    def faults(self) -> tuple[str, ...]:
        """What keeps outputs from being compared: another shape, or no counterpart."""
        return tuple(faults_of(self.outputs, list(tensors_of(self.new.root.outputs)), self.tolerance))

    @property
    def layouts(self) -> tuple[str, ...]:
        """In which other layouts values were held against each other, each said once."""
        return tuple(dict.fromkeys(row.layout for row in self.rows if row.layout))

    @property
    def unreached(self) -> tuple[str, ...]:
        """The names of the new model's final values that are at none of the places; "" is an output that is one tensor.

        Without them the comparison says nothing of what comes after its last place.
        """
        compared = {row.records[1].key for row in self.rows if row.records[1] is not None}
        compared |= {output.counterpart.key for output in self.outputs if output.counterpart is not None}
        found = tuple(name for name, record in _final_values(self.new) if record.key not in compared)
        return found if self.unrecorded is None else ("", *found)

    @property
    def unrecorded(self) -> str | None:
        """What the new model returns first, where that is of a kind of which nothing is recorded; else `None`."""
        if not self.new.modules:
            return None
        first = next(values_of(self.new.root.outputs, UNRECORDED), None)
        return None if first is None or isinstance(first, TensorRecord) else first


def compare(
    original: Recording,
    new: Recording,
    tolerance: float = DEFAULT_TOLERANCE,
    weights: Iterable[tuple[str, str]] = (),
    strict_inside: bool = False,
) -> Comparison:
    """Compares two recordings.

    Args:
        original, new: the recordings.
        tolerance: the largest absolute difference that counts as equal.
        weights: names of weights that became each other, (original, new), as conversion rules tell them.
        strict_inside: whether every place has to be within the tolerance, and not the outputs alone.

    Raises:
        AddModelError: the two models did not see the same inputs, a value is NaN or infinite, or nothing of the two
            recordings can be compared.
    """
    refuse_different_inputs(original, new)
    alignment = align(original, new, weights)
    measuring = Measuring(original, new)
    rows = measuring.rows(alignment)
    outputs = outputs_of(original, new, alignment, measuring)
    rows += rows_of(outputs, original, new, measuring)
    if not rows and not any(output.difference is not None for output in outputs):
        raise AddModelError(f"{original.path} and {new.path}: no two tensors of them hold values and could belong together; name the weights' correspondence with --rules")  # fmt: skip
    arrangement = Arrangement(original, new, alignment, rows)
    origin = Origin(rows, alignment, new, arrangement)
    first = origin.first(_starts(origin, original, new, outputs, strict_inside))
    place = None if first is None else _place_of(first, alignment, original, new)
    arranged = tuple(
        Arranged(row, arrangement.reason(row) or MADE_GOOD) for row in origin.differing if _is_arranged(row, place)
    )
    return Comparison(
        original,
        new,
        alignment,
        tuple(rows),
        outputs,
        place,
        () if strict_inside else arranged,
        tolerance,
        strict_inside,
    )


def refuse_different_inputs(original: Recording, new: Recording) -> None:
    """Raises an error if the two models were given different inputs."""
    first, second = dict(model_inputs(original)), dict(model_inputs(new))
    names = [(name, name) for name in first if name in second]
    if not names and len(first) == len(second) == 1:
        names = [(next(iter(first)), next(iter(second)))]
    for name, other in names:
        both = in_one_shape(original, first[name], new, second[other])
        if both is None:
            shapes = f"{list(first[name].shape)} and {list(second[other].shape)}"
            raise AddModelError(f"the two recordings have different inputs: {name} has the shapes {shapes}; record both with the same")  # fmt: skip
        if both.difference().relative > _SAME_INPUT:
            raise AddModelError(f"the two recordings have different inputs: {name} differs; record both with the same input, such as --input-ids 1,2,3")  # fmt: skip


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


def _starts(
    origin: Origin, original: Recording, new: Recording, outputs: tuple[Output, ...], strict_inside: bool
) -> list[Row]:
    """The places that differ and that the search for the beginning goes back from."""
    if not outputs or strict_inside:
        return origin.differing
    wanted = {
        (output.record.key, output.counterpart.key)
        for output in outputs
        if output.counterpart is not None and not output.is_on_the_way
    }
    pairs = {(row.records[0].key, row.records[1].key) for row in origin.differing if row.records[1] is not None}
    keys = {counterpart for _, counterpart in wanted & pairs}
    starts = [row for row in origin.differing if row.records[1] is not None and row.records[1].key in keys]
    return starts or [row for row in origin.differing if _forgets_padding(row, original, new)]


def _forgets_padding(row: Row, original: Recording, new: Recording) -> bool:
    """Whether a mask of the original's has no counterpart that hides padding: that what it hides may happen not to count
    does not make the port right."""
    first, second = row.records
    inside = [call for call in new.calls if row.new.began <= call.began and call.ended <= row.new.ended]
    given = [(name, record) for call in inside for name, record in tensors_of(dict(call.inputs)) if "mask" in name]
    if second is None:
        return not given
    others = [record for _, record in given if record.key != second.key]
    if row.side == "output" or "mask" not in row.name or others or first.rows is not None or second.rows is not None:
        return False
    return forgets_padding(original.values(first), new.values(second))


def _is_arranged(row: Row, place: Place | None) -> bool:
    """Whether a place that differs is neither where the difference begins nor behind it."""
    return place is None or row.time < place.row.time


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
