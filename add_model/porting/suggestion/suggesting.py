"""Suggests the rules of a conversion, from nothing but the names and shapes of both sides and the new model's modules.

Weights are taken together by layers (`units.py`), what their names say is put into one vocabulary (`concepts.py`),
fused weights are found (`fused.py`), and the best assignment is taken (`matching.py`). What an equally good
assignment would have done otherwise is marked as unsure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from add_model.errors import AddModelError
from add_model.extras import install_command
from add_model.porting.checkpoints.concepts import Meaning, meaning
from add_model.porting.checkpoints.formats import Weight
from add_model.porting.checkpoints.units import Unit, find_units, split_units
from add_model.porting.conversion.plan import NewWeights
from add_model.porting.rules.condense import condense
from add_model.porting.rules.operations import Concatenate, Operation, Split
from add_model.porting.rules.pattern import Pattern
from add_model.porting.rules.rule import Drop, Fill, Keep, Rule, Rules, Share
from add_model.porting.suggestion.adapters import find_adapters, merged
from add_model.porting.suggestion.experts import find_experts
from add_model.porting.suggestion.found import Found, Pairs
from add_model.porting.suggestion.fused import Group, doubt_between, find_groups
from add_model.porting.suggestion.generalise import patterns_for
from add_model.porting.suggestion.incomplete import with_doubts
from add_model.porting.suggestion.layouts import Layout, compared_layouts, find_layouts, steps_between
from add_model.porting.suggestion.lineage import named_alike
from add_model.porting.suggestion.rotated import with_doubt_of_rotation
from add_model.porting.suggestion.tied import Read, without_strangers

if TYPE_CHECKING:
    from add_model.porting.suggestion.matching import Match

# What training and other code bases leave in checkpoints, and why it is not needed.
_UNNEEDED = (
    # The mask of a weight is what pruning left of it.
    (r"(^|[./]|(?<!weight)(?<!bias)_)(masked_bias|causal_mask|attn_mask|mask)$", "a mask, which the model makes itself"),
    (r"(^|[./_])position_ids$", "numbers of positions, which the model makes itself"),
    (r"(^|[./_])(inv_freq|freqs_cis|rotary\w*)$", "angles of positions, which the model makes itself"),
    (r"(^|[./_])(num_batches_tracked|n_averaged)$", "a counter of training"),
    (r"(^|[./_])(adam_[mv]|exp_avg(_sq)?|momentum|global_step|learning_rate|beta[12]_power)(:0|_\d+)?$", "state of the optimiser"),
    (r"(^|/)opt_state/", "state of the optimiser"),
    (r"(^|[./_])(version|_float_tensor)$", "a mark of the original's code, not a weight"),
)  # fmt: skip

# What models have parameters for that are asked for in training alone, and whether it is so in every model.
_OF_TRAINING = (
    (r"(^|\.)masked_spec_embed$", "what training puts in the place of the spans of sound that it hides", True),
    (r"(^|\.)mask_(token|embed\w*)$", "what training puts in the place of the patches that it hides", False),
)

# Modules of PyTorch -> whether they store their output size first.
_OUTPUT_FIRST = {"Linear": True, "Bilinear": True, **{f"Conv{number}d": True for number in (1, 2, 3)}, **{f"ConvTranspose{number}d": False for number in (1, 2, 3)}}  # fmt: skip
# The best assignment of units takes about the square of the one number times the other: of BERT that is 100,000.
_MOST_WORK = 50_000_000
# What speaks against a pair that would have to be transposed although nothing else has to be.
_UNCERTAIN = 0.2


@dataclass(frozen=True)
class Side:
    """One side of a conversion: its units, what their names mean, and how they are stored."""

    units: Sequence[Unit]
    meanings: Sequence[Meaning]
    layouts: Sequence[Layout]

    def is_convolution(self, unit: Unit) -> bool:
        """Whether a unit is of a module whose weights have more than two axes."""
        return any(len(other.shape) > 2 and other.parents[:1] == unit.parents[:1] for other in self.units)


@dataclass(frozen=True)
class Suggestion:
    """Suggested rules.

    Attributes:
        rules: the rules, in the new model's order; those that are not sure are marked.
        open: weights of the new model that nothing was found for.
    """

    rules: Rules
    open: tuple[str, ...]


def find_pairs(
    old: Mapping[str, Weight],
    new: NewWeights,
    kinds: Mapping[str, str],
    of_the_model: Collection[str] = (),
    read: Read | None = None,
    adapter_scale: float | None = None,
) -> Pairs:
    """Finds which weights of a checkpoint belong to which of a new model.

    Args:
        old: the weights of the checkpoint.
        new: what has to be filled.
        kinds: weight of the new model -> the class of the module that it belongs to.
        of_the_model: words that name a model itself (`bert`), and say nothing about a weight.
        read: reads a weight of the checkpoint; only the few are read that names and shapes leave open.
        adapter_scale: what adapters in the checkpoint are multiplied by, where that is known.

    Raises:
        AddModelError: there are too many of them, with names that have nothing in common.
    """
    wanted = {(_last(name), weight.shape) for name, weight in new.weights.items()}
    # Whatever it is elsewhere, the new model has to be filled with such a weight.
    others = {name: weight for name, weight in old.items() if (_last(name), weight.shape) not in wanted}
    unneeded = {name: reason for name, weight in others.items() if (reason := _unneeded(name, weight, new, read)) is not None}  # fmt: skip
    adapters = find_adapters(old)
    left = {name: weight for name, weight in old.items() if name not in unneeded and name not in adapters.weights}
    slots = {**new.weights, **{alias: new.weights[original] for alias, original in new.tied.items()}}
    in_order = list(old) != sorted(old)
    found: list[Found] = []
    old_units, new_units = find_units(left), find_units(slots)
    found += find_experts(old_units, new_units)
    old_units, new_units = _without_found(old_units, new_units, found)
    for depth in (None, 1, 0):
        if depth is not None:
            old_units, new_units = split_units(old_units, depth), split_units(new_units, depth)
        if not old_units or not new_units:
            break
        if len(old_units) ** 2 * len(new_units) > _MOST_WORK:
            if depth is None:
                raise AddModelError(f"--suggest: {len(old_units)} weights of the checkpoint and {len(new_units)} of the model have names of their own, too many to be told which is which; write rules for them, and pass them with --rules")  # fmt: skip
            break
        pairs = list(_match(old_units, new_units, kinds, of_the_model, in_order))
        pairs = [with_doubt_of_rotation(pair) for pair in pairs] if new.rotates else pairs
        found += pairs
        old_units, new_units = _without_found(old_units, new_units, pairs)
    found = list(without_strangers(found, new.tied, read))
    found = list(merged(found, adapters, adapter_scale))
    used = {name for pair in found for unit in pair.sources for name in unit.names.values()}
    left.update({name: weight for name, weight in adapters.weights.items() if name not in used})
    found = list(with_doubts(found, left.keys() - used))
    order = {name: number for number, name in enumerate([*new.weights, *new.tied])}
    found.sort(key=lambda pair: min(order[name] for name in pair.targets[0].names.values()))
    return Pairs(tuple(found), unneeded, tuple(name for name in left if name not in used))


def as_rules(pairs: Pairs, old: Mapping[str, Weight], new: NewWeights) -> Suggestion:
    """The rules that say what was found; for what was not found, what can be said about it."""
    rules: list[Rule] = [rule for pair in pairs.found for rule in _fills(pair, old)]
    targets = {name for pair in pairs.found for unit in pair.targets for name in unit.names.values()}
    filled = {new.tied.get(name, name) for name in targets}
    open_names = [name for name in new.weights if name not in filled]
    rules += _for_the_open(open_names, new, filled)
    rules += _drops(pairs, new, old)
    answered = {rule.target.text for rule in rules if isinstance(rule, (Keep, Share)) and rule.target is not None}
    left_open = tuple(name for name in open_names if name not in answered)
    return Suggestion(Rules(tuple(condense(rules, list(old)))), left_open)


def _match(
    old_units: Sequence[Unit],
    new_units: Sequence[Unit],
    kinds: Mapping[str, str],
    of_the_model: Collection[str],
    in_order: bool,
) -> Iterator[Found]:
    try:
        from add_model.porting.suggestion.matching import match
    except ModuleNotFoundError as error:
        raise AddModelError(f"--suggest needs {error.name}; install it: {install_command('convert')}") from error

    old, new = _sides(old_units, new_units, kinds, of_the_model)
    alike = named_alike(old.units, new.units)
    old_groups, new_groups = find_groups(*_parts(old)), find_groups(*_parts(new))
    old, old_parts = _with_groups(old, old_groups, new, {row for row, _ in alike})
    new, new_parts = _with_groups(new, new_groups, old, {column for _, column in alike})
    # What was fused can be compared only now.
    old = _compared(old, new)
    steps = _possible_steps(old, new)
    costs = {pair: 0.0 if certain else _UNCERTAIN for pair, (_, certain) in steps.items()}
    known = named_alike(old.units, new.units)
    # Where nothing else tells it, a matrix that has its old name is stored as it was.
    matrices = [pair for pair in known if len(new.units[pair[1]].shape) == 2]
    steps.update({pair: ((), True) for pair in matrices if steps.get(pair) == ((), False)})
    for pair in match(old.units, new.units, costs, of_the_model=of_the_model, in_order=in_order, known=known):
        operations, oriented = steps[pair.old, pair.new]
        source, target = old.units[pair.old], new.units[pair.new]
        joined, cut = old_parts[pair.old], new_parts[pair.new]
        doubt = _doubt(pair, old, new, oriented)
        sources: tuple[Unit, ...] = (source,)
        targets: tuple[Unit, ...] = (target,)
        if joined is not None:
            sources = tuple(old_units[part] for part in joined.in_order_of(target))
            operations = (Concatenate(joined.axis), *operations)
            doubt = doubt or joined.doubt(target, new.is_convolution(target))
        if cut is not None:
            targets = tuple(new_units[part] for part in cut.in_order_of(source))
            sizes = tuple(unit.shape[cut.axis] for unit in targets)
            operations = (*operations, Split(cut.axis, parts=len(sizes)) if len(set(sizes)) == 1 else Split(cut.axis, sizes=sizes))  # fmt: skip
            doubt = doubt or cut.doubt(source, old.is_convolution(source))
        if joined is None and cut is None:
            doubt = doubt or doubt_between(source, old.meanings[pair.old], target, new.meanings[pair.new])
        yield Found(sources, targets, operations, doubt)


def _doubt(pair: Match, old: Side, new: Side, oriented: bool) -> str:
    """Why it is not sure that two units belong together; empty where it is."""
    if not pair.is_sure:
        rival = new.units[pair.rival].template if pair.rival is not None else None
        doubt = "names and shapes do not tell that it belongs here"
        return doubt + (f"; it could also be {rival.replace('#', '*')}" if rival is not None else "")
    if not oriented:
        return "whether it has to be transposed cannot be told"
    if _is_a_layer_alone(old.units[pair.old]) or _is_a_layer_alone(new.units[pair.new]):
        return "the layers of both sides differ: their numbers do not tell that it belongs here"
    return ""


def _possible_steps(old: Side, new: Side) -> dict[tuple[int, int], tuple[tuple[Operation, ...], bool]]:
    """For each pair that shapes and counts allow, the steps from one to the other and whether they are certain."""
    steps = {}
    for row, left in enumerate(old.units):
        for column, right in enumerate(new.units):
            if len(left.names) != len(right.names) or _depth(left) != _depth(right):
                continue
            between = steps_between(left.shape, right.shape, old.layouts[row], new.layouts[column])
            if between is not None and left.weight.dtype.is_floating_point == right.weight.dtype.is_floating_point:
                steps[row, column] = between
    return steps


def _is_a_layer_alone(unit: Unit) -> bool:
    """Whether a unit is what one layer has, and not what all of them have."""
    return re.search(r"#\d", unit.reading) is not None


def _without_found(old: Sequence[Unit], new: Sequence[Unit], found: Sequence[Found]) -> tuple[list[Unit], list[Unit]]:
    """The units of both sides for which nothing was found."""
    return (
        _without(old, [unit for pair in found for unit in pair.sources]),
        _without(new, [unit for pair in found for unit in pair.targets]),
    )


def _without(units: Sequence[Unit], taken: Collection[Unit]) -> list[Unit]:
    templates = {(unit.template, unit.weight) for unit in taken}
    return [unit for unit in units if (unit.template, unit.weight) not in templates]


def _sides(
    old_units: Sequence[Unit], new_units: Sequence[Unit], kinds: Mapping[str, str], of_the_model: Collection[str]
) -> tuple[Side, Side]:
    def leaf(unit: Unit) -> str:
        return meaning(unit.reading).leaf

    def kind(unit: Unit) -> str:
        return kinds.get(next(iter(unit.names.values())), "")

    old, new = (
        _side(old_units, of_the_model, leaf, {"kernel": False}),
        _side(new_units, of_the_model, kind, _OUTPUT_FIRST),
    )
    return _compared(old, new), new


def _compared(old: Side, new: Side) -> Side:
    return replace(old, layouts=compared_layouts(*_parts(old), new.units, new.layouts))


def _side(units: Sequence[Unit], of_the_model: Collection[str], kind_of: object, known: Mapping[str, bool]) -> Side:
    meanings = [meaning(unit.reading, of_the_model) for unit in units]
    return Side(units, meanings, find_layouts(units, meanings, kind_of, known))  # type: ignore[arg-type]


def _parts(side: Side) -> tuple[Sequence[Unit], Sequence[Meaning], Sequence[Layout]]:
    return side.units, side.meanings, side.layouts


def _with_groups(
    side: Side, groups: Sequence[Group], other: Side, known: Collection[int]
) -> tuple[Side, list[Group | None]]:
    """Replaces groups by the one unit that they are on the other side, where it has one of such a shape.

    What is known to be there by itself is part of none.
    """
    shapes = {_shape_key(unit) for unit in other.units}
    own = {_shape_key(unit) for unit in side.units}
    chosen: list[Group] = []
    taken = set(known)
    for group in groups:
        key = _shape_key(group.unit)
        if key in shapes and key not in own and not taken & set(group.parts.values()):
            chosen.append(group)
            taken |= set(group.parts.values())
    joined = {number for group in chosen for number in group.parts.values()}
    rest = [number for number in range(len(side.units)) if number not in joined]
    units = [side.units[number] for number in rest] + [group.unit for group in chosen]
    meanings = [side.meanings[number] for number in rest] + [meaning(group.unit.reading) for group in chosen]
    layouts = [side.layouts[number] for number in rest]
    layouts += [Layout(None if len(group.unit.shape) != 2 else group.axis == 0) for group in chosen]
    return Side(units, meanings, layouts), [None] * len(rest) + list(chosen)


def _shape_key(unit: Unit) -> tuple[object, ...]:
    return (tuple(sorted(size for size in unit.shape if size != 1)), len(unit.names))


def _depth(unit: Unit) -> int:
    return len(next(iter(unit.names)))


def _fills(pair: Found, old: Mapping[str, Weight]) -> Iterator[Fill]:
    """The rules that say what was found; none where every weight keeps its name."""
    for sources, targets in patterns_for(pair.sources, pair.targets, list(old)):
        if not (pair.operations or pair.unsure) and sources == targets:
            continue
        yield Fill(sources, targets, pair.operations, unsure=bool(pair.unsure), note=pair.unsure or pair.note)


def _for_the_open(names: Sequence[str], new: NewWeights, filled: Collection[str]) -> Iterator[Rule]:
    """Rules for what the checkpoint does not hold, where there is something to say."""
    tables = [name for name in filled if "TOKEN" in meaning(name).concepts]
    for name in names:
        if name in new.buffers:
            yield Keep(Pattern(name), "a buffer that the checkpoint does not hold, and the model makes itself")
            continue
        training = next((each for pattern, *each in _OF_TRAINING if re.search(pattern, name)), None)
        if training is not None:
            reason, is_sure = str(training[0]), bool(training[1])
            yield Keep(Pattern(name), reason, 0.0, unsure=not is_sure, note="" if is_sure else "does the model itself ask for it?")  # fmt: skip
            continue
        alike = [table for table in tables if new.weights[table].shape == new.weights[name].shape]
        if len(alike) == 1 and len(new.weights[name].shape) == 2:
            note = "the checkpoint holds one weight for both, if its model ties them"
            yield Share(None, Pattern(name), Pattern(alike[0]), unsure=True, note=note)


def _drops(pairs: Pairs, new: NewWeights, old: Mapping[str, Weight]) -> Iterator[Drop]:
    reasons = {name: (reason, False) for name, reason in pairs.unneeded.items() if not _is_ignored(name, new)}
    for name in pairs.left:
        if _is_ignored(name, new):
            continue
        known = _known_to_be_unneeded(name)
        if known is not None:
            # The new model has one such weight, too, and it is filled from another.
            reasons[name] = (known, False)
        elif pairs.outputs_agree:
            reasons[name] = (f"{new.class_name} has no weight that it could be, and returns the recorded values without it", False)  # fmt: skip
        else:
            reasons[name] = (f"{new.class_name} has no weight that it could be", True)
    for unit in find_units({name: old[name] for name in reasons}):
        for (source,), _ in patterns_for((unit,), (unit,), list(old)):
            name = next(name for name in unit.names.values() if source.match(name) is not None)
            reason, unsure = reasons[name]
            note = "is it really not needed?" if unsure else ""
            yield Drop(source, reason, unsure=unsure, note=note)


def _unneeded(name: str, weight: Weight, new: NewWeights, read: Read | None) -> str | None:
    if len(weight.shape) == 4 and weight.shape[:2] == (1, 1) and weight.shape[2] == weight.shape[3]:
        # The kernel of a convolution of size one has this shape, too.
        is_mask = meaning(name).role == "bias" if read is None else _hides(read(name))
        if is_mask:
            return "a mask, which the model makes itself"
    if _is_ignored(name, new):
        return f"{new.class_name} says that it does not need it"
    return _known_to_be_unneeded(name)


def _last(name: str) -> str:
    return name.replace("/", ".").rpartition(".")[2]


def _known_to_be_unneeded(name: str) -> str | None:
    return next((reason for pattern, reason in _UNNEEDED if re.search(pattern, name)), None)


def _hides(values: torch.Tensor) -> bool:
    """Whether these are the values of a mask: one for what is seen, and one for what is not."""
    first, last = values[0, 0, 0, 0], values[0, 0, 0, -1]
    if bool(first == last):
        # Nothing tells apart what is seen and what is not: this may as well be the kernel of a convolution.
        return False
    causal = torch.ones_like(values, dtype=torch.bool).tril()
    return bool(torch.equal(values, torch.where(causal, first, last)))


def _is_ignored(name: str, new: NewWeights) -> bool:
    return any(re.search(pattern, name) for pattern in new.ignored)
