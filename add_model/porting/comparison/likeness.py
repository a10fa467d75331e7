"""How much two calls have in common, where neither their names nor what they returned says that they belong together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
# A pair that scores less than this has too little in common.
_FAIR = 1.0


def main_tensor(value: object) -> TensorRecord | None:
    """The first tensor of a value: what a module is about."""
    return next((record for _, record in tensors_of(value)), None)


def parameter_sizes(recording: Recording) -> Mapping[str, tuple[int, ...]]:
    """How many elements each parameter of a submodule has, those of the submodules inside it included."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for name, record in recording.parameters.items():
        if "F" not in record.dtype:
            continue  # a buffer of positions, or a mask
        size = 1
        for length in record.shape:
            size *= length
        path = name.rpartition(".")[0]
        sizes[path].append(size)
        while path:
            path = path.rpartition(".")[0]
            sizes[path].append(size)
    return {path: tuple(sorted(values)) for path, values in sizes.items()}


def best_pairs(some: Sequence[Traits], others: Sequence[Traits]) -> list[tuple[int, int]]:
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
class Traits:
    """What is to be seen of a call without its values."""

    kind: str
    is_leaf: bool | None
    output: tuple[int, ...]
    parameters: tuple[int, ...]
    words: frozenset[str]


class TraitsOf:
    """Tells the traits of a recording's calls."""

    def __init__(self, recording: Recording) -> None:
        self._sizes = parameter_sizes(recording)
        self._callers = {call.parent for call in recording.calls}

    def __call__(self, calls: Sequence[Call]) -> list[Traits]:
        return [self._traits(call) for call in calls]

    def _traits(self, call: Call) -> Traits:
        output = main_tensor(call.outputs)
        name = call.class_name.lower()
        kind = next((kind for kind, words in _KINDS.items() if any(word in name for word in words)), "")
        # In another layout, the same axes stand in another order.
        shape = tuple(sorted(size for size in (output.shape if output else ()) if size != 1))
        words = frozenset(re.split(r"[./_]", call.path)[-3:])
        is_leaf = None if call.class_name == NAMED_VALUE else call.index not in self._callers
        return Traits(kind, is_leaf, shape, self._sizes.get(call.path, ()), words)


def _likeness(first: Traits, second: Traits) -> float:
    """How much two calls have in common: at most 6, and below 0 if it is too little for a pair."""
    if first.output and second.output and first.output != second.output:
        return -1.0
    if first.parameters and second.parameters and first.parameters != second.parameters:
        # What stands around others may hold one more or less; a container is no layer of one.
        if first.is_leaf or second.is_leaf:
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
