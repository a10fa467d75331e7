"""The place where a difference begins, as a hypothesis sees it: what the original computed there, and from what."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from add_model.porting.comparison.comparing import Comparison, Place
from add_model.porting.comparison.diagnosis.budget import Budget
from add_model.porting.comparison.diagnosis.roles import ROLES, role
from add_model.porting.comparison.differences import difference, pieces, pieces_of_both, rounding
from add_model.porting.comparison.hidden import could_be_masks
from add_model.porting.comparison.layouts import in_one_shape
from add_model.porting.recording.file import Call, Recording, TensorRecord, tensors_of
from add_model.porting.recording.writer import row_count

if TYPE_CHECKING:
    import torch
    from torch import nn

# A repaired value must be this much closer to the original's than the value was.
_CLEARLY_BETTER = 0.1
_ROUNDINGS = 4.0
_MOST_HEADS = 128


@dataclass(frozen=True)
class Known:
    """A value that both models agree on, and that was there when the difference arose."""

    name: str
    value: torch.Tensor


@dataclass(frozen=True, eq=False)
class Projected:
    """What attention is computed from.

    Attributes:
        parts: query, key and value, each `(batch, length, width)`, or one that holds all three.
        calls: the calls that returned them.
    """

    parts: tuple[torch.Tensor, ...]
    calls: tuple[Call, ...]

    @property
    def is_one(self) -> bool:
        """Whether one projection returned all three."""
        return len(self.parts) == 1


@dataclass(frozen=True, eq=False)
class Scene:
    """Where the difference begins.

    Attributes:
        comparison: the two recordings and what was compared.
        place: the submodule in which the difference arises.
        target: the original's value at the first place that differs.
        found: the new model's value there, in the same shape.
        known: what the submodule was given and had computed by then, the same in both models.
        budget: how much work may be done here; everything that a cause computes of whole tensors is to be noted there.
    """

    comparison: Comparison
    place: Place
    target: torch.Tensor
    found: torch.Tensor
    known: tuple[Known, ...]
    budget: Budget

    @property
    def new(self) -> Recording:
        """The new model's recording."""
        return self.comparison.new

    @property
    def original(self) -> Recording:
        """The original's recording."""
        return self.comparison.original

    @property
    def is_leaf(self) -> bool:
        """Whether the difference arises in a submodule that calls no other."""
        return self.place.before is None and not self.children(self.place.new)

    def explains(self, repaired: torch.Tensor) -> bool:
        """Whether a value is the original's up to rounding, and clearly closer to it than the new model's is."""
        return self.matches(repaired, self.target)

    def matches(self, value: torch.Tensor, wanted: torch.Tensor) -> bool:
        """Whether a value is the wanted one up to rounding, and much closer than target and found are to each other."""
        if value.numel() != wanted.numel():
            return False
        # Somebody has computed it, from values that are mapped.
        self.budget.spend(value.numel())
        self.original.give_back(wanted.nbytes)
        self.new.give_back(wanted.nbytes)
        return self.match(pieces_of_both(value.reshape(wanted.shape), wanted), wanted)

    def match(self, parts: Iterable[tuple[torch.Tensor, torch.Tensor]], wanted: torch.Tensor) -> bool:
        """Whether a value that comes part by part, each with what is wanted there, is the wanted one; see `matches`.

        Errors only add up: nothing behind the part with which they are too many needs to be computed.
        """
        most = self._most_squared_error(wanted)
        error = 0.0
        for value, expected in parts:
            self.budget.spend(4 * value.numel())
            error += float((expected.double() - value.double()).square().sum())
            if not error <= most:
                return False
        return True

    def _most_squared_error(self, wanted: torch.Tensor) -> float:
        """What the squared errors of a value's elements may add up to, so that it still is the wanted one."""
        precision = max(rounding(record.dtype) for record in self.place.row.records if record is not None)
        relative = min(_ROUNDINGS * (precision or rounding("F32")), _CLEARLY_BETTER * self.apart)
        return relative**2 * self._squares(wanted)

    def _squares(self, values: torch.Tensor) -> float:
        for known, squares in ((self.target, self._target_squares), (self.found, self._found_squares)):
            if values is known:
                return squares
        self.budget.spend(2 * values.numel())
        return _squares(values)

    @functools.cached_property
    def _target_squares(self) -> float:
        return _squares(self.target)

    @functools.cached_property
    def _found_squares(self) -> float:
        return _squares(self.found)

    @functools.cached_property
    def apart(self) -> float:
        """How far the two values are apart, relative to the original's."""
        return difference(self.target, self.found).relative

    def alike(self, shape: Sequence[int] | None = None) -> Iterator[Known]:
        """The known values that have a shape, up to leading dimensions laid together: the target's by default."""
        wanted = self.target.shape if shape is None else shape
        for known in self.known:
            value = known.value
            if row_count(value.shape) == row_count(wanted) and value.shape[-1:] == tuple(wanted[-1:]):
                yield Known(known.name, value.reshape(tuple(wanted)))

    def alike_and_itself(self) -> Iterator[Known]:
        """The known values of the target's shape, and the one that the new model goes on with."""
        yield from self.alike()
        yield Known("what the new model goes on with", self.found)

    def children(self, call: Call) -> list[Call]:
        """The calls that a call of the new model made itself."""
        return [each for each in self.new.calls if each.parent == call.index]

    def projections(self) -> Iterator[tuple[Call, torch.Tensor]]:
        """The calls of projections that the place had made by then, each with what it returned."""
        for call in self.children(self.place.new):
            if call.ended <= self.place.row.time and self.parameter_shape(call):
                value = next((whole(self.new, record) for _, record in tensors_of(call.outputs)), None)
                if value is not None and value.is_floating_point():
                    yield call, value

    @functools.cached_property
    def projected(self) -> Projected | None:
        """What attention at the place is computed from: by their names, else the first three projections that are as
        wide as the place; of fewer, the first three."""
        target = self.target
        if target.dim() != 3 or not target.is_floating_point():
            return None
        made = [(call, value) for call, value in self.projections() if value.dim() == 3]
        one = next(((call, value) for call, value in made if value.shape[-1] == 3 * target.shape[-1]), None)
        if one is not None:
            return Projected((one[1],), (one[0],))
        named = [next((each for each in made if role(each[0].path) == name), None) for name in ROLES]
        wide = [each for each in made if each[1].shape[-1] == target.shape[-1]]
        known = [each for each in named if each is not None]
        three = known if len(known) == len(ROLES) else (wide if len(wide) >= len(ROLES) else made)[: len(ROLES)]
        if len(three) < len(ROLES) or three[0][1].shape != target.shape or three[1][1].shape != three[2][1].shape:
            return None
        return Projected(tuple(value for _, value in three), tuple(call for call, _ in three))

    def head_counts(self, width: int) -> list[int]:
        """How many heads there may be in attention of this width: what the models say first, then the usual numbers."""
        counts = [*self.attribute(self.place.path, "head")]
        if self.place.original is not None:
            module = self.original.modules.get(self.place.original.path)
            counts += [value for name, value in (module.attributes if module else {}).items() if "head" in name]
        for config in (self.new.config, self.original.config):
            counts += [value for name, value in config.items() if "head" in name]
        counts += [1 << power for power in range(8)]
        usable = [count for count in counts if type(count) is int and 0 < count <= _MOST_HEADS and width % count == 0]
        return list(dict.fromkeys(usable))

    def parameter(self, call: Call, *names: str) -> torch.Tensor | None:
        """A parameter of the submodule called in the new model, by the first of the names that it has."""
        return _parameter(self.new, call, names)

    def parameter_shape(self, call: Call) -> tuple[int, ...]:
        """The shape of the weight of the submodule called in the new model; `()` without one."""
        record = self.new.parameters.get(f"{call.path}.weight")
        return () if record is None or len(record.shape) != 2 else record.shape

    def original_parameter(self, *names: str) -> torch.Tensor | None:
        """A parameter of the original's counterpart of the place."""
        call = self.place.original
        return None if call is None else _parameter(self.original, call, names)

    def attribute(self, path: str, *words: str) -> Iterator[Any]:
        """Values of attributes whose name holds one of the words, of the submodule in the new model."""
        record = self.new.modules.get(path)
        for name, value in (record.attributes if record else {}).items():
            if any(word in name for word in words):
                yield value

    @property
    def main_input(self) -> torch.Tensor | None:
        """The first tensor that the place was given in the new model."""
        records = [record for _, record in tensors_of(dict(self.place.new.inputs))]
        return whole(self.new, records[0]) if records else None


class Finding(NamedTuple):
    """How a cause explains the values, and what to do about it at this very place."""

    explanation: str
    remedy: str


class Hypothesis(Protocol):
    """A cause that differences are known to have."""

    @property
    def name(self) -> str:
        """What it is called in reports; stable."""

    @property
    def remedy(self) -> str:
        """What to do about it."""

    @property
    def examples(self) -> Sequence[Example]:
        """Pairs of small models that differ by it."""

    def test(self, scene: Scene) -> str | Finding | None:
        """A sentence that says how it explains the values, with a remedy of its own where it has one; `None` if it does
        not."""
        ...


class Sketch(Protocol):
    """A forward pass in one line: from the parts and the input to the output."""

    def __call__(self, parts: Any, states: Any) -> Any:
        """Runs it."""
        ...


@dataclass(frozen=True)
class Example:
    """Two small models of the same parts, of which one is the other with a fault.

    Attributes:
        parts: makes the submodules; called once, both models share the weights unless `break_parts` changes them.
        right, wrong: the forward passes.
        break_parts: what is changed in the parts of the wrong one.
        inputs: makes the input.
    """

    parts: Callable[[], Mapping[str, nn.Module]]
    right: Sketch
    wrong: Sketch | None = None
    break_parts: Callable[[Any], object] | None = None
    inputs: Callable[[], torch.Tensor] | None = None


def whole(recording: Recording, record: TensorRecord) -> torch.Tensor | None:
    """A tensor's values, unless only a sample of them was stored."""
    return None if record.rows is not None else recording.values(record)


def make_scene(comparison: Comparison) -> Scene | None:
    """The scene of a comparison's first difference, where its values are complete."""
    place = comparison.place
    if place is None:
        return None
    first, second = place.row.records
    if first.rows is not None or (second is not None and second.rows is not None):
        return None
    if place.row.is_cut:
        return None
    target = comparison.original.values(first)
    budget = Budget(sum(prod(record.shape) for row in comparison.rows for record in row.records[:1]))
    if second is None:
        return Scene(comparison, place, target, target, (), budget)
    both = in_one_shape(comparison.original, first, comparison.new, second)
    if both is not None:
        target, found = both.original, both.new
    elif could_be_masks(place.row.name, first, second):
        # Of masks one may be for every query what the other is for all of them.
        found = comparison.new.values(second)
    else:
        return None
    return Scene(comparison, place, target, found, tuple(_known(comparison.new, place)), budget)


def _squares(values: torch.Tensor) -> float:
    return sum(float(piece.double().square().sum()) for piece in pieces(values))


def _known(new: Recording, place: Place) -> Iterator[Known]:
    """What the place was given, and what went into and came out of the calls that it made by then."""
    values = [(f"its input {name}", record) for name, record in tensors_of(dict(place.new.inputs))]
    calls = [call for call in new.calls if call.parent == place.new.index]
    numbers: Counter[str] = Counter()
    for call in calls:
        numbers[call.path] += 1
        if call.ended <= place.row.time:
            again = sum(each.path == call.path for each in calls) > 1
            name = f"call {numbers[call.path]} of {call.path}" if again else call.path
            values += [(f"the output of {name}", record) for _, record in tensors_of(call.outputs)][:1]
            values += [(f"the input of {name}", record) for _, record in tensors_of(dict(call.inputs))][:1]
    seen = set()
    for name, record in values:
        value = whole(new, record) if record.key not in seen else None
        seen.add(record.key)
        if value is not None:
            yield Known(name, value)


def _parameter(recording: Recording, call: Call, names: Sequence[str]) -> torch.Tensor | None:
    for name in names:
        value = recording.parameter(f"{call.path}.{name}" if call.path else name)
        if value is not None:
            return value
    return None
