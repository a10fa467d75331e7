"""Which unit of a checkpoint is which of a new model: the assignment that explains names, shapes and places best.

What speaks for a pair is that its names mean the same (`concepts.py`), that its shape is rare, that it stands at the
same place among its likes, and that what lies beside it in the module tree is matched in the same way. The last of
these needs an assignment already. Only pairs that are sure by themselves speak for others first, and what becomes sure
by them speaks for more; pairs that are not sure could otherwise confirm each other's mistake. What is left then is
matched as well as can be, and stays unsure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy
from numpy.typing import NDArray

from add_model.porting.checkpoints.concepts import Meaning, meaning
from add_model.porting.checkpoints.units import Unit

Scores = NDArray[numpy.float64]

_ROUNDS = 4
# How much each kind of evidence counts against a full agreement of names, which counts one.
_RARE, _PLACE, _SIZE, _NEIGHBOURS = 0.1, 0.02, 0.12, 0.8
# How much it counts that what else is in a module of weight and bias goes to the same module.
_MATES = 0.5
# What a pair must be worth to be better than none.
_LEAST = 0.02
_IMPOSSIBLE, _CERTAIN = -1e6, 1e3
# From so much on that the next best assignment is worse, a pair is sure.
_SURE = 0.1


@dataclass(frozen=True)
class Match:
    """A pair of units.

    Attributes:
        old, new: their numbers in the lists that were matched.
        is_sure: whether every assignment without this pair is clearly worse.
        rival: the number of the new unit that the old one belongs to in the best of these.
    """

    old: int
    new: int
    is_sure: bool
    rival: int | None


def match(
    old: Sequence[Unit],
    new: Sequence[Unit],
    compatible: Mapping[tuple[int, int], float],
    *,
    of_the_model: Collection[str] = (),
    in_order: bool = True,
    known: Collection[tuple[int, int]] = (),
) -> list[Match]:
    """Pairs units, each with one other at most.

    Args:
        old, new: the units of the checkpoint and of the new model.
        compatible: the pairs of their numbers that shapes and counts allow, and what speaks against each.
        of_the_model: words that name a model itself, and say nothing about a weight.
        in_order: whether the checkpoint's order is that in which its model was built, and not, say, the alphabet's.
        known: the pairs that are sure beforehand.
    """

    if not compatible:
        return []
    base = _base_scores(old, new, compatible, of_the_model, in_order)
    possible = numpy.full(base.shape, _IMPOSSIBLE)
    for pair in compatible:
        possible[pair] = 0.0
    base = base + possible
    mates = _Mates(old, new, compatible)
    sure = set(known) & compatible.keys()
    while True:
        scores = base + _NEIGHBOURS * _support(old, new, sure, compatible) + _MATES * mates.support(sure)
        more = {(found.old, found.new) for found in _with_margins(scores) if found.is_sure} - sure
        more -= mates.torn_apart(sure | more)
        clash = {pair for pair in more if any(pair[0] == row or pair[1] == column for row, column in sure)}
        if not more - clash:
            break
        sure |= more - clash
    for row, column in sure:
        base[row, :], base[:, column], base[row, column] = _IMPOSSIBLE, _IMPOSSIBLE, _CERTAIN
    scores = base
    for _ in range(_ROUNDS):
        pairs = set(_best(scores))
        scores = base + _NEIGHBOURS * _support(old, new, pairs, compatible) + _MATES * mates.support(sure)
    return [replace(found, is_sure=(found.old, found.new) in sure) for found in _with_margins(scores)]


class _Mates:
    """What stands in one module with another weight: a weight and its bias belong to one module on the other side."""

    def __init__(self, old: Sequence[Unit], new: Sequence[Unit], compatible: Collection[tuple[int, int]]) -> None:
        self._old, self._new = [_module_of(unit) for unit in old], [_module_of(unit) for unit in new]
        self._units, self._compatible = old, compatible
        inside: dict[str, list[int]] = {}
        for row, module in enumerate(self._old):
            if module:
                inside.setdefault(module, []).append(row)
        self._beside = {row: [mate for mate in rows if mate != row] for rows in inside.values() for row in rows}
        # A row may go to these modules.
        self._possible: dict[int, set[str]] = {}
        for row, column in compatible:
            self._possible.setdefault(row, set()).add(self._new[column])

    def support(self, pairs: Collection[tuple[int, int]]) -> Scores:
        """One for each pair that goes where its mates go, and minus one for each that goes elsewhere."""
        support = numpy.zeros((len(self._old), len(self._new)))
        taken = dict(pairs)
        for row, column in self._compatible:
            goals = self._goals(row, taken)
            if goals:
                support[row, column] = 1.0 if self._new[column] in goals else -1.0
        return support

    def torn_apart(self, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """The pairs of biases that go elsewhere than their weights, although there is a place beside these."""
        taken = dict(pairs)
        biases = [pair for pair in pairs if meaning(self._units[pair[0]].reading).role == "bias"]
        return {(row, column) for row, column in biases if (goals := self._goals(row, taken)) and self._new[column] not in goals}  # fmt: skip

    def _goals(self, row: int, taken: Mapping[int, int]) -> set[str]:
        """The modules that the mates of a row go to, and that it could go to as well."""
        goals = {self._new[taken[mate]] for mate in self._beside.get(row, ()) if mate in taken}
        return (goals - {""}) & self._possible[row]


def _module_of(unit: Unit) -> str:
    """The module that a weight or a bias is of; empty for what is a parameter of a larger module."""
    return unit.parents[0] if unit.parents and meaning(unit.reading).leaf else ""


def _best(scores: Scores) -> list[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(_with_none(scores), maximize=True)
    return _real_pairs(rows, columns, scores)


def _with_margins(scores: Scores) -> list[Match]:
    """The best assignment, and for each of its pairs whether the best one without it is clearly worse."""
    from scipy.optimize import linear_sum_assignment

    padded = _with_none(scores)
    rows, columns = linear_sum_assignment(padded, maximize=True)
    best = padded[rows, columns].sum()
    matches = []
    for row, column in _real_pairs(rows, columns, scores):
        kept = padded[row, column]
        padded[row, column] = _IMPOSSIBLE
        other_rows, other_columns = linear_sum_assignment(padded, maximize=True)
        margin = best - padded[other_rows, other_columns].sum()
        padded[row, column] = kept
        rival = int(other_columns[list(other_rows).index(row)])
        matches.append(Match(row, column, bool(margin >= _SURE), rival if rival < scores.shape[1] else None))
    return matches


def _with_none(scores: Scores) -> Scores:
    """Adds a column for each row that stands for no partner, so that a bad pair need not be taken."""
    rows = scores.shape[0]
    return numpy.concatenate([scores, numpy.full((rows, rows), _LEAST)], axis=1)


def _real_pairs(rows: Sequence[int], columns: Sequence[int], scores: Scores) -> list[tuple[int, int]]:
    return [
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if column < scores.shape[1] and scores[row, column] > _IMPOSSIBLE / 2
    ]


def _base_scores(
    old: Sequence[Unit],
    new: Sequence[Unit],
    compatible: Mapping[tuple[int, int], float],
    of_the_model: Collection[str],
    in_order: bool,
) -> Scores:
    old_meanings = [meaning(unit.reading, of_the_model) for unit in old]
    new_meanings = [meaning(unit.reading, of_the_model) for unit in new]
    weights = _importance([*old_meanings, *new_meanings])
    choices = Counter(row for row, _ in compatible)
    rivals = Counter(column for _, column in compatible)
    places_old, places_new = _places(old), _places(new)
    sizes_old, sizes_new = _sizes(old), _sizes(new)
    scores = numpy.zeros((len(old), len(new)))
    for (row, column), against in compatible.items():
        left, right = old_meanings[row], new_meanings[column]
        score = _agreement(left, right, weights) + _RARE * 2 / (choices[row] + rivals[column])
        score += _SIZE * _same_sizes(sizes_old[row], sizes_new[column])
        if in_order:
            score += _PLACE * (1 - abs(places_old[row] - places_new[column]))
        scores[row, column] = score - against
    return scores


def _importance(meanings: Sequence[Meaning]) -> dict[str, float]:
    """What a concept is worth: the more, the fewer names have it."""
    counts = Counter(concept for found in meanings for concept in found.concepts)
    return {concept: math.log(1 + len(meanings) / count) for concept, count in counts.items()}


def _agreement(left: Meaning, right: Meaning, weights: Mapping[str, float]) -> float:
    """How much two names say the same: from -1, where they contradict each other, to 1."""
    either = left.concepts | right.concepts
    total = sum(weights[concept] for concept in either)
    common = sum(weights[concept] for concept in left.concepts & right.concepts)
    agreement = common / total if total else 0.0
    if not common and any(map(str.isupper, left.concepts)) and any(map(str.isupper, right.concepts)):
        # Both names are understood, and speak of different things.
        return -1.0
    if left.leaf and right.leaf and left.role != right.role:
        return agreement - 1.0
    return agreement + (0.1 if left.role == right.role else 0.0)


def _places(units: Sequence[Unit]) -> list[float]:
    """Where each unit stands among those of its shape, from 0 to 1."""
    places = [0.0] * len(units)
    for shape in {unit.shape for unit in units}:
        alike = sorted((unit.position, number) for number, unit in enumerate(units) if unit.shape == shape)
        for rank, (_, number) in enumerate(alike):
            places[number] = rank / max(1, len(alike) - 1)
    return places


def _sizes(units: Sequence[Unit]) -> list[tuple[int, ...]]:
    """How many units there are in each module that a unit lies in, from the innermost to the outermost."""
    inside = Counter(parent for unit in units for parent in unit.parents)
    return [tuple(inside[parent] for parent in unit.parents) for unit in units]


def _same_sizes(left: Sequence[int], right: Sequence[int]) -> float:
    """In how many of their modules two units have as many companions, as a share of the deeper one's modules."""
    same = sum(one == other for one, other in zip(left, right, strict=False))
    return same / max(len(left), len(right), 1)


def _support(
    old: Sequence[Unit],
    new: Sequence[Unit],
    pairs: Collection[tuple[int, int]],
    compatible: Collection[tuple[int, int]],
) -> Scores:
    """How well the modules around each pair are matched with each other: the mean over the old unit's modules of the
    largest overlap with one of the new unit's."""
    inside_old = Counter(parent for unit in old for parent in unit.parents)
    inside_new = Counter(parent for unit in new for parent in unit.parents)
    together: Counter[tuple[str, str]] = Counter()
    for row, column in pairs:
        together.update((above, beside) for above in old[row].parents for beside in new[column].parents)
    support = numpy.zeros((len(old), len(new)))
    for row, column in compatible:
        overlaps = []
        own = (row, column) in pairs
        for above in old[row].parents:
            best = 0.0
            for beside in new[column].parents:
                # A pair must not speak for itself.
                matched = together[above, beside] - own
                either = inside_old[above] + inside_new[beside] - 2 - matched
                best = max(best, matched / either if either > 0 else 0.0)
            overlaps.append(best)
        support[row, column] = sum(overlaps) / len(overlaps) if overlaps else 0.0
    return support
