"""The plan of a conversion: where every weight of the new model comes from, or what keeps it open. Reads no values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from add_model.nearest import close
from add_model.porting.checkpoints.formats import SAFETENSORS_TYPES, Weight
from add_model.porting.rules.expansion import Expansion, Move, expand
from add_model.porting.rules.operations import Cast, Operation, output_shapes
from add_model.porting.rules.rule import Keep, Rule, Rules, Share

if TYPE_CHECKING:
    from torch import nn


_MOST_OFFERS = 20
_APART = "save real and imaginary part as two weights (torch.view_as_real) in the original's environment, or drop it"
_ROTARY_KEYS = ("rope_parameters", "rope_theta", "rotary_dim", "rotary_pct")


@dataclass(frozen=True)
class NewWeights:
    """What a new model has to be filled with.

    Attributes:
        weights: name -> shape and type of every parameter and every buffer that is saved; of tied ones the first.
        buffers: the names of those that are buffers.
        tied: other names of the same weight -> its name in `weights`.
        ignored: regular expressions of what checkpoints may hold and the class says that it does not need.
        class_name: the name of its class.
        rotates: whether it turns query and key by their position, before they are compared.
    """

    weights: Mapping[str, Weight]
    buffers: frozenset[str] = frozenset()
    tied: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    class_name: str = "the new model"
    rotates: bool = False


@dataclass(frozen=True)
class Filling:
    """Weights of the checkpoint that are read together, and the weights of the new model that they become.

    Attributes:
        move: which weights, by which rule.
        operations: what is done to them.
        targets: a name in the new model for each tensor that the operations lead to.
        weights: their shapes and types.
    """

    move: Move
    operations: tuple[Operation, ...]
    targets: tuple[str, ...]
    weights: tuple[Weight, ...]


@dataclass(frozen=True)
class Plan:
    """Where every weight of the new model comes from.

    Attributes:
        new: what has to be filled.
        old: what the checkpoint holds.
        fillings: in the order of the rules.
        repeats: fillings of a tied weight that is filled already: both must hold the same.
        shared: name in the new model -> name in the new model of the weight that it gets the same as.
        kept: buffer of the new model -> why it keeps what the class gives it, or weight -> why it is a constant.
        dropped: weight of the checkpoint -> why it is not needed.
        repeated: weight of the checkpoint -> the weight of the checkpoint that it must be equal to.
        problems: everything that is open or wrong, a line each.
        constants: weight of the new model -> the number that it holds all over.
    """

    new: NewWeights
    old: Mapping[str, Weight]
    fillings: tuple[Filling, ...]
    repeats: tuple[Filling, ...]
    shared: Mapping[str, str]
    kept: Mapping[str, str]
    dropped: Mapping[str, str]
    repeated: Mapping[str, str]
    problems: tuple[str, ...]
    constants: Mapping[str, float] = field(default_factory=dict)

    @property
    def written(self) -> dict[str, Weight]:
        """Name -> shape and type of every weight that is written, in the new model's order."""
        types = {target: weight for filling in self.fillings for target, weight in zip(filling.targets, filling.weights, strict=True)}  # fmt: skip
        types.update({name: types[original] for name, original in self.shared.items() if original in types})
        return {name: types.get(name, weight) for name, weight in self.new.weights.items()}


def new_weights(model: nn.Module) -> NewWeights:
    """What a model, built on any device, has to be filled with."""
    weights: dict[str, Weight] = {}
    tied: dict[str, str] = {}
    first: dict[int, str] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        original = first.setdefault(id(tensor), name)
        if original == name:
            weights[name] = Weight(tuple(tensor.shape), tensor.dtype)
        else:
            tied[name] = original
    buffers = frozenset(name for name, _ in model.named_buffers()) & frozenset(weights)
    ignored = tuple(getattr(model, "_ignored_checkpoint_keys", ()))
    return NewWeights(weights, buffers, tied, ignored, type(model).__name__, _rotates(model))


def _rotates(model: nn.Module) -> bool:
    """Whether a model has a module for rotary positions, or a configuration that speaks of them."""
    config = getattr(model, "config", None)
    if any(getattr(config, name, None) for name in _ROTARY_KEYS):
        return True
    return any(re.search(r"rotary|rope", type(module).__name__, re.IGNORECASE) for module in model.modules())


def make_plan(rules: Rules, old: Mapping[str, Weight], new: NewWeights) -> Plan:
    """Lays the weights of a checkpoint and those of a new model side by side, as the rules say."""
    expansion = expand(rules, list(old))
    problems = list(expansion.problems)
    dropped = {name: rule.reason for name, rule in expansion.dropped.items()}
    names = new.weights.keys() | new.tied.keys()
    moves = list(expansion.moves)
    for name in expansion.unmentioned:
        if name in names:
            moves.append(Move(None, (name,), {}))
        elif any(re.search(pattern, name) for pattern in new.ignored):
            dropped[name] = f"{new.class_name} says that it does not need it"
        else:
            problems.append(f"{_shown(name, old[name])} of the checkpoint is not used; give it a [[fill]] rule, or a [[drop]] rule with the reason")  # fmt: skip
    nearest = _Nearest(new)
    fillings, wrong = _fillings(moves, old, new, nearest)
    problems += wrong
    chosen, repeats, wrong = _each_once(fillings, new)
    problems += wrong
    filled = {target for filling in chosen for target in filling.targets}
    shared, kept, wrong = _shared_and_kept(rules.rules, new, filled, nearest)
    problems += wrong
    intended = filled | shared.keys() | kept.keys() | _meant(moves, new)
    repeated, wrong = _repeated(expansion, old)
    problems += wrong
    problems += _unfilled(new, intended)
    constants = {name: rule.constant for rule in rules.rules if isinstance(rule, Keep) and rule.constant is not None for name in kept if rule.target.match(name) is not None}  # fmt: skip
    return Plan(new, old, tuple(chosen), tuple(repeats), shared, kept, dropped, repeated, tuple(problems), constants)


def _fillings(
    moves: Sequence[Move], old: Mapping[str, Weight], new: NewWeights, nearest: _Nearest
) -> tuple[list[Filling], list[str]]:
    fillings, problems = [], []
    for move in moves:
        operations = () if move.rule is None else move.rule.operations
        sources = [old[name] for name in move.sources]
        came_from = ", ".join(_shown(name, old[name]) for name in move.sources)
        place = f"{move.rule.place}: " if move.rule is not None else ""
        try:
            shapes = output_shapes(operations, [weight.shape for weight in sources])
            targets = move.targets(len(shapes))
        except ValueError as error:
            problems.append(f"{place}{came_from}: {error}; correct the rule")
            continue
        if any(weight.dtype.is_complex for weight in sources) and any(isinstance(step, Cast) for step in operations):
            problems.append(f"{place}{came_from}: is complex, and a cast drops the imaginary part; {_APART}")
            continue
        dtypes = _output_types(operations, sources, len(shapes))
        weights = tuple(Weight(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True))
        wrong = [f"{place}{came_from} -> {said}" for said in _misfits(targets, weights, new, nearest)]
        problems += wrong
        if not wrong:
            canonical = tuple(new.tied.get(target, target) for target in targets)
            fillings.append(Filling(move, operations, canonical, weights))
    return fillings, problems


def _misfits(targets: Sequence[str], weights: Sequence[Weight], new: NewWeights, nearest: _Nearest) -> Iterator[str]:
    """Why the results of a rule do not fit the weights that they are meant for."""
    for target, weight in zip(targets, weights, strict=True):
        wanted = new.weights.get(new.tied.get(target, target))
        if wanted is None:
            yield f"{target}: {new.class_name} has no such weight{nearest(target)}"
        elif weight.dtype not in SAFETENSORS_TYPES.values():
            name = str(weight.dtype).removeprefix("torch.")
            yield f"{_shown(target, wanted)}: is {name}, which is not written; unpack it in the original's environment"
        elif wanted.shape != weight.shape:
            yield f"{_shown(target, wanted)}: the shapes do not fit, {list(weight.shape)} is not {list(wanted.shape)}; correct the rule, or the configuration"  # fmt: skip
        elif wanted.dtype.is_floating_point != weight.dtype.is_floating_point:
            if weight.dtype.is_complex:
                yield f"{_shown(target, wanted)}: is {str(wanted.dtype).removeprefix('torch.')}, not complex; {_APART}"
                continue
            name, new_name = (str(dtype).removeprefix("torch.") for dtype in (weight.dtype, wanted.dtype))
            yield f"{_shown(target, wanted)}: is {new_name}, not {name}; add {{ cast = {new_name!r} }} to `do` if that is meant"  # fmt: skip


def _output_types(operations: Sequence[Operation], sources: Sequence[Weight], number: int) -> list[torch.dtype]:
    casts = [operation.dtype for operation in operations if isinstance(operation, Cast)]
    if casts:
        return [getattr(torch, casts[-1])] * number
    if number == len(sources) and not any(operation.name in ("concatenate", "stack") for operation in operations):
        return [weight.dtype for weight in sources]
    common = sources[0].dtype
    for weight in sources[1:]:
        common = torch.promote_types(common, weight.dtype)
    return [common] * number


def _each_once(fillings: Sequence[Filling], new: NewWeights) -> tuple[list[Filling], list[Filling], list[str]]:
    """Separates the fillings that count from those that repeat a tied weight; two for one name are a problem."""
    chosen: list[Filling] = []
    repeats: list[Filling] = []
    problems: list[str] = []
    fillers: dict[str, Filling] = {}
    originals = set(new.tied.values())
    for filling in fillings:
        clash = next((target for target in filling.targets if target in fillers), None)
        if clash is None:
            fillers.update(dict.fromkeys(filling.targets, filling))
            chosen.append(filling)
            continue
        named, before = (set(other.move.targets(len(other.targets))) for other in (filling, fillers[clash]))
        if clash in originals and len(filling.targets) == 1 and not named & before:
            repeats.append(filling)
            continue
        sources = " and ".join(", ".join(other.move.sources) for other in (fillers[clash], filling))
        problems.append(f"{clash} would be filled twice, from {sources}; keep one of the rules, or drop one of the weights")  # fmt: skip
    return chosen, repeats, problems


def _shared_and_kept(
    rules: Sequence[Rule], new: NewWeights, filled: set[str], nearest: _Nearest
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    shared: dict[str, str] = {}
    kept: dict[str, str] = {}
    problems: list[str] = []
    for rule in rules:
        pattern = rule.target if isinstance(rule, (Keep, Share)) else None
        if pattern is None:
            continue
        found = {name: values for name in new.weights if (values := pattern.match(name)) is not None}
        if not found:
            problems.append(f"{rule.place}: {new.class_name} has no weight {pattern}{nearest(pattern.text)}")
        for name, values in found.items():
            if name in filled or name in shared or name in kept:
                problems.append(f"{rule.place}: {name} is filled by another rule already; remove one of the two")
            elif isinstance(rule, Keep) and rule.constant is None and name not in new.buffers:
                problems.append(f"{rule.place}: {name} is a parameter, whose initial values are random; fill it, or, if nothing but training asks for it, say what it holds: constant = 0.0")  # fmt: skip
            elif isinstance(rule, Keep):
                kept[name] = rule.reason
            elif isinstance(rule, Share):
                original = (
                    rule.original.fill(values) if set(rule.original.names) <= set(values) else rule.original.text
                )
                original = new.tied.get(original, original)
                if original not in filled:
                    problems.append(f"{rule.place}: {original}, which {name} is to share, is not filled; give it a rule of its own")  # fmt: skip
                elif new.weights[original].shape != new.weights[name].shape:
                    problems.append(f"{rule.place}: {_shown(name, new.weights[name])} and {_shown(original, new.weights[original])} cannot share one weight")  # fmt: skip
                else:
                    shared[name] = original
    return shared, kept, problems


def _repeated(expansion: Expansion, old: Mapping[str, Weight]) -> tuple[dict[str, str], list[str]]:
    repeated: dict[str, str] = {}
    problems = []
    for name, (original, rule) in expansion.repeated.items():
        if original not in old:
            problems.append(f"{rule.place}: {original}, which {name} is to repeat, is not in the checkpoint")
        elif old[original].shape != old[name].shape:
            problems.append(f"{rule.place}: {_shown(name, old[name])} and {_shown(original, old[original])} cannot be one weight")  # fmt: skip
        else:
            repeated[name] = original
    return repeated, problems


def _meant(moves: Sequence[Move], new: NewWeights) -> set[str]:
    """The weights that some rule is for, however wrong it is: to say that they are not filled would say it twice."""
    names = list(new.weights)
    meant = {target for move in moves for target in move.targets_among(names)}
    return {new.tied.get(target, target) for target in meant}


def _unfilled(new: NewWeights, filled: set[str]) -> Iterator[str]:
    for name, weight in new.weights.items():
        if name in filled:
            continue
        remedy = "give it a [[fill]] rule"
        if name in new.buffers:
            remedy += ", or a [[keep]] rule with the reason"
        yield f"{_shown(name, weight)} of {new.class_name} is not filled; {remedy}"


def _shown(name: str, weight: Weight) -> str:
    return f"{name} {list(weight.shape)}"


class _Nearest:
    """Says which weight of the new model may have been meant, for the first names that it lacks: to look takes long."""

    def __init__(self, new: NewWeights) -> None:
        self._names, self._left = [*new.weights, *new.tied], _MOST_OFFERS

    def __call__(self, name: str) -> str:
        self._left -= 1
        likely = close(name, self._names, 1) if self._left >= 0 else []
        return f"; did you mean {likely[0]}?" if likely else "; correct the name"
