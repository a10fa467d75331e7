"""Which call of the new model does what a call of the original does.

Calls are paired by the weights' names where rules say which weight became which; by what they returned, where that is the
same and their parameters have the same sizes; by their names where those are the same; and what is left over, between
calls that are paired already, by order, shape and kind. What computes nothing is paired by its name or by its values, or
not at all.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from add_model.porting.comparison.likeness import TraitsOf, best_pairs, main_tensor, parameter_sizes
from add_model.porting.comparison.returned import SameValues, idle_calls
from add_model.porting.recording.file import Call, Recording, TensorRecord, tensors_of
from add_model.porting.recording.writer import NAMED_VALUE

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
        alike: the new model's calls whose submodules hold parameters of the same sizes as their counterparts.
        idle: the new model's calls that return what they were given, or whose counterparts do.
        unweighed: how many of them were not held against all that they could belong to, as there are too many.
    """

    pairs: tuple[tuple[Call, Call], ...]
    only_original: tuple[Call, ...]
    only_new: tuple[Call, ...]
    alike: frozenset[int] = frozenset()
    idle: frozenset[int] = frozenset()
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
    equal = _equal_paths(original, new)
    matching.by_values(dict(equal))
    matching.by_paths(equal)
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
        self._returned = SameValues(original, new)
        self._sizes_of_original, self._sizes_of_new = parameter_sizes(original), parameter_sizes(new)
        self._idle_of_original, self._idle_of_new = idle_calls(original), idle_calls(new)

    def pair(self, first: Call, second: Call) -> None:
        if first.index not in self.to_new and second.index not in self.to_original:
            self.to_new[first.index], self.to_original[second.index] = second, first

    def by_paths(self, paths: Iterable[tuple[str, str]]) -> None:
        """Pairs the first calls of two submodules, the second ones, and so on."""
        calls_of_original, calls_of_new = _by_path(self.original), _by_path(self.new)
        for first, second in paths:
            for one, other in zip(calls_of_original.get(first, ()), calls_of_new.get(second, ()), strict=False):
                self.pair(one, other)

    def by_values(self, names: Mapping[str, str]) -> None:
        """Pairs calls of modules with parameters of the same sizes that returned the same values.

        Args:
            names: paths of the original's -> those of the new model's that are called the same, which decide between
                several that are given the same value: they may have each other's weights.
        """
        candidates: dict[tuple[object, ...], list[Call]] = defaultdict(list)
        callers, new_callers = _callers(self.original), _callers(self.new)
        for call in self.original.calls:
            if call.index not in self.to_new and self._sizes_of_original.get(call.path):
                candidates[_size(self._sizes_of_original, call, callers)].append(call)
        exchanged = _Exchanged(self.original, self.new, names)
        for call in self.new.calls:
            if call.index in self.to_original or not self._sizes_of_new.get(call.path):
                continue
            found = candidates[_size(self._sizes_of_new, call, new_callers)]
            named = [each for each in found if names.get(each.path) == call.path]
            rest = (each for each in found if names.get(each.path) != call.path and not exchanged(each, call))
            self._pair_with_same_output(call, chain(named, rest))
        named_values = [call for call in self.original.calls if call.class_name == NAMED_VALUE]
        for call in _ended(self.new.calls) if named_values else ():
            self._pair_with_same_output(call, named_values)

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
            for call in others:
                self._pair_with_same_output(call, [each for each in some if self._could_be(each, call)])
            busy = [call for call in some if call.index not in self._idle_of_original]
            new_busy = [call for call in others if call.index not in self._idle_of_new]
            self._pair_the_best(_ended(busy), _ended(new_busy))
            self._pair_the_last(busy, new_busy)

    def _pair_the_last(self, some: Sequence[Call], others: Sequence[Call]) -> None:
        """Pairs the only two of a kind that are left, if they were given the same: their parameters have other sizes."""
        left = [call for call in some if call.index not in self.to_new and call.path in self._sizes_of_original]
        new_left = [call for call in others if call.index not in self.to_original and call.path in self._sizes_of_new]
        if len(left) == len(new_left) == 1 and left[0].class_name == new_left[0].class_name:
            given, new_given = (main_tensor(dict(call.inputs)) for call in (left[0], new_left[0]))
            if self._returned.same(given, new_given):
                self.pair(left[0], new_left[0])

    def _could_be(self, first: Call, second: Call) -> bool:
        """Whether two calls without weights of their own both compute something, or neither does."""
        idle = first.index in self._idle_of_original, second.index in self._idle_of_new
        own = self._sizes_of_original.get(first.path, ()), self._sizes_of_new.get(second.path, ())
        return idle[0] == idle[1] and own[0] == own[1]

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
        for first, second in best_pairs(self._traits_of_original(some), self._traits_of_new(others)):
            self.pair(some[first], others[second])

    @cached_property
    def _traits_of_original(self) -> TraitsOf:
        return TraitsOf(self.original)

    @cached_property
    def _traits_of_new(self) -> TraitsOf:
        return TraitsOf(self.new)

    def result(self) -> Alignment:
        pairs = [(self.to_original[call.index], call) for call in self.new.calls if call.index in self.to_original]
        callers = _callers(self.original), _callers(self.new)

        def is_alike(old: Call, new: Call) -> bool:
            return _size(self._sizes_of_original, old, callers[0]) == _size(self._sizes_of_new, new, callers[1])

        paired = {"original": self.to_new, "new": self.to_original}
        unweighed = [(side, index) for side, index in self._unweighed if index not in paired[side]]
        return Alignment(
            tuple(pairs),
            tuple(call for call in self.original.calls if call.index not in self.to_new),
            tuple(call for call in self.new.calls if call.index not in self.to_original),
            frozenset(new.index for old, new in pairs if is_alike(old, new)),
            frozenset(new.index for old, new in pairs if new.index in self._idle_of_new and old.index in self._idle_of_original),
            len(unweighed),
        )  # fmt: skip

    def _pair_with_same_output(self, call: Call, candidates: Iterable[Call]) -> None:
        if call.index in self.to_original:
            return
        for candidate in candidates:
            if candidate.index in self.to_new:
                continue
            self._elements_left -= _LOOK
            if self._elements_left < 0:
                self._unweighed.add(("new", call.index))
                break
            if self._returned.same(main_tensor(candidate.outputs), main_tensor(call.outputs)):
                self.pair(candidate, call)
                break


class _Exchanged:
    """Tells whether two calls may have each other's weights: both have a namesake, which was given the same value."""

    def __init__(self, original: Recording, new: Recording, names: Mapping[str, str]) -> None:
        self._names, self._namesakes = names, {second: first for first, second in names.items()}
        self._given_to_original, self._given_to_new = _given(original), _given(new)

    def __call__(self, first: Call, second: Call) -> bool:
        own, other = self._names.get(first.path), self._namesakes.get(second.path)
        if own is None or other is None or own == second.path:
            return False
        of_new, of_original = self._given_to_new.get(own), self._given_to_original.get(other)
        return bool(of_new and of_new == self._given_to_new.get(second.path)) and (
            of_original == self._given_to_original.get(first.path)
        )


def _given(recording: Recording) -> Mapping[str, tuple[str, ...]]:
    """What the first call of each submodule was given."""
    given: dict[str, tuple[str, ...]] = {}
    for call in recording.calls:
        given.setdefault(call.path, tuple(record.key for _, record in tensors_of(dict(call.inputs))))
    return given


def _size(sizes: Mapping[str, tuple[int, ...]], call: Call, callers: set[int | None]) -> tuple[object, ...]:
    """How large the parameters of a call's submodule are: each of a layer's; together, of what calls others."""
    own = sizes.get(call.path, ())
    return ("calls others", sum(own)) if call.index in callers else own


def _callers(recording: Recording) -> set[int | None]:
    return {call.parent for call in recording.calls}


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
