"""Which call of the new model does what a call of the original does.

Calls are paired by the weights' names where rules say which weight became which; by their names where those are the same;
by what they returned, where that is the same and their parameters have the same sizes; and what is left over, between
calls that are paired already, by order, shape and kind.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from add_model.porting.comparison.differences import difference, values_of_both
from add_model.porting.recording.file import Call, Recording, TensorRecord, tensors_of
from add_model.porting.recording.writer import NAMED_VALUE

# Words in class names -> the kind of a module, which counts for more than its name.
_KINDS = {
    "embedding": ("embedding",),
    "normalisation": ("norm", "layernorm", "ln"),
    "dropout": ("dropout",),
    "activation": ("gelu", "relu", "silu", "tanh", "activation", "swish", "sigmoid"),
    "projection": ("linear", "conv1d", "dense"),
    "attention": ("attention",),
}
_SAME_VALUE = 1e-4
# A pair that scores less than this has too little in common.
_FAIR = 1.0
# Fewer equal names than this may be an accident.
_FEW_PATHS = 3
# What it takes to look at two calls at all, in elements that are compared.
_LOOK = 1_000
# So many pairs of calls are weighed against each other, and values of so many elements compared to find those that are the
# same: these always, and for each element that was recorded. What is left then has no counterpart.
_MOST_WEIGHED, _MOST_ELEMENTS, _FOR_EACH_ELEMENT = 1_000_000, 50_000_000, 8


@dataclass(frozen=True)
class Alignment:
    """Pairs of calls, and what has no counterpart.

    Attributes:
        pairs: (call of the original, call of the new model), in the order of the new model's calls.
        only_original, only_new: calls without a counterpart.
        unweighed: how many of them were not held against all that they could belong to, as there are too many.
    """

    pairs: tuple[tuple[Call, Call], ...]
    only_original: tuple[Call, ...]
    only_new: tuple[Call, ...]
    unweighed: int = 0


def align(original: Recording, new: Recording, weights: Iterable[tuple[str, str]] = ()) -> Alignment:
    """Pairs the calls of two recordings.

    Args:
        original, new: the recordings.
        weights: names of weights that became each other, (original, new), as conversion rules tell them.
    """
    matching = _Matching(original, new)
    if original.modules:
        matching.pair(original.root, new.root)
    matching.by_paths(_module_pairs(weights))
    matching.by_paths(_equal_paths(original, new))
    matching.by_values()
    matching.by_order()
    return matching.result()


class _Matching:
    def __init__(self, original: Recording, new: Recording) -> None:
        self.original, self.new = original, new
        self.to_new: dict[int, Call] = {}
        self.to_original: dict[int, Call] = {}
        self._unweighed: set[tuple[str, int]] = set()
        self._weighed = 0
        recorded = sum(_elements(main_tensor(call.outputs)) for call in (*original.calls, *new.calls))
        self._elements_left = max(_MOST_ELEMENTS, _FOR_EACH_ELEMENT * recorded)

    def pair(self, first: Call, second: Call) -> None:
        if first.index not in self.to_new and second.index not in self.to_original:
            self.to_new[first.index], self.to_original[second.index] = second, first

    def by_paths(self, paths: Iterable[tuple[str, str]]) -> None:
        """Pairs the first calls of two submodules, the second ones, and so on."""
        calls_of_original, calls_of_new = _by_path(self.original), _by_path(self.new)
        for first, second in paths:
            for one, other in zip(calls_of_original.get(first, ()), calls_of_new.get(second, ()), strict=False):
                self.pair(one, other)

    def by_values(self) -> None:
        """Pairs calls of modules with parameters of the same sizes that returned the same values."""
        candidates: dict[tuple[int, ...], list[Call]] = defaultdict(list)
        sizes_of_original, sizes_of_new = _parameter_sizes(self.original), _parameter_sizes(self.new)
        for call in self.original.calls:
            if call.index not in self.to_new and sizes_of_original.get(call.path):
                candidates[sizes_of_original[call.path]].append(call)
        for call in self.new.calls:
            if call.index in self.to_original or not sizes_of_new.get(call.path):
                continue
            self._pair_with_same_output(call, candidates[sizes_of_new[call.path]])
        named = [call for call in self.original.calls if call.class_name == NAMED_VALUE]
        for call in _ended(self.new.calls) if named else ():
            self._pair_with_same_output(call, named)

    def by_order(self) -> None:
        """Pairs what is left over, each inside the same call; a value that was recorded by name, between the same two."""
        if not self.original.modules:
            self._named_by_order()
            return
        groups: dict[tuple[int, int], tuple[list[Call], list[Call]]] = defaultdict(lambda: ([], []))
        arounds, new_arounds = _arounds(self.original, self.to_new), _arounds(self.new, self.to_original)
        for call in self.original.calls:
            if call.index not in self.to_new:
                around = arounds[call.index]
                counterpart = self.to_new[around.index] if around else None
                groups[_key(around, counterpart)][0].append(call)
        for call in self.new.calls:
            if call.index not in self.to_original:
                around = new_arounds[call.index]
                counterpart = self.to_original[around.index] if around else None
                groups[_key(counterpart, around)][1].append(call)
        for some, others in groups.values():
            self._pair_the_best(_ended(some), _ended(others))

    def _named_by_order(self) -> None:
        anchors = [
            (call.ended, self.to_new[call.index].ended) for call in self.original.calls if call.index in self.to_new
        ]
        left = _ended([call for call in self.original.calls if call.index not in self.to_new])
        left_of_new = _ended([call for call in self.new.calls if call.index not in self.to_original])
        bounds = [(0, 0), *anchors, (len(self.original.calls) * 2 + 1, len(self.new.calls) * 2 + 1)]
        for (begin, new_begin), (end, new_end) in zip(bounds, bounds[1:], strict=False):
            self._pair_the_best(_between(left, begin, end), _between(left_of_new, new_begin, new_end))

    def _pair_the_best(self, some: Sequence[Call], others: Sequence[Call]) -> None:
        some = [call for call in some if call.index not in self.to_new]
        others = [call for call in others if call.index not in self.to_original]
        if not some or not others:
            return
        if self._weighed + len(some) * len(others) > _MOST_WEIGHED:
            self._unweighed |= {("original", call.index) for call in some} | {("new", call.index) for call in others}
            return
        self._weighed += len(some) * len(others)
        for first, second in _best_pairs(self._traits_of_original(some), self._traits_of_new(others)):
            self.pair(some[first], others[second])

    @cached_property
    def _traits_of_original(self) -> _TraitsOf:
        return _TraitsOf(self.original)

    @cached_property
    def _traits_of_new(self) -> _TraitsOf:
        return _TraitsOf(self.new)

    def result(self) -> Alignment:
        return Alignment(
            tuple((self.to_original[call.index], call) for call in self.new.calls if call.index in self.to_original),
            tuple(call for call in self.original.calls if call.index not in self.to_new),
            tuple(call for call in self.new.calls if call.index not in self.to_original),
            len(self._unweighed),
        )

    def _pair_with_same_output(self, call: Call, candidates: Iterable[Call]) -> None:
        for candidate in candidates:
            if candidate.index in self.to_new:
                continue
            self._elements_left -= _LOOK + _elements(main_tensor(candidate.outputs))
            if self._elements_left < 0:
                self._unweighed.add(("new", call.index))
                break
            if self._same_output(candidate, call):
                self.pair(candidate, call)
                break

    def _same_output(self, first: Call, second: Call) -> bool:
        one, other = main_tensor(first.outputs), main_tensor(second.outputs)
        if one is None or other is None:
            return False
        both = values_of_both(self.original, one, self.new, other)
        return both is not None and difference(*both).relative < _SAME_VALUE


def main_tensor(value: object) -> TensorRecord | None:
    """The first tensor of a value: what a module is about."""
    return next((record for _, record in tensors_of(value)), None)


def _elements(record: TensorRecord | None) -> int:
    return (
        0 if record is None else math.prod(record.shape if record.rows is None else (record.rows, *record.shape[-1:]))
    )


def _module_pairs(weights: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The modules that hold the weights, and those around them as long as both names end alike."""
    pairs = []
    for first, second in weights:
        one, other = _around_name(first), _around_name(second)
        pairs.append((one, other))
        while one and other and one[len(_around_name(one)) :] == other[len(_around_name(other)) :]:
            one, other = _around_name(one), _around_name(other)
            pairs.append((one, other))
    # A module that several others came from, or became, is no counterpart of one of them.
    many_new, many_original = defaultdict(set), defaultdict(set)
    for one, other in pairs:
        many_new[one].add(other)
        many_original[other].add(one)
    return [(one, other) for one, other in pairs if len(many_new[one]) == 1 and len(many_original[other]) == 1]


def _around_name(name: str) -> str:
    """What a name is part of: what stands before its last dot, or its last slash as in variable scopes."""
    return name[: max(name.rfind("."), name.rfind("/"), 0)]


def _equal_paths(original: Recording, new: Recording) -> list[tuple[str, str]]:
    """Paths that are the same, or would be if the part around many of them were called the same: `bert.encoder` in one
    model is `brand_new_bert.encoder` in the other, or just `encoder`."""
    left, right = set(_by_path(original)) - {""}, set(_by_path(new)) - {""}
    pairs: list[tuple[str, str]] = []
    renamings = [("", ""), *((before, after) for before in _prefixes(left) for after in _prefixes(right))]
    while renamings:
        found = {renaming: _renamed(left, right, *renaming) for renaming in renamings}
        best = max(renamings, key=lambda renaming: (renaming == ("", ""), len(found[renaming])))
        if best != ("", "") and len(found[best]) < _FEW_PATHS:
            break
        pairs += found[best]
        left -= {before for before, _ in found[best]}
        right -= {after for _, after in found[best]}
        renamings = [renaming for renaming in renamings if renaming != best and found[renaming]]
    return pairs


def _renamed(left: set[str], right: set[str], before: str, after: str) -> list[tuple[str, str]]:
    moved = [(path, after + path.removeprefix(before)) for path in sorted(left) if path.startswith(before)]
    return [(path, other) for path, other in moved if other in right]


def _prefixes(paths: Iterable[str]) -> list[str]:
    """The names of the outermost two levels, each with its dot, and none; a layer's number is no name."""
    outer = {tuple(path.split(".")[:depth]) for path in paths for depth in (1, 2) if path.count(".") >= depth}
    return ["", *sorted(".".join(names) + "." for names in outer if not names[-1].isdigit())]


def _by_path(recording: Recording) -> Mapping[str, Sequence[Call]]:
    calls: dict[str, list[Call]] = defaultdict(list)
    for call in recording.calls:
        calls[call.path].append(call)
    return calls


def _parameter_sizes(recording: Recording) -> Mapping[str, tuple[int, ...]]:
    sizes: dict[str, list[int]] = defaultdict(list)
    for name, record in recording.parameters.items():
        if "F" not in record.dtype:
            continue  # a buffer of positions, or a mask
        size = 1
        for length in record.shape:
            size *= length
        sizes[name.rpartition(".")[0]].append(size)
    return {path: tuple(sorted(values)) for path, values in sizes.items()}


def _arounds(recording: Recording, paired: Mapping[int, Call]) -> list[Call | None]:
    """The innermost call around each that has a counterpart."""
    found: list[Call | None] = []
    for call in recording.calls:
        # A call comes behind the one that it is made by.
        around = None if call.parent is None else recording.calls[call.parent]
        found.append(around if around is None or around.index in paired else found[around.index])
    return found


def _between(calls: Sequence[Call], begin: int, end: int) -> Sequence[Call]:
    """The calls, given in the order of their ends, that end between two times."""
    first = bisect_right(calls, begin, key=lambda call: call.ended)
    return calls[first : bisect_left(calls, end, key=lambda call: call.ended)]


def _key(first: Call | None, second: Call | None) -> tuple[int, int]:
    return (-1 if first is None else first.index, -1 if second is None else second.index)


def _ended(calls: Sequence[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: call.ended)


def _best_pairs(some: Sequence[_Traits], others: Sequence[_Traits]) -> list[tuple[int, int]]:
    """The pairs, in order on both sides, that have most in common (Needleman and Wunsch, 1970)."""
    scores = [[0.0] * (len(others) + 1) for _ in range(len(some) + 1)]
    for row in range(len(some) - 1, -1, -1):
        for column in range(len(others) - 1, -1, -1):
            together = _likeness(some[row], others[column]) + scores[row + 1][column + 1]
            scores[row][column] = max(together, scores[row + 1][column], scores[row][column + 1])
    pairs = []
    row = column = 0
    while row < len(some) and column < len(others):
        if scores[row][column] == scores[row + 1][column]:
            row += 1
        elif scores[row][column] == scores[row][column + 1]:
            column += 1
        else:
            pairs.append((row, column))
            row, column = row + 1, column + 1
    return pairs


@dataclass(frozen=True)
class _Traits:
    kind: str
    is_leaf: bool | None
    output: tuple[int, ...]
    parameters: tuple[int, ...]
    words: frozenset[str]


class _TraitsOf:
    """Tells the traits of a recording's calls."""

    def __init__(self, recording: Recording) -> None:
        self._sizes = _parameter_sizes(recording)
        self._callers = {call.parent for call in recording.calls}

    def __call__(self, calls: Sequence[Call]) -> list[_Traits]:
        return [self._traits(call) for call in calls]

    def _traits(self, call: Call) -> _Traits:
        output = main_tensor(call.outputs)
        name = call.class_name.lower()
        kind = next((kind for kind, words in _KINDS.items() if any(word in name for word in words)), "")
        shape = tuple(size for size in (output.shape if output else ()) if size != 1)
        words = frozenset(re.split(r"[./_]", call.path)[-3:])
        is_leaf = None if call.class_name == NAMED_VALUE else call.index not in self._callers
        return _Traits(kind, is_leaf, shape, self._sizes.get(call.path, ()), words)


def _likeness(first: _Traits, second: _Traits) -> float:
    """How much two calls have in common: at most 6, and below 0 if it is too little for a pair."""
    if first.output and second.output and first.output != second.output:
        return -1.0
    if first.parameters and second.parameters and first.parameters != second.parameters:
        return -1.0
    score = 1.0 if first.output == second.output else 0.0
    score += 2.0 if first.parameters == second.parameters and first.parameters else 0.0
    if first.kind and second.kind:
        score += 1.5 if first.kind == second.kind else -2.0
    if first.is_leaf is not None:
        score += 0.5 if first.is_leaf == second.is_leaf else -1.5
    shared, all_words = first.words & second.words, first.words | second.words
    score += len(shared) / max(len(all_words), 1)
    return score if score >= _FAIR else -1.0
